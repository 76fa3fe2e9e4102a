//! Users of the Keystone front as the chart makes them: a Secret each, and RoleBindings to Kubernetes' own ClusterRoles.
//!
//! | user | may |
//! |---|---|
//! | ada | edit in the project |
//! | vic | view in the project |
//! | eve | edit in the rival project |
//! | pat | everything, as platform administrator |
//! | kim | edit in the project, until the test of passwords changes the password |
//! | ned | list Servers in the project, and see, reboot and delete the one that is called `neds` |

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use kube::Client;
use ostler_crds::names::USER_LABEL;
use ostler_test_harness::{
    apply::apply_yaml,
    chart::{NAMESPACE, RELEASE},
    paths::binary,
};

/// A Role that names an object.
const NAMED: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: ned}
rules:
- {apiGroups: [compute.ostler.dev], resources: [servers], verbs: [list]}
- {apiGroups: [compute.ostler.dev], resources: [servers], resourceNames: [neds], verbs: [get, delete]}
- {apiGroups: [compute.ostler.dev], resources: [servers/reboot], resourceNames: [neds], verbs: [update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ned}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ned}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ned}]
";

/// The password of a user.
pub fn password(user: &str) -> String {
    format!("{user}'s pass wörd")
}

/// Makes all users.
///
/// # Errors
/// The API server refuses something.
pub async fn make(project: &str, rival: &str, admin: &Client) -> Result<()> {
    for user in ["ada", "vic", "eve", "pat", "kim", "ned"] {
        let hash = hash(&password(user))?;
        apply_yaml(admin, &secret(user, &hash), NAMESPACE).await?;
    }
    for (user, role, project) in
        [("ada", "edit", project), ("vic", "view", project), ("kim", "edit", project), ("eve", "edit", rival)]
    {
        apply_yaml(admin, &binding("RoleBinding", user, role), project).await?;
    }
    apply_yaml(admin, NAMED, project).await?;
    let everything = binding("ClusterRoleBinding", "pat", &format!("{RELEASE}-platform-admin"));
    apply_yaml(admin, &everything, NAMESPACE).await?;
    Ok(())
}

/// Makes a user of another cluster who has a ClusterRole everywhere; again for one more.
///
/// # Errors
/// The API server refuses something.
pub async fn make_one(admin: &Client, user: &str, role: &str) -> Result<()> {
    let hash = hash(&password(user))?;
    apply_yaml(admin, &secret(user, &hash), NAMESPACE).await?;
    let binding = binding("ClusterRoleBinding", user, role);
    let own_name = binding.replacen(&format!("{{name: {user}}}"), &format!("{{name: {user}-{role}}}"), 1);
    apply_yaml(admin, &own_name, NAMESPACE).await?;
    Ok(())
}

fn secret(user: &str, hash: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: user-{user}, labels: {{{USER_LABEL}: 'true'}}}}, \
         stringData: {{name: {user}, password-hash: '{hash}'}}}}"
    )
}

fn binding(kind: &str, user: &str, role: &str) -> String {
    format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, metadata: {{name: {user}}}, \
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
