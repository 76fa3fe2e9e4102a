//! `<rule>`: an action and what it is for.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Rule {
    #[serde(rename = "@action")]
    action: &'static str,
    #[serde(rename = "@direction")]
    direction: &'static str,
    #[serde(rename = "@priority")]
    priority: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<Mac>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arp: Option<Arp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Ip>,
}

/// What a rule is for, and what is done about it. `Out` is what the guest sends.
pub(super) struct Entry(pub Action, pub Direction, pub Match);

#[derive(Clone, Copy)]
pub(super) enum Action {
    Accept,
    Drop,
}

#[derive(Clone, Copy)]
pub(super) enum Direction {
    Out,
    In,
    Both,
}

pub(super) enum Match {
    Everything,
    Mac(Mac),
    Arp(Arp),
    Ip(Ip),
}

#[derive(Serialize, Default)]
pub(super) struct Mac {
    /// `no`: the rule is for whatever does not match.
    #[serde(rename = "@match", skip_serializing_if = "Option::is_none")]
    pub match_: Option<&'static str>,
    #[serde(rename = "@srcmacaddr", skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
    #[serde(rename = "@protocolid", skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
}

#[derive(Serialize, Default)]
pub(super) struct Arp {
    #[serde(rename = "@match", skip_serializing_if = "Option::is_none")]
    pub match_: Option<&'static str>,
    #[serde(rename = "@arpsrcmacaddr", skip_serializing_if = "Option::is_none")]
    pub source_mac: Option<&'static str>,
    #[serde(rename = "@arpsrcipaddr", skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
}

#[derive(Serialize, Default)]
pub(super) struct Ip {
    #[serde(rename = "@match", skip_serializing_if = "Option::is_none")]
    pub match_: Option<&'static str>,
    #[serde(rename = "@srcipaddr", skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(rename = "@dstipaddr", skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(rename = "@dstipmask", skip_serializing_if = "Option::is_none")]
    pub to_prefix: Option<String>,
    #[serde(rename = "@protocol", skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
    #[serde(rename = "@srcportstart", skip_serializing_if = "Option::is_none")]
    pub source_port: Option<u16>,
    #[serde(rename = "@dstportstart", skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(rename = "@dstportend", skip_serializing_if = "Option::is_none")]
    pub last_port: Option<u16>,
}

impl Ip {
    /// To this address.
    pub(super) fn to(address: impl ToString) -> Self {
        Self { to: Some(address.to_string()), ..Self::default() }
    }

    /// With this protocol to this port.
    pub(super) fn port(self, protocol: &'static str, port: u16) -> Self {
        Self { protocol: Some(protocol), port: Some(port), ..self }
    }
}

/// The rules in their order: libvirt sorts by priority, from -1000 on.
pub(super) fn number(entries: Vec<Entry>) -> Vec<Rule> {
    (-1000..).zip(entries).map(|(priority, entry)| entry.at(priority)).collect()
}

impl Entry {
    fn at(self, priority: i32) -> Rule {
        let Self(action, direction, what) = self;
        let mut rule = Rule {
            action: match action {
                Action::Accept => "accept",
                Action::Drop => "drop",
            },
            direction: match direction {
                Direction::Out => "out",
                Direction::In => "in",
                Direction::Both => "inout",
            },
            priority,
            mac: None,
            arp: None,
            ip: None,
        };
        match what {
            Match::Everything => {}
            Match::Mac(mac) => rule.mac = Some(mac),
            Match::Arp(arp) => rule.arp = Some(arp),
            Match::Ip(ip) => rule.ip = Some(ip),
        }
        rule
    }
}
