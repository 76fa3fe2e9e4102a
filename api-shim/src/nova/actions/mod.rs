//! Actions on a server: `POST /servers/{id}/action`. [`table`] says for each what it needs, [`run`] does what all do, and
//! one file an action changes the Server. Conflicts are decided by pure functions over what clients are shown.

pub mod body;
pub mod console;
pub mod create_backup;
pub mod create_image;
pub mod delete;
pub mod evacuate;
pub mod lock;
pub mod network_info;
pub mod password;
pub mod power;
pub mod reboot;
pub mod rebuild;
pub mod rescue;
pub mod reset_state;
pub mod resize;
pub mod run;
pub mod security_groups;
pub mod state;
pub mod table;
