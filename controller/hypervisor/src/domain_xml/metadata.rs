//! `<metadata>`: the mark that makes a domain Ostler's, and names its Server.

use serde::Serialize;

use crate::{
    definition::Owner,
    xml::{self, XmlError},
};

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    #[serde(rename = "ostler:server")]
    server: Server<'a>,
}

#[derive(Serialize)]
struct Server<'a> {
    #[serde(rename = "@xmlns:ostler")]
    xmlns: &'static str,
    #[serde(rename = "@namespace")]
    namespace: &'a str,
    #[serde(rename = "@name")]
    name: &'a str,
    #[serde(rename = "@uid")]
    uid: &'a str,
}

impl<'a> Metadata<'a> {
    pub(super) fn new(owner: &'a Owner) -> Result<Self, XmlError> {
        Ok(Self {
            server: Server {
                xmlns: xml::NAMESPACE,
                namespace: xml::text("owner.namespace", &owner.namespace)?,
                name: xml::text("owner.name", &owner.name)?,
                uid: xml::text("owner.uid", &owner.uid)?,
            },
        })
    }
}
