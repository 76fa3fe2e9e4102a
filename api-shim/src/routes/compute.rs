//! Nova's rows.

use axum::routing::MethodFilter as Method;

use super::{authorized, compute_actions::ACTIONS, open};
use crate::{
    authorize::Rule,
    http::{Handler, Route, Service::Compute},
    nova::{
        availability_zones, flavors, key_pairs, limits, security_groups,
        servers::{addresses, create, delete, list, metadata, show, tags, update},
        versions,
    },
};

const fn get(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::GET, path, handler)
}
const fn post(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::POST, path, handler)
}
const fn put(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::PUT, path, handler)
}
const fn remove(path: &'static str, handler: Handler) -> Route {
    Route::new(Compute, Method::DELETE, path, handler)
}

const LIST: Rule = Rule::on("list", "servers");
const GET: Rule = Rule::on("get", "servers");
const GET_METADATA: Rule = Rule::sub("get", "servers", "metadata");
const SET_METADATA: Rule = Rule::sub("update", "servers", "metadata");
const LIST_FLAVORS: Rule = Rule::on("list", "flavors");
const GET_FLAVOR: Rule = Rule::on("get", "flavors");

pub(super) const ROUTES: &[Route] = &[
    // C-01
    Route::root(Compute, "", open!(versions::list)),
    get("", open!(versions::show)),
    // C-02
    get("/limits", authorized!(LIST, limits::show)),
    // C-03 … C-08
    get("/servers", authorized!(LIST, list::brief)),
    post("/servers", authorized!(Rule::on("create", "servers"), create::create)),
    get("/servers/detail", authorized!(LIST, list::detail)),
    get("/servers/{id}", authorized!(GET, show::show)),
    put("/servers/{id}", authorized!(Rule::on("update", "servers"), update::update)),
    remove("/servers/{id}", authorized!(Rule::on("delete", "servers"), delete::delete)),
    // C-09 … C-14, C-37 … C-42
    get("/servers/{id}/metadata", authorized!(GET_METADATA, metadata::list)).iam("ecs:servers:listMetadata"),
    put("/servers/{id}/metadata", authorized!(SET_METADATA, metadata::replace)).iam("ecs:servers:setMetadata"),
    post("/servers/{id}/metadata", authorized!(SET_METADATA, metadata::merge)).iam("ecs:servers:setMetadata"),
    get("/servers/{id}/metadata/{key}", authorized!(GET_METADATA, metadata::show)).iam("ecs:servers:getMetadata"),
    put("/servers/{id}/metadata/{key}", authorized!(SET_METADATA, metadata::set)).iam("ecs:servers:setMetadata"),
    remove("/servers/{id}/metadata/{key}", authorized!(SET_METADATA, metadata::remove)).iam("ecs:servers:setMetadata"),
    // C-15, C-16
    get("/servers/{id}/ips", authorized!(GET, addresses::list)),
    get("/servers/{id}/ips/{label}", authorized!(GET, addresses::show)),
    // C-17 … C-23
    post("/servers/{id}/action", Handler::Actions(ACTIONS)),
    get("/servers/{id}/tags", authorized!(GET, tags::list)).since(26),
    get("/servers/{id}/os-security-groups", authorized!(GET, security_groups::of_server)),
    // C-24 … C-26
    get("/flavors", authorized!(LIST_FLAVORS, flavors::brief)),
    get("/flavors/detail", authorized!(LIST_FLAVORS, flavors::detail)),
    get("/flavors/{id}", authorized!(GET_FLAVOR, flavors::show)),
    post("/flavors", authorized!(LIST_FLAVORS, flavors::refuse)),
    put("/flavors/{id}", authorized!(LIST_FLAVORS, flavors::refuse)),
    remove("/flavors/{id}", authorized!(LIST_FLAVORS, flavors::refuse)),
    get("/flavors/{id}/os-extra_specs", authorized!(GET_FLAVOR, flavors::extra_specs)),
    get("/flavors/{id}/os-extra_specs/{key}", authorized!(GET_FLAVOR, flavors::extra_spec)),
    // C-44 … C-47
    get("/os-keypairs", authorized!(Rule::on("list", "keypairs"), key_pairs::list)).iam("ecs:serverKeypairs:list"),
    post("/os-keypairs", authorized!(Rule::on("create", "keypairs"), key_pairs::create))
        .iam("ecs:serverKeypairs:create"),
    get("/os-keypairs/{name}", authorized!(Rule::on("get", "keypairs"), key_pairs::show)).iam("ecs:serverKeypairs:get"),
    remove("/os-keypairs/{name}", authorized!(Rule::on("delete", "keypairs"), key_pairs::delete))
        .iam("ecs:serverKeypairs:delete"),
    get("/os-availability-zone", authorized!(LIST, availability_zones::list)),
    get(
        "/os-availability-zone/detail",
        authorized!(Rule::on("list", "hosts").everywhere(), availability_zones::detail),
    ),
    get("/os-security-groups", authorized!(LIST, security_groups::list)).until(36),
    get("/os-security-groups/{id}", authorized!(LIST, security_groups::show)).until(36),
];
