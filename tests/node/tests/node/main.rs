//! The node role with real guests. Needs root.

mod away;
mod crashes;
mod deleted_meanwhile;
mod deletions;
mod disks;
mod errors;
mod fenced;
mod foreign;
mod full_disk;
mod image_cache;
mod life;
mod metadata;
mod security_groups;
mod server_images;
mod shelving;
mod standing_still;
mod streams;
