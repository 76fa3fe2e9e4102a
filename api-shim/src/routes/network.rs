//! Neutron's rows: the read side, networks for administrators, and security groups. Every other write is refused with a clear 501.

use axum::routing::MethodFilter as Method;

use super::{authorized, open};
use crate::{
    authorize::Rule,
    http::{Handler, Route, Service::Network},
    neutron::{
        change, empty, extensions, networks, ports, quotas, refuse,
        security_groups::{group, rule},
        subnets, versions,
    },
};

const fn get(path: &'static str, handler: Handler) -> Route {
    Route::new(Network, Method::GET, path, handler)
}
const fn write(method: Method, path: &'static str, handler: Handler) -> Route {
    Route::new(Network, method, path, handler)
}
/// A write that is refused.
const fn refused(method: Method, path: &'static str) -> Route {
    Route::new(Network, method, path, authorized!(LIST, refuse::refuse))
}

const LIST: Rule = Rule::on("list", "networks");
const GET: Rule = Rule::on("get", "networks");
const UPDATE: Rule = Rule::on("update", "networks").everywhere();
const PORTS: Rule = Rule::on("list", "servers");
const LIST_GROUPS: Rule = Rule::on("list", "securitygroups");
const GET_GROUP: Rule = Rule::on("get", "securitygroups");
const UPDATE_GROUP: Rule = Rule::on("update", "securitygroups");

pub(super) const ROUTES: &[Route] = &[
    Route::root(Network, "", open!(versions::list)),
    Route::root(Network, "/openapi.json", open!(crate::openapi::serve)),
    get("", open!(versions::show)),
    get("/extensions", authorized!(LIST, extensions::list)),
    get("/extensions/{alias}", authorized!(LIST, extensions::show)),
    get("/networks", authorized!(LIST, networks::list)),
    get("/networks/{id}", authorized!(GET, networks::show)),
    get("/subnets", authorized!(LIST, subnets::list)),
    get("/subnets/{id}", authorized!(GET, subnets::show)),
    get("/ports", authorized!(PORTS, ports::list)),
    get("/ports/{id}", authorized!(PORTS, ports::show)),
    get("/security-groups", authorized!(LIST_GROUPS, group::list)),
    get("/security-groups/{id}", authorized!(GET_GROUP, group::show)),
    get("/security-group-rules", authorized!(LIST_GROUPS, rule::list)),
    get("/security-group-rules/{id}", authorized!(GET_GROUP, rule::show)),
    get("/floatingips", authorized!(LIST, empty::floating_ips)),
    get("/routers", authorized!(LIST, empty::routers)),
    get("/subnetpools", authorized!(LIST, empty::subnet_pools)),
    get("/address-scopes", authorized!(LIST, empty::address_scopes)),
    get("/agents", authorized!(LIST, empty::agents)),
    get("/quotas/{id}", authorized!(LIST, quotas::show)),
    write(Method::POST, "/networks", authorized!(Rule::on("create", "networks").everywhere(), change::create_network)),
    write(Method::PUT, "/networks/{id}", authorized!(UPDATE, change::update_network)),
    write(
        Method::DELETE,
        "/networks/{id}",
        authorized!(Rule::on("delete", "networks").everywhere(), change::delete_network),
    ),
    write(Method::POST, "/subnets", authorized!(UPDATE, change::create_subnet)),
    write(Method::DELETE, "/subnets/{id}", authorized!(UPDATE, change::delete_subnet)),
    refused(Method::PUT, "/subnets/{id}"),
    refused(Method::POST, "/ports"),
    refused(Method::PUT, "/ports/{id}"),
    refused(Method::DELETE, "/ports/{id}"),
    write(Method::POST, "/security-groups", authorized!(Rule::on("create", "securitygroups"), group::create)),
    write(Method::PUT, "/security-groups/{id}", authorized!(UPDATE_GROUP, group::update)),
    write(Method::DELETE, "/security-groups/{id}", authorized!(Rule::on("delete", "securitygroups"), group::delete)),
    write(Method::POST, "/security-group-rules", authorized!(UPDATE_GROUP, rule::create)),
    write(Method::DELETE, "/security-group-rules/{id}", authorized!(UPDATE_GROUP, rule::delete)),
    refused(Method::POST, "/floatingips"),
    refused(Method::POST, "/routers"),
];
