//! `api-shim iam ACTION…`: the Role that gives IAM actions.

use std::collections::BTreeMap;
use std::io::Write;

use ostler_crds::GROUP;

use crate::{authorize::Rule, config::IamArgs, routes::iam};

/// Prints the Role as YAML, or all known actions with what they need.
pub fn iam(args: &IamArgs, mut output: impl Write) -> anyhow::Result<()> {
    if args.actions.is_empty() {
        for (action, rules) in iam::actions() {
            let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
            writeln!(output, "{action}: {}", rules.join(", "))?;
        }
        return Ok(());
    }
    output.write_all(role(args, &iam::rules(&args.actions)?).as_bytes())?;
    Ok(())
}

/// One rule a set of verbs, with all resources that are given these.
fn role(args: &IamArgs, rules: &[Rule]) -> String {
    let mut verbs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for rule in rules {
        let resource = match rule.subresource {
            Some(sub) => format!("{}/{sub}", rule.resource),
            None => rule.resource.to_owned(),
        };
        verbs.entry(resource).or_default().push(rule.verb);
    }
    let mut resources: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for (resource, mut verbs) in verbs {
        verbs.sort_unstable();
        resources.entry(verbs).or_default().push(resource);
    }
    let namespace = args.namespace.as_ref().map(|n| format!("  namespace: {n}\n")).unwrap_or_default();
    let mut text = format!(
        "# {}\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {}\n{namespace}rules:\n",
        args.actions.join(" "),
        args.name
    );
    for (verbs, resources) in resources {
        text += &format!(
            "- apiGroups: [{GROUP}]\n  resources: [{}]\n  verbs: [{}]\n",
            resources.join(", "),
            verbs.join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(actions: &[&str]) -> String {
        let actions = actions.iter().map(|a| (*a).to_owned()).collect();
        let mut out = Vec::new();
        iam(&IamArgs { actions, name: "ci".into(), namespace: Some("prod".into()) }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_role_has_the_rules_of_all_actions() {
        let expected = "# ecs:servers:reboot ims:images:upload
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: ci
  namespace: prod
rules:
- apiGroups: [compute.ostler.dev]
  resources: [servers]
  verbs: [get, list]
- apiGroups: [compute.ostler.dev]
  resources: [images]
  verbs: [get, update]
- apiGroups: [compute.ostler.dev]
  resources: [images/bytes, servers/reboot]
  verbs: [update]
";
        assert_eq!(printed(&["ecs:servers:reboot", "ims:images:upload"]), expected);
    }

    #[test]
    fn without_an_action_all_are_listed() {
        assert!(printed(&[]).lines().any(|l| l == "ecs:servers:delete: delete servers"));
    }
}
