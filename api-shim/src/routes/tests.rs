//! Checks of the table itself.

use std::collections::HashSet;

use super::all;
use crate::http::{Handler, Service};

#[test]
fn no_two_rows_claim_the_same_method_and_path() {
    let mut seen = HashSet::new();
    for route in all() {
        for path in route.paths() {
            assert!(
                seen.insert((format!("{:?}", route.method), path.clone())),
                "{:?} {path} is there twice",
                route.method
            );
        }
    }
}

#[test]
fn every_operation_on_objects_needs_a_permission() {
    for route in all().filter(|r| r.service != Service::Identity) {
        if matches!(route.handler, Handler::Open(_) | Handler::Authenticated(_)) {
            let harmless = [
                "",
                "/openapi.json",
                "/versions",
                "/schemas/image",
                "/schemas/images",
                "/schemas/{name}",
                "/schemas/{group}/{name}",
            ];
            let harmless = harmless.contains(&route.path) || route.path.starts_with("/extensions");
            assert!(harmless, "{:?} {} is open to everybody with a token", route.method, route.path);
        }
    }
}

/// spec/iam-actions.md: C-37 … C-47.
#[test]
fn rows_of_the_seeds_carry_their_iam_action() {
    let actions: HashSet<&str> = all().filter_map(|r| r.iam).collect();
    for action in [
        "ecs:servers:listMetadata",
        "ecs:servers:getMetadata",
        "ecs:servers:setMetadata",
        "ecs:serverKeypairs:create",
        "ecs:serverKeypairs:get",
        "ecs:serverKeypairs:list",
        "ecs:serverKeypairs:delete",
        "ims:images:list",
        "ims:images:get",
        "ims:images:update",
        "ims:images:create",
        "ims:images:delete",
        "ims:images:upload",
    ] {
        assert!(actions.contains(action), "{action} is missing");
    }
}
