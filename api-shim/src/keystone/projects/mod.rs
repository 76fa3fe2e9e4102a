//! Projects are namespaces with the project label; a caller sees those in which they have a role.

pub mod create;
pub mod delete;
pub mod list;
pub mod show;
pub mod tags;
pub mod update;
mod wire;

use crate::{
    app::App,
    fault::Fault,
    observe::clean,
    store::projects::{self, Project},
};

/// Whether tokens are good for such a project.
pub fn exists(app: &App, id: &str) -> bool {
    projects::get(&app.stores, id).is_some_and(|n| Project::of(&n).enabled)
}

/// 404 that names a project.
fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Could not find project: {}.", clean(id)))
}
