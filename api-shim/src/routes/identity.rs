//! Keystone's rows.

use axum::routing::MethodFilter as Method;

use super::{authenticated, open};
use crate::{
    http::{Route, Service::Identity},
    keystone::{application_credentials, catalog, domains, grants, projects, registry, roles, tokens, users, versions},
};

const fn post(path: &'static str, handler: crate::http::Handler) -> Route {
    Route::new(Identity, Method::POST, path, handler)
}

const fn put(path: &'static str, handler: crate::http::Handler) -> Route {
    Route::new(Identity, Method::PUT, path, handler)
}

const fn patch(path: &'static str, handler: crate::http::Handler) -> Route {
    Route::new(Identity, Method::PATCH, path, handler)
}

const fn delete(path: &'static str, handler: crate::http::Handler) -> Route {
    Route::new(Identity, Method::DELETE, path, handler)
}

const fn get(path: &'static str, handler: crate::http::Handler) -> Route {
    Route::new(Identity, Method::GET, path, handler)
}

pub(super) const ROUTES: &[Route] = &[
    Route::root(Identity, "", open!(versions::list)),
    Route::root(Identity, "/openapi.json", open!(crate::openapi::serve)),
    get("", open!(versions::show)),
    Route::new(Identity, Method::POST, "/auth/tokens", open!(tokens::issue)),
    get("/auth/tokens", authenticated!(tokens::show)),
    Route::new(Identity, Method::DELETE, "/auth/tokens", authenticated!(tokens::revoke)),
    get("/auth/catalog", authenticated!(catalog::show)),
    get("/auth/projects", authenticated!(projects::list::own)),
    get("/auth/domains", authenticated!(domains::own)),
    get("/auth/system", authenticated!(domains::system)),
    get("/domains", authenticated!(domains::list)),
    get("/domains/{id}", authenticated!(domains::show)),
    get("/projects", authenticated!(projects::list::all)),
    post("/projects", authenticated!(projects::create::create)),
    get("/projects/{id}", authenticated!(projects::show::show)),
    patch("/projects/{id}", authenticated!(projects::update::update)),
    delete("/projects/{id}", authenticated!(projects::delete::delete)),
    get("/projects/{id}/tags", authenticated!(projects::tags::list)),
    put("/projects/{id}/tags", authenticated!(projects::tags::replace)),
    delete("/projects/{id}/tags", authenticated!(projects::tags::clear)),
    get("/projects/{id}/tags/{tag}", authenticated!(projects::tags::check)),
    put("/projects/{id}/tags/{tag}", authenticated!(projects::tags::add)),
    delete("/projects/{id}/tags/{tag}", authenticated!(projects::tags::delete)),
    get("/projects/{id}/users/{user}/roles", authenticated!(grants::list)),
    get("/projects/{id}/users/{user}/roles/{role}", authenticated!(grants::check)),
    put("/projects/{id}/users/{user}/roles/{role}", authenticated!(grants::give)),
    delete("/projects/{id}/users/{user}/roles/{role}", authenticated!(grants::take)),
    get("/users", authenticated!(users::list)),
    post("/users", authenticated!(users::create::create)),
    get("/users/{id}", authenticated!(users::show)),
    patch("/users/{id}", authenticated!(users::update::update)),
    delete("/users/{id}", authenticated!(users::delete::delete)),
    get("/users/{id}/projects", authenticated!(projects::list::own)),
    get("/users/{id}/groups", authenticated!(users::groups)),
    post("/users/{id}/password", authenticated!(users::set_password)),
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
    post("/roles", authenticated!(roles::create)),
    get("/roles/{id}", authenticated!(roles::show)),
    get("/role_assignments", authenticated!(roles::assignments)),
    get("/regions", authenticated!(registry::regions)),
    get("/regions/{id}", authenticated!(registry::region)),
    get("/services", authenticated!(registry::services)),
    get("/services/{id}", authenticated!(registry::service)),
    get("/endpoints", authenticated!(registry::endpoints)),
    get("/endpoints/{id}", authenticated!(registry::endpoint)),
];
