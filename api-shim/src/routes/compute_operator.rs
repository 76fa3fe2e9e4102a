//! Nova's rows about where servers run, most of them for administrators, and those that stand for other services.

use super::{authorized, compute::get};
use crate::{
    authorize::Rule,
    http::Route,
    nova::{availability_zones, security_groups},
};

const LIST_SERVERS: Rule = Rule::on("list", "servers");
const LIST_HOSTS: Rule = Rule::on("list", "hosts").everywhere();

pub(super) const ROUTES: &[Route] = &[
    get("/os-availability-zone", authorized!(LIST_SERVERS, availability_zones::list)),
    get("/os-availability-zone/detail", authorized!(LIST_HOSTS, availability_zones::detail)),
    get("/os-security-groups", authorized!(LIST_SERVERS, security_groups::list)).until(36),
    get("/os-security-groups/{id}", authorized!(LIST_SERVERS, security_groups::show)).until(36),
];
