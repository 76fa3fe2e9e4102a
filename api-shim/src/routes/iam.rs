//! IAM actions (spec/iam-actions) as permissions of Kubernetes. Rows of the table of operations carry those of the seeds; the
//! others, under which the clouds of the seeds run Nova's own rows, stand here.

use std::collections::BTreeMap;

use super::all;
use crate::{authorize::Rule, http::Handler};

const GET_SERVER: Rule = Rule::on("get", "servers");
const LIST_SERVERS: Rule = Rule::on("list", "servers");
const UPDATE_SERVER: Rule = Rule::on("update", "servers");
const GET_FLAVOR: Rule = Rule::on("get", "flavors");
const GET_KEY_PAIR: Rule = Rule::on("get", "keypairs");
const GET_IMAGE: Rule = Rule::on("get", "images");
const LIST_IMAGES: Rule = Rule::on("list", "images");
const UPDATE_IMAGE: Rule = Rule::on("update", "images");

const fn action(subresource: &'static str) -> Rule {
    Rule::sub("update", "servers", subresource)
}

/// Actions beside the seeds' own, with what they depend on as far as it exists here: no volumes, no security groups.
const NATIVE: &[(&str, &[Rule])] = &[
    ("ecs:servers:list", &[LIST_SERVERS, GET_SERVER, GET_KEY_PAIR]),
    ("ecs:servers:get", &[GET_SERVER, GET_KEY_PAIR]),
    ("ecs:servers:create", &[Rule::on("create", "servers"), GET_SERVER, GET_FLAVOR]),
    ("ecs:servers:update", &[UPDATE_SERVER, GET_SERVER]),
    ("ecs:servers:delete", &[Rule::on("delete", "servers")]),
    ("ecs:servers:reboot", &[action("reboot"), LIST_SERVERS, GET_SERVER]),
    ("ecs:servers:rebuild", &[action("rebuild"), LIST_SERVERS, UPDATE_SERVER, GET_IMAGE, LIST_IMAGES, UPDATE_IMAGE]),
    ("ecs:servers:resize", &[action("resize"), LIST_SERVERS, GET_SERVER, GET_FLAVOR, GET_IMAGE]),
    (
        "ecs:servers:createImage",
        &[
            action("createimage"),
            LIST_SERVERS,
            Rule::on("create", "images"),
            GET_IMAGE,
            LIST_IMAGES,
            UPDATE_IMAGE,
            Rule::on("delete", "images"),
        ],
    ),
    ("ecs:flavors:get", &[GET_FLAVOR, Rule::on("list", "flavors")]),
];

/// Every action that is known, with the permissions that it stands for and depends on.
pub fn actions() -> BTreeMap<&'static str, Vec<Rule>> {
    let mut known: BTreeMap<&'static str, Vec<Rule>> = BTreeMap::new();
    for route in all() {
        if let (Some(action), Handler::Authorized(rule, _)) = (route.iam, &route.handler) {
            let rules = known.entry(action).or_default();
            rules.push(*rule);
            rules.extend(route.needs);
        }
    }
    for (action, rules) in NATIVE {
        known.entry(action).or_default().extend(*rules);
    }
    for rules in known.values_mut() {
        let mut seen = std::collections::HashSet::new();
        rules.retain(|r| seen.insert(*r));
    }
    known
}

/// What cannot be made a Role.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No action has this name, or fits this pattern.
    #[error("no action is called {name:?}; known are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names, with commas between.
        known: String,
    },
}

/// The permissions of some actions; `*` in a name stands for any part of it.
pub fn rules(names: &[String]) -> Result<Vec<Rule>, Error> {
    let known = actions();
    let mut found = Vec::new();
    for name in names {
        let mut fits = known.iter().filter(|(action, _)| is_like(name, action)).peekable();
        if fits.peek().is_none() {
            let known = known.keys().copied().collect::<Vec<_>>().join(", ");
            return Err(Error::Unknown { name: name.clone(), known });
        }
        for rule in fits.flat_map(|(_, rules)| rules) {
            if !found.contains(rule) {
                found.push(*rule);
            }
        }
    }
    Ok(found)
}

/// Whether an action fits a pattern, part by part.
fn is_like(pattern: &str, action: &str) -> bool {
    let (pattern, action): (Vec<&str>, Vec<&str>) = (pattern.split(':').collect(), action.split(':').collect());
    pattern.len() == action.len() && pattern.iter().zip(action).all(|(p, a)| *p == "*" || *p == a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(names: &[&str]) -> Result<Vec<String>, Error> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        Ok(rules(&names)?.iter().map(ToString::to_string).collect())
    }

    /// P-03 and P-12.
    #[test]
    fn what_an_action_depends_on_is_given_with_it() {
        assert_eq!(asked(&["ecs:servers:setMetadata"]).unwrap(), ["update servers/metadata", "get servers"]);
        assert_eq!(asked(&["ims:images:upload"]).unwrap(), ["update images/bytes", "get images", "update images"]);
    }

    #[test]
    fn a_star_stands_for_any_part_and_an_unknown_action_is_told() {
        let all = asked(&["ims:*:*"]).unwrap();
        assert!(all.contains(&"delete images".to_owned()) && !all.iter().any(|r| r.ends_with("keypairs")), "{all:?}");
        let Err(Error::Unknown { name, known }) = asked(&["ims:images:get", "evs:volumes:get"]) else { panic!() };
        assert!(name == "evs:volumes:get" && known.contains("ims:images:get"));
    }

    /// A rule of an action that no row serves would be a permission for nothing.
    #[test]
    fn every_rule_is_one_that_some_operation_asks_for() {
        let served: Vec<String> = super::super::permissions::operations().into_iter().flat_map(|o| o.needs).collect();
        for (action, rules) in actions() {
            for rule in rules {
                assert!(served.contains(&rule.to_string()), "{action}: {rule}");
            }
        }
    }
}
