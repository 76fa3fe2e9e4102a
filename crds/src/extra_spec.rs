//! Extra specs of Flavors: which keys and values Nova knows. One table; the CRD's rules and the OpenStack front read it.
//!
//! Source: Nova's `nova/api/validation/extra_specs` (2.86). The front refuses unknown keys of known namespaces from 2.86
//! on; a bad value of a known key is refused by every front, at admission.

use kube::core::cel::{Message, Reason, Rule};

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A boolean as oslo reads it.
    Boolean,
    /// A whole number of at least this.
    Number(u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
}

/// A known key and its values. `{n}` at the end of a key stands for a number, `*` for any text.
const KNOWN: &[(&str, Value)] = &[
    ("hide_hypervisor_id", Value::Boolean),
    ("group_policy", Value::Word(&["none", "isolate"])),
    ("hw:boot_menu", Value::Boolean),
    ("hw:cpu_realtime", Value::Boolean),
    ("hw:hide_hypervisor_id", Value::Boolean),
    ("hw:locked_memory", Value::Boolean),
    ("hw:mem_encryption", Value::Boolean),
    ("hw:vif_multiqueue_enabled", Value::Boolean),
    ("hw:virtio_packed_ring", Value::Boolean),
    ("hw:ephemeral_encryption", Value::Boolean),
    ("hw_rng:allowed", Value::Boolean),
    ("hw:numa_nodes", Value::Number(1)),
    ("hw:cpu_sockets", Value::Number(1)),
    ("hw:cpu_cores", Value::Number(1)),
    ("hw:cpu_threads", Value::Number(1)),
    ("hw:cpu_max_sockets", Value::Number(1)),
    ("hw:cpu_max_cores", Value::Number(1)),
    ("hw:cpu_max_threads", Value::Number(1)),
    ("hw:serial_port_count", Value::Number(0)),
    ("hw:maxphysaddr_bits", Value::Number(0)),
    ("hw_rng:rate_bytes", Value::Number(0)),
    ("hw_rng:rate_period", Value::Number(0)),
    ("hw_video:ram_max_mb", Value::Number(0)),
    ("quota:cpu_shares", Value::Number(0)),
    ("quota:cpu_period", Value::Number(0)),
    ("quota:cpu_quota", Value::Number(0)),
    ("quota:disk_read_bytes_sec", Value::Number(0)),
    ("quota:disk_read_iops_sec", Value::Number(0)),
    ("quota:disk_write_bytes_sec", Value::Number(0)),
    ("quota:disk_write_iops_sec", Value::Number(0)),
    ("quota:disk_total_bytes_sec", Value::Number(0)),
    ("quota:disk_total_iops_sec", Value::Number(0)),
    ("quota:vif_inbound_average", Value::Number(0)),
    ("quota:vif_inbound_burst", Value::Number(0)),
    ("quota:vif_inbound_peak", Value::Number(0)),
    ("quota:vif_outbound_average", Value::Number(0)),
    ("quota:vif_outbound_burst", Value::Number(0)),
    ("quota:vif_outbound_peak", Value::Number(0)),
    ("hw:cpu_policy", Value::Word(&["dedicated", "mixed", "shared"])),
    ("hw:cpu_thread_policy", Value::Word(&["prefer", "isolate", "require"])),
    ("hw:emulator_threads_policy", Value::Word(&["isolate", "share"])),
    ("hw:watchdog_action", Value::Word(&["none", "pause", "poweroff", "reset", "disabled"])),
    ("hw:pci_numa_affinity_policy", Value::Word(&["required", "preferred", "legacy", "socket"])),
    ("hw:tpm_model", Value::Word(&["tpm-tis", "tpm-crb"])),
    ("hw:tpm_version", Value::Word(&["1.2", "2.0"])),
    ("hw:viommu_model", Value::Word(&["intel", "smmuv3", "virtio", "auto"])),
    ("hw:maxphysaddr_mode", Value::Word(&["passthrough", "emulate"])),
    ("os:secure_boot", Value::Word(&["required", "disabled", "optional"])),
    ("hw:cpu_dedicated_mask", Value::Text),
    ("hw:cpu_realtime_mask", Value::Text),
    ("hw:ephemeral_encryption_format", Value::Text),
    ("hw:mem_page_size", Value::Text),
    ("hw:pmem", Value::Text),
    ("hw:numa_cpus.{n}", Value::Text),
    ("hw:numa_mem.{n}", Value::Number(1)),
    ("accel:device_profile", Value::Text),
    ("pci_passthrough:alias", Value::Text),
    ("aggregate_instance_extra_specs:*", Value::Text),
    ("capabilities:*", Value::Text),
    ("trait:*", Value::Word(&["required", "forbidden"])),
    ("resources:*", Value::Number(0)),
];

/// Why an extra spec is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The namespace is Nova's own, and it knows no such key there.
    #[error("extra spec '{0}' does not exist, or there is a typing error in its name")]
    UnknownKey(String),
    /// The key is known, and this is no value of it.
    #[error("'{value}' is not a value of extra spec '{key}': it takes {wanted}")]
    BadValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What it takes.
        wanted: String,
    },
}

impl Value {
    /// Whether `text` is one.
    pub fn takes(self, text: &str) -> bool {
        match self {
            Self::Boolean => BOOLEANS.iter().any(|word| text.eq_ignore_ascii_case(word)),
            Self::Number(least) => {
                text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u64>().is_ok_and(|n| n >= least)
            }
            Self::Word(words) => words.contains(&text),
            Self::Text => true,
        }
    }

    fn wanted(self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Number(least) => format!("a whole number of at least {least}"),
            Self::Word(words) => words.join(", "),
            Self::Text => "any text".to_owned(),
        }
    }
}

