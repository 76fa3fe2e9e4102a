//! What clients say of a server and only want to read back: access addresses and the word on the disk's partition. It is
//! kept in annotations. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use ostler_crds::Server;
use serde::Deserialize;

use super::convert;
use crate::{fault::Fault, store::names};

/// The three keys, as creation, update and rebuild share them.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    /// AUTO or MANUAL.
    #[serde(rename = "OS-DCF:diskConfig", default)]
    pub disk_config: Option<String>,
    /// Address to show; empty clears it.
    #[serde(rename = "accessIPv4", default)]
    pub access_ipv4: Option<String>,
    /// Address to show; empty clears it.
    #[serde(rename = "accessIPv6", default)]
    pub access_ipv6: Option<String>,
}

impl Asked {
    /// 400 for a word or an address that is none; `path` is that of the object that they are in.
    pub fn check(&self, path: &str) -> Result<(), Fault> {
        convert::disk_config(&format!("{path}.OS-DCF:diskConfig"), self.disk_config.as_deref())?;
        convert::access::<Ipv4Addr>(&format!("{path}.accessIPv4"), self.access_ipv4.as_deref())?;
        convert::access::<Ipv6Addr>(&format!("{path}.accessIPv6"), self.access_ipv6.as_deref())
    }

    /// Notes what was said; an empty text removes the note.
    pub fn apply(&self, server: &mut Server) {
        let notes = [
            (names::ACCESS_IPV4, self.access_ipv4.clone()),
            (names::ACCESS_IPV6, self.access_ipv6.as_deref().map(convert::canonical)),
            (names::DISK_CONFIG, self.disk_config.clone()),
        ];
        for (key, value) in notes {
            let annotations = server.metadata.annotations.get_or_insert_default();
            match value {
                Some(value) if value.is_empty() => drop(annotations.remove(key)),
                Some(value) => drop(annotations.insert(key.to_owned(), value)),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_address_removes_the_note_and_ipv6_becomes_canonical() {
        let asked = |v| serde_json::from_value::<Asked>(v).unwrap();
        let mut server = Server::new("a", Default::default());
        asked(json!({"accessIPv6": "FE80:0::1", "OS-DCF:diskConfig": "AUTO"})).apply(&mut server);
        assert_eq!(server.metadata.annotations.as_ref().unwrap()[names::ACCESS_IPV6], "fe80::1");
        asked(json!({"accessIPv6": ""})).apply(&mut server);
        assert_eq!(server.metadata.annotations.unwrap().len(), 1);
    }
}
