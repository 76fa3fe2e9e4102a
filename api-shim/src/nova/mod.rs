//! Nova v2.1: servers, flavors, key pairs and what clients ask for beside them.

pub mod actions;
pub mod availability_zones;
pub mod flavors;
pub mod images;
pub mod instance_actions;
pub mod key_pairs;
pub mod limits;
pub mod networks;
pub mod operator;
pub mod quotas;
pub mod security_groups;
pub mod server_groups;
pub mod server_parts;
pub mod servers;
pub mod versions;
