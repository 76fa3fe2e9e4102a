//! tempest's accounts: projects, users with roles in them, and the file that tells tempest of them.
//!
//! | user | project | may |
//! |---|---|---|
//! | tempest-N-member, tempest-N-manager | tempest-N | edit |
//! | tempest-N-reader | tempest-N | view |
//! | tempest-adm-N | tempest-adm-N | everything, as platform administrator, and the administration of projects, users and roles |
//! | tempest-adm-N beyond those | tempest-adm-N | the same; tempest has a token for the system of them |
//!
//! Members may also make networks, which is an administrator's right where nobody says otherwise.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use kube::Client;
use ostler_crds::names::{PROJECT_LABEL, USER_LABEL};
use ostler_test_harness::{
    apply::apply_yaml,
    chart::{NAMESPACE, RELEASE, make_namespace},
    paths::binary,
};

/// Password of all accounts. They end with the stack.
pub const PASSWORD: &str = "tempest's pass wörd";
/// The first administrator, and its project.
pub const ADMIN: &str = "tempest-adm-1";

/// Projects of members. A class takes one, or two with an alternative account.
const PROJECTS: u32 = 10;
/// Projects of administrators.
const ADMINS: u32 = 4;
/// Administrators that tempest knows as readers of the system, where it asks for such; one for each worker.
const SYSTEM_READERS: u32 = 2;

/// Roles, tempest's name and the ClusterRole; all accounts of one role come before those of the next, because an
/// "alternative" account is the first free one that is no administrator, and it must be of another project.
const ROLES: [(&str, &str); 3] = [("member", "edit"), ("reader", "view"), ("manager", "edit")];

/// A ClusterRole of ours: making networks.
const NETWORKS: &str = "tempest-networks";
const NETWORKS_RULES: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: tempest-networks}
rules:
- {apiGroups: [compute.ostler.dev], resources: [networks], verbs: [create, update, patch, delete]}
";

/// Makes all of them.
///
/// # Errors
/// The API server refuses something.
pub async fn make(admin: &Client) -> Result<()> {
    let hash = hash(PASSWORD)?;
    apply_yaml(admin, NETWORKS_RULES, NAMESPACE).await?;
    for n in 1..=PROJECTS {
        let project = format!("tempest-{n}");
        make_namespace(admin, &project, &[(PROJECT_LABEL, "true")]).await?;
        for (role, cluster_role) in ROLES {
            let user = format!("{project}-{role}");
            apply_yaml(admin, &secret(&user, &hash), NAMESPACE).await?;
            apply_yaml(admin, &binding("RoleBinding", &user, cluster_role), &project).await?;
            if role == "member" {
                apply_yaml(admin, &binding("ClusterRoleBinding", &user, NETWORKS), NAMESPACE).await?;
            }
        }
    }
    for n in 1..=ADMINS + SYSTEM_READERS {
        let user = format!("tempest-adm-{n}");
        make_namespace(admin, &user, &[(PROJECT_LABEL, "true")]).await?;
        apply_yaml(admin, &secret(&user, &hash), NAMESPACE).await?;
        for part in ["platform-admin", "identity-admin"] {
            let role = format!("{RELEASE}-{part}");
            apply_yaml(admin, &named_binding("ClusterRoleBinding", &format!("{user}-{part}"), &user, &role), NAMESPACE)
                .await?;
        }
    }
    Ok(())
}

/// tempest's accounts.yaml; `network` is the network that each project uses.
pub fn file(network: &str) -> String {
    let mut text = String::new();
    for (role, _) in ROLES {
        for n in 1..=PROJECTS {
            account(&mut text, &format!("tempest-{n}-{role}"), &format!("tempest-{n}"), role, network);
        }
    }
    for n in 1..=ADMINS {
        let name = format!("tempest-adm-{n}");
        account(&mut text, &name, &name, "admin", network);
    }
    for n in ADMINS + 1..=ADMINS + SYSTEM_READERS {
        let _ = write!(
            text,
            "- username: tempest-adm-{n}\n  password: \"{PASSWORD}\"\n  user_domain_name: Default\n  system: all\n  roles: [reader]\n"
        );
    }
    text
}

fn account(text: &mut String, user: &str, project: &str, role: &str, network: &str) {
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "- username: {user}\n  project_name: {project}\n  password: \"{PASSWORD}\"\n  user_domain_name: Default\n  \
         project_domain_name: Default\n  roles: [{role}]\n  resources: {{network: {network}}}\n"
    );
}

fn secret(user: &str, hash: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: user-{user}, labels: {{{USER_LABEL}: 'true'}}}}, \
         stringData: {{name: {user}, password-hash: '{hash}'}}}}"
    )
}

fn binding(kind: &str, user: &str, role: &str) -> String {
    named_binding(kind, user, user, role)
}

fn named_binding(kind: &str, name: &str, user: &str, role: &str) -> String {
    format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, metadata: {{name: {name}}}, \
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}, \
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]}}"
    )
}

/// What `api-shim hash-password` makes of a password.
fn hash(password: &str) -> Result<String> {
    let mut child = Command::new(binary("api-shim")?)
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("api-shim")?;
    child.stdin.take().context("stdin")?.write_all(password.as_bytes())?;
    let out = child.wait_with_output()?;
    ensure!(out.status.success(), "hash-password failed ({})", out.status);
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_one_role_stand_together_and_administrators_last() {
        let text = file("lan");
        let projects = text.split("- username: ").filter(|account| account.contains("project_name: "));
        let roles: Vec<&str> = projects.flat_map(str::lines).filter_map(|l| l.trim().strip_prefix("roles: ")).collect();
        let mut order = roles.clone();
        order.dedup();
        assert_eq!(order, ["[member]", "[reader]", "[manager]", "[admin]"]);
        assert_eq!(roles.len() as u32, 3 * PROJECTS + ADMINS);
    }
}
