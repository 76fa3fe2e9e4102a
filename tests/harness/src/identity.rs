//! The chart's ServiceAccounts as our processes wear them: kubeconfigs and stream tokens.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Node, Pod, ServiceAccount};
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt, config::Kubeconfig};
use ostler_crds::names::STREAM_AUDIENCE;
use serde_json::json;

use crate::chart::{NAMESPACE, RELEASE};
use crate::control_plane::client;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Life of the tokens; tests are shorter.
const TOKEN_SECONDS: i64 = 6 * 3600;

/// A ServiceAccount of the chart, bound to a Pod of a Node where it is the node role's.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Kubeconfig with its token.
    pub kubeconfig: PathBuf,
    /// File with a token for [`STREAM_AUDIENCE`], as the chart projects it.
    pub stream_token: PathBuf,
    /// Its user name, `system:serviceaccount:…`.
    pub user: String,
}

impl Identity {
    /// A client with its permissions.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn client(&self) -> Result<Client> {
        client(&self.kubeconfig).await
    }

    /// Asks for tokens of `part` (`manager`, `node`, `api-shim`) and writes the files into `dir`. With `node`, the
    /// tokens are bound to a Pod there and carry the Node's name, as a kubelet's do.
    ///
    /// # Errors
    /// The API server refuses, or the files cannot be written.
    pub async fn make(admin: &Client, admin_config: &Path, dir: &Path, part: &str, node: Option<&str>) -> Result<Self> {
        let account = format!("{RELEASE}-{part}");
        let pod = match node {
            Some(node) => Some(bound_pod(admin, &account, node).await?),
            None => None,
        };
        // Tests ask at the same time; each gets files of its own.
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let stem = dir.join(node.map_or_else(|| format!("{account}-{n}"), |node| format!("{account}-{node}-{n}")));
        let api_token = token(admin, &account, None, pod.as_ref()).await?;
        let stream_token = token(admin, &account, Some(STREAM_AUDIENCE), pod.as_ref()).await?;
        let identity = Self {
            kubeconfig: PathBuf::from(format!("{}.kubeconfig", stem.display())),
            stream_token: PathBuf::from(format!("{}.token", stem.display())),
            user: format!("system:serviceaccount:{NAMESPACE}:{account}"),
        };
        std::fs::write(&identity.kubeconfig, kubeconfig_with(admin_config, &api_token)?)?;
        std::fs::write(&identity.stream_token, stream_token)?;
        Ok(identity)
    }
}

/// A token of a ServiceAccount, for the API server or for another audience.
///
/// # Errors
/// The API server refuses.
pub async fn token(admin: &Client, account: &str, audience: Option<&str>, pod: Option<&Pod>) -> Result<String> {
    let bound = pod.map(|p| BoundObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: p.metadata.name.clone(),
        uid: p.metadata.uid.clone(),
    });
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            audiences: audience.map(|a| vec![a.to_owned()]),
            bound_object_ref: bound,
            expiration_seconds: Some(TOKEN_SECONDS),
        }),
        ..Default::default()
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), NAMESPACE);
    let answer = accounts.create_token_request(account, &PostParams::default(), &request).await?;
    answer.status.and_then(|s| s.token).context("a TokenRequest without an answer")
}

/// The Node, and a Pod of the ServiceAccount on it. No kubelet runs it; the API server does not mind.
async fn bound_pod(admin: &Client, account: &str, node: &str) -> Result<Pod> {
    let nodes: Api<Node> = Api::all(admin.clone());
    let object =
        serde_json::from_value(json!({"metadata": {"name": node, "labels": {"kubernetes.io/hostname": node}}}))?;
    create_or_get(&nodes, &object).await?;
    let pods: Api<Pod> = Api::namespaced(admin.clone(), NAMESPACE);
    let pod = serde_json::from_value(json!({
        "metadata": {"name": format!("{account}-{node}")},
        "spec": {
            "nodeName": node,
            "serviceAccountName": account,
            "automountServiceAccountToken": false,
            // The Node never reports, and its Pod must stay all the same.
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "none", "image": "none"}],
        },
    }))?;
    create_or_get(&pods, &pod).await
}

async fn create_or_get<K>(api: &Api<K>, object: &K) -> Result<K>
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    match api.create(&PostParams::default(), object).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(api.get(&object.name_any()).await?),
        other => Ok(other?),
    }
}

/// The administrator's kubeconfig with another user's token in place of the administrator's certificate.
fn kubeconfig_with(admin_config: &Path, token: &str) -> Result<String> {
    let mut config = serde_json::to_value(Kubeconfig::read_from(admin_config)?)?;
    for user in config.get_mut("users").and_then(|u| u.as_array_mut()).context("a kubeconfig without users")? {
        user["user"] = json!({"token": token});
    }
    // JSON is YAML.
    Ok(config.to_string())
}
