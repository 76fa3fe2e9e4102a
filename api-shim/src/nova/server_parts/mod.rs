//! What hangs below a server beside its own document: interfaces, volumes, password, topology, migrations, consoles and
//! diagnostics. What this version has not is told of servers that exist, and to those who may.

pub mod interfaces;
pub mod migrations;
pub mod password;
pub mod refuse;
pub mod topology;
pub mod volumes;
