//! The table as text for nft(8). No text of users gets here: names are checked to be letters, digits and `_`.

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Write},
};

use uuid::Uuid;

use super::{Allow, Policy, PortRules, Remote, Traffic};

/// Name of the table, of family inet.
pub const TABLE: &str = "ostler_ports";

/// Our bridges: the only interfaces that the rules are for.
const BRIDGES: &str = "\"osl*\"";

/// The table as text. With it the kernel has exactly this, at once; without a port it has no table.
///
/// # Errors
/// A name has other characters than letters, digits and `_`.
pub fn render(rules: &PortRules) -> Result<String, fmt::Error> {
    let mut out = format!("add table inet {TABLE}\ndelete table inet {TABLE}\n");
    if rules.is_empty() {
        return Ok(out);
    }
    let body = body(rules)?;
    writeln!(out, "table inet {TABLE} {{\n  chain {} {{\n  }}\n{body}}}", name_of(&body))?;
    Ok(out)
}

/// Name of a chain that is in the kernel only with exactly these rules; `None`: there is to be no table.
///
/// # Errors
/// As [`render`].
pub fn revision(rules: &PortRules) -> Result<Option<String>, fmt::Error> {
    if rules.is_empty() { Ok(None) } else { body(rules).map(|body| Some(name_of(&body))) }
}

fn name_of(body: &str) -> String {
    format!("revision_{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, body.as_bytes()).simple())
}

fn body(rules: &PortRules) -> Result<String, fmt::Error> {
    let mut out = String::new();
    for (name, members) in &rules.groups {
        write!(out, "  set group_{} {{\n    type ipv4_addr\n", checked(name)?)?;
        if !members.is_empty() {
            writeln!(out, "    elements = {{ {} }}", join(members.iter()))?;
        }
        out.push_str("  }\n");
    }
    for (name, policy) in &rules.policies {
        let name = checked(name)?;
        chain(&mut out, &format!("to_{name}"), policy.ingress.as_ref(), "saddr")?;
        chain(&mut out, &format!("from_{name}"), policy.egress.as_ref(), "daddr")?;
    }
    map(&mut out, rules, "to", |policy| policy.ingress.is_some())?;
    map(&mut out, rules, "from", |policy| policy.egress.is_some())?;
    let to = format!("    oifname {BRIDGES} ip daddr vmap @to\n");
    let answers = "    ct state established,related accept\n";
    write!(
        out,
        "  chain forward {{\n    type filter hook forward priority filter - 10; policy accept;\n{answers}    \
         iifname {BRIDGES} ip saddr vmap @from\n{to}  }}\n"
    )?;
    // What the host's own DHCP server says is no connection to the guest.
    write!(
        out,
        "  chain output {{\n    type filter hook output priority filter - 10; policy accept;\n{answers}    \
         udp sport 67 udp dport 68 accept\n{to}  }}\n"
    )?;
    Ok(out)
}

fn map(
    out: &mut String,
    rules: &PortRules,
    direction: &str,
    has_chain: impl Fn(&Policy) -> bool,
) -> Result<(), fmt::Error> {
    let restricted = |name: &String| rules.policies.get(name).is_none_or(&has_chain);
    let ports = rules.ports.iter().filter(|(_, policy)| restricted(policy));
    // A policy that is not there lets nothing pass.
    let verdict = |policy: &String| match rules.policies.contains_key(policy) {
        true => format!("jump {direction}_{policy}"),
        false => "drop".to_owned(),
    };
    let elements: Vec<String> = ports.map(|(address, policy)| format!("{address} : {}", verdict(policy))).collect();
    write!(out, "  map {direction} {{\n    type ipv4_addr : verdict\n")?;
    if !elements.is_empty() {
        writeln!(out, "    elements = {{ {} }}", join(elements.iter()))?;
    }
    out.push_str("  }\n");
    Ok(())
}

fn chain(out: &mut String, name: &str, allowed: Option<&BTreeSet<Allow>>, remote: &str) -> Result<(), fmt::Error> {
    let Some(allowed) = allowed else { return Ok(()) };
    writeln!(out, "  chain {name} {{")?;
    for allow in allowed {
        let who = match &allow.remote {
            Remote::Anybody => String::new(),
            Remote::Range(range) => format!("ip {remote} {} ", range.trunc()),
            Remote::Group(group) => {
                let bridge = if remote == "saddr" { "iifname" } else { "oifname" };
                format!("{bridge} {BRIDGES} ip {remote} @group_{} ", checked(group)?)
            }
        };
        writeln!(out, "    {who}{}return", traffic(&allow.traffic))?;
    }
    out.push_str("    drop\n  }\n");
    Ok(())
}

fn traffic(traffic: &Traffic) -> String {
    match traffic {
        Traffic::Anything => String::new(),
        Traffic::Protocol(number) => format!("meta l4proto {number} "),
        Traffic::Ports { protocol, first, last } => format!("meta l4proto {protocol} th dport {first}-{last} "),
        Traffic::Icmp { kind, code: None } => format!("icmp type {kind} "),
        Traffic::Icmp { kind, code: Some(code) } => format!("icmp type {kind} icmp code {code} "),
    }
}

fn checked(name: &str) -> Result<&str, fmt::Error> {
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    good.then_some(name).ok_or(fmt::Error)
}

fn join<T: Display>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