const BOOLEANS: &[&str] = &["1", "t", "true", "on", "y", "yes", "0", "f", "false", "off", "n", "no"];

fn fits(pattern: &str, key: &str) -> bool {
    if let Some(prefix) = pattern.strip_suffix("{n}") {
        return key.strip_prefix(prefix).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    }
    match pattern.strip_suffix('*') {
        Some(prefix) => key.len() > prefix.len() && key.starts_with(prefix),
        None => pattern == key,
    }
}

/// What the values of a key may be; `None` for a key that Nova does not know.
pub fn known(key: &str) -> Option<Value> {
    KNOWN.iter().find(|(pattern, _)| fits(pattern, key)).map(|(_, value)| *value)
}

/// Judges an extra spec as Nova does from 2.86 on: a namespace that it does not know passes.
pub fn judge(key: &str, value: &str) -> Result<(), Refusal> {
    match known(key) {
        Some(kind) if kind.takes(value) => Ok(()),
        Some(kind) => Err(Refusal::BadValue { key: key.to_owned(), value: value.to_owned(), wanted: kind.wanted() }),
        None if is_novas(key) => Err(Refusal::UnknownKey(key.to_owned())),
        None => Ok(()),
    }
}

/// Whether the key's namespace is one of Nova's own.
fn is_novas(key: &str) -> bool {
    let of = |k: &str| k.split_once(':').map(|(namespace, _)| namespace.to_owned());
    of(key).is_some_and(|own| KNOWN.iter().any(|(pattern, _)| of(pattern).as_deref() == Some(own.as_str())))
}

/// Known keys without a pattern in them, of one kind of value.
fn plain(wanted: impl Fn(Value) -> bool) -> Vec<(&'static str, Value)> {
    KNOWN.iter().filter(|(key, value)| !key.ends_with(['}', '*']) && wanted(*value)).copied().collect()
}

fn rule(condition: &str, message: String) -> Rule {
    Rule::new(format!("!has(self.extraSpecs) || ({condition})"))
        .message(Message::Message(message))
        .reason(Reason::FieldValueInvalid)
        .field_path(".extraSpecs")
}

fn quoted(words: impl Iterator<Item = &'static str>) -> String {
    words.map(|w| format!("'{w}'")).collect::<Vec<_>>().join(", ")
}

/// CEL: a regular expression for the values of some keys.
fn matching(keys: &[(&'static str, Value)], pattern: &str) -> String {
    let keys = quoted(keys.iter().map(|(k, _)| *k));
    format!("[{keys}].all(k, !(k in self.extraSpecs) || self.extraSpecs[k].matches('{pattern}'))")
}

/// CEL rule: known keys that take a boolean have one.
pub fn booleans() -> Rule {
    let keys = plain(|v| v == Value::Boolean);
    let names: Vec<&str> = keys.iter().map(|(k, _)| *k).collect();
    let condition = matching(&keys, &format!("^(?i:{})$", BOOLEANS.join("|")));
    rule(&condition, format!("extraSpecs: these take true or false: {}", names.join(", ")))
}

/// CEL rule: known keys that take a number have one.
pub fn numbers() -> Rule {
    let (from_one, from_zero) = (plain(|v| v == Value::Number(1)), plain(|v| v == Value::Number(0)));
    let condition = format!("{} && {}", matching(&from_one, "^0*[1-9][0-9]*$"), matching(&from_zero, "^[0-9]+$"));
    let names: Vec<&str> = from_one.iter().chain(&from_zero).map(|(k, _)| *k).collect();
    rule(
        &condition,
        format!(
            "extraSpecs: these take a whole number, which is not 0 where hw: counts something: {}",
            names.join(", ")
        ),
    )
}

/// CEL rule: known keys that take one of some words have one of them.
pub fn words() -> Rule {
    let keys = plain(|v| matches!(v, Value::Word(_)));
    let one = |(key, value): &(&'static str, Value)| match value {
        Value::Word(words) => {
            let words = quoted(words.iter().copied());
            format!("(!('{key}' in self.extraSpecs) || self.extraSpecs['{key}'] in [{words}])")
        }
        _ => "true".to_owned(),
    };
    let told: Vec<String> = keys.iter().map(|(k, v)| format!("{k} takes {}", v.wanted())).collect();
    let condition = keys.iter().map(one).collect::<Vec<_>>().join(" && ");
    rule(&condition, format!("extraSpecs: {}", told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_judged_as_nova_does_from_2_86() {
        for (key, value, fine) in [
            ("hw:cpu_policy", "shared", true),
            ("hw:cpu_policy", "banana", false),
            ("hw:numa_nodes", "2", true),
            ("hw:numa_nodes", "0", false),
            ("hw:numa_mem.1", "512", true),
            ("hw:numa_mem.x", "512", false),
            ("hw:boot_menu", "True", true),
            ("hw:boot_menu", "perhaps", false),
            ("hw:colour", "grey", false),
            ("trait:HW_CPU_X86_AVX", "required", true),
            ("trait:HW_CPU_X86_AVX", "perhaps", false),
            ("foo:bar", "baz", true),
            ("key1", "value1", true),
            ("capabilities:cpu", "<in> x", true),
        ] {
            assert_eq!(judge(key, value).is_ok(), fine, "{key}={value}");
        }
    }

    #[test]
    fn a_namespace_of_novas_is_told_from_others() {
        assert_eq!(judge("hw:foo", "x"), Err(Refusal::UnknownKey("hw:foo".into())));
        assert!(judge("hwx:foo", "x").is_ok());
    }
}
