//! Nova's rows about where servers run, most of them for administrators, and those that stand for other services.

use super::{
    authorized,
    compute::{get, post, put, remove},
};
use crate::{
    authorize::Rule,
    http::Route,
    nova::{
        availability_zones, networks,
        operator::{audit_log, extensions, hosts, hypervisors, migrations, services, usage},
        security_groups,
    },
};

const LIST_SERVERS: Rule = Rule::on("list", "servers");
const LIST_HOSTS: Rule = Rule::on("list", "hosts").everywhere();
const GET_HOST: Rule = Rule::on("get", "hosts").everywhere();
const UPDATE_HOST: Rule = Rule::on("update", "hosts").everywhere();
const LIST_NETWORKS: Rule = Rule::on("list", "networks");
const LIST_GROUPS: Rule = Rule::on("list", "securitygroups");
const UPDATE_GROUP: Rule = Rule::on("update", "securitygroups");

pub(super) const ROUTES: &[Route] = &[
    get("/os-hypervisors", authorized!(LIST_HOSTS, hypervisors::list)),
    get("/os-hypervisors/detail", authorized!(LIST_HOSTS, hypervisors::detail)),
    get("/os-hypervisors/statistics", authorized!(LIST_HOSTS, hypervisors::statistics)).until(88),
    get("/os-hypervisors/{id}", authorized!(GET_HOST, hypervisors::show)),
    get("/os-hypervisors/{id}/uptime", authorized!(GET_HOST, hypervisors::uptime)).until(88),
    get("/os-hypervisors/{id}/search", authorized!(LIST_HOSTS, hypervisors::search)).until(53),
    get("/os-hypervisors/{id}/servers", authorized!(LIST_HOSTS, hypervisors::servers)).until(53),
    get("/os-migrations", authorized!(LIST_SERVERS.everywhere(), migrations::list)),
    get("/os-services", authorized!(LIST_HOSTS, services::list)),
    put("/os-services/{id}", authorized!(UPDATE_HOST, services::update)),
    remove("/os-services/{id}", authorized!(UPDATE_HOST, services::remove)),
    get("/os-hosts", authorized!(LIST_HOSTS, hosts::list)).until(43),
    get("/os-hosts/{name}", authorized!(GET_HOST, hosts::show)).until(43),
    put("/os-hosts/{name}", authorized!(UPDATE_HOST, hosts::update)).until(43),
    get("/os-hosts/{name}/startup", authorized!(UPDATE_HOST, hosts::power)).until(43),
    get("/os-hosts/{name}/shutdown", authorized!(UPDATE_HOST, hosts::power)).until(43),
    get("/os-hosts/{name}/reboot", authorized!(UPDATE_HOST, hosts::power)).until(43),
    get("/os-simple-tenant-usage", authorized!(LIST_SERVERS.everywhere(), usage::list)),
    get("/os-simple-tenant-usage/{project}", authorized!(LIST_SERVERS, usage::show)),
    get("/os-instance_usage_audit_log", authorized!(LIST_HOSTS, audit_log::list)),
    get("/os-instance_usage_audit_log/{before}", authorized!(LIST_HOSTS, audit_log::show)),
    get("/extensions", authorized!(LIST_SERVERS, extensions::list)),
    get("/extensions/{alias}", authorized!(LIST_SERVERS, extensions::show)),
    get("/os-availability-zone", authorized!(LIST_SERVERS, availability_zones::list)),
    get("/os-availability-zone/detail", authorized!(LIST_HOSTS, availability_zones::detail)),
    get("/os-security-groups", authorized!(LIST_GROUPS, security_groups::list)).until(36),
    get("/os-security-groups/{id}", authorized!(Rule::on("get", "securitygroups"), security_groups::show)).until(36),
    post("/os-security-groups", authorized!(Rule::on("create", "securitygroups"), security_groups::create)).until(36),
    put("/os-security-groups/{id}", authorized!(UPDATE_GROUP, security_groups::update)).until(36),
    remove("/os-security-groups/{id}", authorized!(Rule::on("delete", "securitygroups"), security_groups::delete))
        .until(36),
    post("/os-security-group-rules", authorized!(UPDATE_GROUP, security_groups::create_rule)).until(36),
    remove("/os-security-group-rules/{id}", authorized!(UPDATE_GROUP, security_groups::delete_rule)).until(36),
    get("/os-networks", authorized!(LIST_NETWORKS, networks::list)).until(36),
    get("/os-networks/{id}", authorized!(LIST_NETWORKS, networks::show)).until(36),
    post("/os-networks", authorized!(LIST_NETWORKS, networks::refuse)).until(36),
    remove("/os-networks/{id}", authorized!(LIST_NETWORKS, networks::refuse)).until(36),
    get("/os-tenant-networks", authorized!(LIST_NETWORKS, networks::list_brief)).until(36),
    get("/os-tenant-networks/{id}", authorized!(LIST_NETWORKS, networks::show_brief)).until(36),
    get("/os-floating-ips", authorized!(LIST_NETWORKS, networks::floating_ips)).until(36),
    post("/os-floating-ips", authorized!(LIST_NETWORKS, networks::no_floating_ip)).until(36),
    get("/os-floating-ips/{id}", authorized!(LIST_NETWORKS, networks::floating_ip)).until(36),
    remove("/os-floating-ips/{id}", authorized!(LIST_NETWORKS, networks::floating_ip)).until(36),
    get("/os-floating-ip-pools", authorized!(LIST_NETWORKS, networks::floating_ip_pools)).until(36),
];
