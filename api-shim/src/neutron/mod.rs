//! Neutron v2.0, the read side: Networks with their one subnet, ports of Servers, one security group a project.

pub mod empty;
pub mod extensions;
pub mod networks;
pub mod ports;
pub mod quotas;
pub mod refuse;
pub mod security_groups;
mod select;
pub mod subnets;
pub mod versions;
