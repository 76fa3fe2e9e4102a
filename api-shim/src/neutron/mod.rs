//! Neutron v2.0: Networks with their one subnet, which administrators make and remove; ports of Servers to read; security
//! groups.

pub mod change;
pub mod empty;
pub mod extensions;
pub mod networks;
pub mod ports;
pub mod quotas;
pub mod refuse;
pub mod security_groups;
pub mod select;
pub mod subnets;
pub mod versions;
mod wire;
