//! Nova's rows about servers.

use axum::routing::MethodFilter as Method;

use super::{authorized, compute_actions::ACTIONS, open};
use crate::{
    authorize::Rule,
    http::{Handler, Route, Service::Compute},
    nova::{
        instance_actions as events, security_groups,
        servers::{addresses, create, delete, list, metadata, show, tags, update},
        versions,
    },
};

pub(super) const fn get(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::GET, path, handler)
}
pub(super) const fn post(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::POST, path, handler)
}
pub(super) const fn put(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::PUT, path, handler)
}
pub(super) const fn remove(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::DELETE, path, handler)
}

const LIST: Rule = Rule::on("list", "servers");
const GET: Rule = Rule::on("get", "servers");
const UPDATE: Rule = Rule::on("update", "servers");
const GET_METADATA: Rule = Rule::sub("get", "servers", "metadata");
const SET_METADATA: Rule = Rule::sub("update", "servers", "metadata");

pub(super) const ROUTES: &[Route] = &[
    // C-01
    Route::root(Compute, "", open!(versions::list)),
    Route::root(Compute, "/openapi.json", open!(crate::openapi::serve)),
    get("", open!(versions::show)),
    // C-03 … C-08
    get("/servers", authorized!(LIST, list::brief)),
    post("/servers", authorized!(Rule::on("create", "servers"), create::create)),
    get("/servers/detail", authorized!(LIST, list::detail)),
    get("/servers/{id}", authorized!(GET, show::show)),
    put("/servers/{id}", authorized!(UPDATE, update::update)),
    remove("/servers/{id}", authorized!(Rule::on("delete", "servers"), delete::delete)),
    // C-09 … C-14, C-37 … C-42
    get("/servers/{id}/metadata", authorized!(GET_METADATA, metadata::list)).iam("ecs:servers:listMetadata"),
    put("/servers/{id}/metadata", authorized!(SET_METADATA, metadata::replace)).iam("ecs:servers:setMetadata"),
    post("/servers/{id}/metadata", authorized!(SET_METADATA, metadata::merge)).iam("ecs:servers:setMetadata"),
    get("/servers/{id}/metadata/{key}", authorized!(GET_METADATA, metadata::show)).iam("ecs:servers:getMetadata"),
    put("/servers/{id}/metadata/{key}", authorized!(SET_METADATA, metadata::set)).iam("ecs:servers:setMetadata"),
    remove("/servers/{id}/metadata/{key}", authorized!(SET_METADATA, metadata::remove))
        .iam("ecs:servers:setMetadata")
        .needs(&[GET]),
    // C-15, C-16
    get("/servers/{id}/ips", authorized!(GET, addresses::list)),
    get("/servers/{id}/ips/{label}", authorized!(GET, addresses::show)),
    // C-17 … C-23
    post("/servers/{id}/action", Handler::Actions(ACTIONS)),
    get("/servers/{id}/os-instance-actions", authorized!(GET, events::list::list)),
    get("/servers/{id}/os-instance-actions/{request}", authorized!(GET, events::show::show)),
    get("/servers/{id}/tags", authorized!(GET, tags::list)).since(26),
    put("/servers/{id}/tags", authorized!(UPDATE, tags::replace)).since(26),
    remove("/servers/{id}/tags", authorized!(UPDATE, tags::clear)).since(26),
    get("/servers/{id}/tags/{tag}", authorized!(GET, tags::show)).since(26),
    put("/servers/{id}/tags/{tag}", authorized!(UPDATE, tags::add)).since(26),
    remove("/servers/{id}/tags/{tag}", authorized!(UPDATE, tags::remove)).since(26),
    get("/servers/{id}/os-security-groups", authorized!(GET, security_groups::of_server)),
];
