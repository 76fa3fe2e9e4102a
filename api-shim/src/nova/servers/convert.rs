//! From a creation that was read and resolved to Servers. Pure.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use ostler_crds::{
    Server, ServerSpec,
    names::{CREATOR_ANNOTATION, GUEST_FINALIZER},
    server::{AdminPassword, SchedulerHints, ServerNetwork, UserData},
};

use super::{text, wire::Create};
use crate::{
    fault::Fault,
    http::Microversion,
    nova::instance_actions::record::{self, Record},
    store::{names, slug},
};

/// Most servers of one request.
const MOST: i64 = 100;
/// Longest user data, in base64.
const USER_DATA: usize = 65_535;

/// What names and ids of a creation stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Name of the Flavor.
    pub flavor: String,
    /// Reference of the Image.
    pub image: String,
    /// Name of the KeyPair.
    pub key_pair: Option<String>,
    /// Networks; `None`: the default one.
    pub networks: Option<Vec<ServerNetwork>>,
    /// Names of SecurityGroups; `None`: `default`.
    pub security_groups: Option<Vec<String>>,
    /// Availability zone.
    pub zone: Option<String>,
    /// Where it may be in relation to others.
    pub hints: Option<SchedulerHints>,
    /// The administrator's password.
    pub password: Option<AdminPassword>,
}

/// Checks what needs no other object.
pub fn check(create: &Create, version: Microversion) -> Result<(), Fault> {
    text::name_at("server.name", &create.name)?;
    create.description.as_deref().map_or(Ok(()), text::description)?;
    text::tags(create.tags.as_deref().unwrap_or_default())?;
    text::metadata_count(&text::metadata(&create.metadata)?)?;
    create.notes.check("server")?;
    create.hostname.as_deref().map_or(Ok(()), |h| text::hostname("server.hostname", h, version))?;
    if create.hostname.is_some() && count(create)? > 1 {
        return Err(Fault::bad_request("Unable to allocate a single hostname to multiple instances"));
    }
    if create.host.is_some() || create.hypervisor_hostname.is_some() {
        return Err(Fault::not_served("Naming a host in host or hypervisor_hostname"));
    }
    if create.personality.as_ref().is_some_and(|p| !p.is_empty()) {
        return Err(Fault::invalid_field("server.personality", "Files are not served by this version: use user_data."));
    }
    if create.block_device_mapping.as_ref().is_some_and(|b| !b.is_empty()) {
        return Err(Fault::invalid_field("server.block_device_mapping", "This version has no volumes."));
    }
    if create.trusted_image_certificates.as_ref().is_some_and(|t| !t.is_empty()) {
        return Err(Fault::invalid_field("server.trusted_image_certificates", "They are not served by this version."));
    }
    user_data(create.user_data.as_deref())
}

/// How many servers to make.
pub fn count(create: &Create) -> Result<u32, Fault> {
    let (min, max) = (create.min_count.unwrap_or(1), create.max_count.or(create.min_count).unwrap_or(1));
    if min < 1 || max < 1 {
        return Err(Fault::invalid_field("server.min_count", "min_count and max_count must be at least 1."));
    }
    if min > max {
        return Err(Fault::bad_request("min_count must be <= max_count"));
    }
    if max > MOST {
        return Err(Fault::forbidden(format!("Quota exceeded: at most {MOST} servers a request.")));
    }
    u32::try_from(max).map_err(|_| Fault::bad_request("max_count is too large"))
}

/// The Servers: `-1`, `-2`, … are added to the name when there are several.
pub fn servers(create: &Create, resolved: &Resolved, event: &Record, reservation: &str, count: u32) -> Vec<Server> {
    (0..count).map(|index| server(create, resolved, event, reservation, index, count)).collect()
}

