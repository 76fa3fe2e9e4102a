//! Keystone's rows.

use axum::routing::MethodFilter as Method;

use super::{authenticated, open};
use crate::{
    http::{Route, Service::Identity},
    keystone::{catalog, projects, tokens, users, versions},
};

const fn get(path: &'static str, handler: crate::http::Handler) -> Route {
    Route::new(Identity, Method::GET, path, handler)
}

pub(super) const ROUTES: &[Route] = &[
    Route::root(Identity, "", open!(versions::list)),
    get("", open!(versions::show)),
    Route::new(Identity, Method::POST, "/auth/tokens", open!(tokens::issue)),
    get("/auth/tokens", authenticated!(tokens::show)),
    Route::new(Identity, Method::DELETE, "/auth/tokens", authenticated!(tokens::revoke)),
    get("/auth/catalog", authenticated!(catalog::show)),
    get("/auth/projects", authenticated!(projects::list)),
    get("/projects", authenticated!(projects::list)),
    get("/projects/{id}", authenticated!(projects::show)),
    get("/users/{id}", authenticated!(users::show)),
    get("/users/{id}/projects", authenticated!(projects::list)),
];
