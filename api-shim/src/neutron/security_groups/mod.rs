//! Security groups and their rules (Neutron's `security-groups`, `security-group-rules`). Nova's proxies of old use the same.

pub mod group;
pub mod group_wire;
pub mod rule;
pub mod rule_wire;
pub mod view;