fn server(create: &Create, to: &Resolved, event: &Record, reservation: &str, index: u32, count: u32) -> Server {
    let name = if count > 1 { format!("{}-{}", create.name, index + 1) } else { create.name.clone() };
    let spec = ServerSpec {
        display_name: Some(name.clone()),
        hostname: create.hostname.clone(),
        description: create.description.clone().filter(|d| !d.is_empty()),
        flavor: to.flavor.clone(),
        image: Some(to.image.clone()),
        key_pair: to.key_pair.clone(),
        networks: to.networks.clone(),
        security_groups: to.security_groups.clone(),
        user_data: create.user_data.clone().map(|base64| UserData { base64: Some(base64), ..UserData::default() }),
        metadata: text::metadata(&create.metadata).unwrap_or_default(),
        tags: create.tags.clone().unwrap_or_default(),
        config_drive: create.config_drive.unwrap_or(true),
        availability_zone: to.zone.clone(),
        scheduler_hints: to.hints.clone(),
        admin_password: to.password.clone(),
        ..ServerSpec::default()
    };
    let mut server = Server::new(&slug::slug(&name, "server"), spec);
    server.metadata.finalizers = Some(vec![GUEST_FINALIZER.to_owned()]);
    server.metadata.annotations = Some(BTreeMap::from([
        (CREATOR_ANNOTATION.to_owned(), event.user.clone()),
        (names::RESERVATION.to_owned(), reservation.to_owned()),
        (names::LAUNCH_INDEX.to_owned(), index.to_string()),
    ]));
    create.notes.apply(&mut server);
    record::note(&mut server.metadata, event);
    server
}

/// The canonical form of an IPv6 address, which clients expect back.
pub fn canonical(address: &str) -> String {
    address.parse::<std::net::Ipv6Addr>().map_or_else(|_| address.to_owned(), |a| a.to_string())
}

/// AUTO or MANUAL.
pub fn disk_config(path: &str, word: Option<&str>) -> Result<(), Fault> {
    match word {
        None | Some("AUTO" | "MANUAL") => Ok(()),
        Some(_) => Err(Fault::invalid_field(path, "It must be AUTO or MANUAL.")),
    }
}

/// An address of a family, or empty.
pub fn access<A: std::str::FromStr>(path: &str, address: Option<&str>) -> Result<(), Fault> {
    match address {
        Some(text) if !text.is_empty() && text.parse::<A>().is_err() => {
            Err(Fault::invalid_field(path, "It is not an address of this family."))
        }
        _ => Ok(()),
    }
}

fn user_data(base64: Option<&str>) -> Result<(), Fault> {
    let Some(text) = base64 else { return Ok(()) };
    if text.len() > USER_DATA {
        return Err(Fault::invalid_field("server.user_data", "It is longer than 65535 characters."));
    }
    let bare: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    STANDARD.decode(bare).map(drop).map_err(|_| Fault::invalid_field("server.user_data", "It is not base64."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn create(more: Value) -> Create {
        let mut body = json!({"name": "web", "flavorRef": "1", "imageRef": "i"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    fn event() -> Record {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Record { action: "create".into(), request: "req-1".into(), user: "u".into(), project: None, at }
    }

    #[test]
    fn several_servers_are_numbered() {
        let c = create(json!({"min_count": "2", "max_count": 3}));
        let made = servers(&c, &Resolved::default(), &event(), "r-1", count(&c).unwrap());
        let names: Vec<&str> = made.iter().map(Server::display_name).collect();
        assert_eq!(names, ["web-1", "web-2", "web-3"]);
        assert_eq!(made[2].metadata.name.as_deref(), Some("web-3"));
    }

    #[test]
    fn a_server_carries_its_finalizer_and_creator() {
        let made =
            servers(&create(json!({"metadata": {"a": "b"}})), &Resolved::default(), &event(), "r-1", 1).remove(0);
        assert_eq!(record::of(&made.metadata), [event()]);
        assert_eq!(made.metadata.finalizers.as_deref(), Some(&[GUEST_FINALIZER.to_owned()][..]));
        assert_eq!(made.metadata.annotations.as_ref().and_then(|a| a.get(CREATOR_ANNOTATION)).unwrap(), "u");
        assert_eq!(made.spec.metadata.get("a").map(String::as_str), Some("b"));
        assert!(made.spec.config_drive);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for bad in [
            json!({"personality": [{"path": "/a", "contents": ""}]}),
            json!({"user_data": "not base64!"}),
            json!({"accessIPv4": "fe80::1"}),
            json!({"accessIPv6": "10.0.0.1"}),
            json!({"OS-DCF:diskConfig": "auto"}),
            json!({"tags": ["a", "a"]}),
            json!({"block_device_mapping": [{}]}),
            json!({"hostname": "a_b"}),
            json!({"hostname": "ab", "min_count": 2}),
        ] {
            assert_eq!(check(&create(bad.clone()), Microversion(96)).unwrap_err().status.as_u16(), 400, "{bad}");
        }
        for bad in [json!({"min_count": 0}), json!({"min_count": 3, "max_count": 2})] {
            assert_eq!(count(&create(bad)).unwrap_err().status.as_u16(), 400);
        }
    }
}
