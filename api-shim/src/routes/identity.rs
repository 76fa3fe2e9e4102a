//! Keystone's rows.

use axum::routing::MethodFilter as Method;

use super::{authenticated, open};
use crate::{
    http::{Route, Service::Identity},
    keystone::{application_credentials, catalog, domains, projects, registry, roles, tokens, users, versions},
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
    get("/auth/domains", authenticated!(domains::own)),
    get("/auth/system", authenticated!(domains::system)),
    get("/domains", authenticated!(domains::list)),
    get("/domains/{id}", authenticated!(domains::show)),
    get("/projects", authenticated!(projects::list)),
    get("/projects/{id}", authenticated!(projects::show)),
    get("/users", authenticated!(users::list)),
    get("/users/{id}", authenticated!(users::show)),
    get("/users/{id}/projects", authenticated!(projects::list)),
    get("/users/{id}/groups", authenticated!(users::groups)),
    Route::new(Identity, Method::POST, "/users/{id}/password", authenticated!(users::set_password)),
    get("/users/{id}/application_credentials", authenticated!(application_credentials::list)),
    Route::new(
        Identity,
        Method::POST,
        "/users/{id}/application_credentials",
        authenticated!(application_credentials::create),
    ),
    get("/users/{id}/application_credentials/{credential}", authenticated!(application_credentials::show)),
    Route::new(
        Identity,
        Method::DELETE,
        "/users/{id}/application_credentials/{credential}",
        authenticated!(application_credentials::delete),
    ),
    get("/roles", authenticated!(roles::list)),
    get("/roles/{id}", authenticated!(roles::show)),
    get("/role_assignments", authenticated!(roles::assignments)),
    get("/regions", authenticated!(registry::regions)),
    get("/regions/{id}", authenticated!(registry::region)),
    get("/services", authenticated!(registry::services)),
    get("/services/{id}", authenticated!(registry::service)),
    get("/endpoints", authenticated!(registry::endpoints)),
    get("/endpoints/{id}", authenticated!(registry::endpoint)),
];
