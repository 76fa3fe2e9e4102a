//! Nova's rows about what servers are made of: flavors, key pairs, limits.

use super::{
    action, authorized,
    compute::{get, post, put, remove},
};
use crate::{
    authorize::Rule,
    http::{Action, Handler, Route},
    nova::{
        flavors::{self, access, extra_specs},
        key_pairs, limits,
        quotas::{classes, sets},
    },
};

const LIST_FLAVORS: Rule = Rule::on("list", "flavors");
const GET_FLAVOR: Rule = Rule::on("get", "flavors");
const GET_QUOTA: Rule = Rule::on("get", "projectquotas");
const UPDATE_QUOTA: Rule = Rule::on("update", "projectquotas").everywhere();
const UPDATE_FLAVOR: Rule = Rule::on("update", "flavors").everywhere();

const FLAVOR_ACTIONS: &[Action] = &[
    action!("addTenantAccess", UPDATE_FLAVOR, access::add),
    action!("removeTenantAccess", UPDATE_FLAVOR, access::remove),
];

pub(super) const ROUTES: &[Route] = &[
    // C-02
    get("/limits", authorized!(Rule::on("list", "servers"), limits::show)),
    get("/os-quota-sets/{id}", authorized!(GET_QUOTA, sets::show)),
    get("/os-quota-sets/{id}/defaults", authorized!(GET_QUOTA, sets::defaults)),
    get("/os-quota-sets/{id}/detail", authorized!(GET_QUOTA, sets::detail)),
    put("/os-quota-sets/{id}", authorized!(UPDATE_QUOTA, sets::update)),
    remove("/os-quota-sets/{id}", authorized!(Rule::on("delete", "projectquotas").everywhere(), sets::delete)),
    get("/os-quota-class-sets/{id}", authorized!(GET_QUOTA.everywhere(), classes::show)),
    put("/os-quota-class-sets/{id}", authorized!(UPDATE_QUOTA, classes::update)),
    // C-24 … C-26
    get("/flavors", authorized!(LIST_FLAVORS, flavors::brief)),
    get("/flavors/detail", authorized!(LIST_FLAVORS, flavors::detail)),
    get("/flavors/{id}", authorized!(GET_FLAVOR, flavors::show)),
    post("/flavors", authorized!(Rule::on("create", "flavors").everywhere(), flavors::create)),
    put("/flavors/{id}", authorized!(UPDATE_FLAVOR, flavors::update)).since(55),
    remove("/flavors/{id}", authorized!(Rule::on("delete", "flavors").everywhere(), flavors::delete)),
    get("/flavors/{id}/os-extra_specs", authorized!(GET_FLAVOR, extra_specs::list)),
    post("/flavors/{id}/os-extra_specs", authorized!(UPDATE_FLAVOR, extra_specs::create)),
    get("/flavors/{id}/os-extra_specs/{key}", authorized!(GET_FLAVOR, extra_specs::show)),
    put("/flavors/{id}/os-extra_specs/{key}", authorized!(UPDATE_FLAVOR, extra_specs::update)),
    remove("/flavors/{id}/os-extra_specs/{key}", authorized!(UPDATE_FLAVOR, extra_specs::remove)),
    get("/flavors/{id}/os-flavor-access", authorized!(UPDATE_FLAVOR, access::list)),
    post("/flavors/{id}/action", Handler::Actions(FLAVOR_ACTIONS)),
    // C-44 … C-47
    get("/os-keypairs", authorized!(Rule::on("list", "keypairs"), key_pairs::list)).iam("ecs:serverKeypairs:list"),
    post("/os-keypairs", authorized!(Rule::on("create", "keypairs"), key_pairs::create))
        .iam("ecs:serverKeypairs:create"),
    get("/os-keypairs/{name}", authorized!(Rule::on("get", "keypairs"), key_pairs::show)).iam("ecs:serverKeypairs:get"),
    remove("/os-keypairs/{name}", authorized!(Rule::on("delete", "keypairs"), key_pairs::delete))
        .iam("ecs:serverKeypairs:delete"),
];
