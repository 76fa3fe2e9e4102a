//! What tempest expects to find: accounts, two flavors, one network, two images.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kube::{Api, Client, ResourceExt};
use ostler_crds::{Flavor, Host, find_condition};
use ostler_test_harness::{GuestImage, apply::apply_yaml, wait_for};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts;

/// How long a part may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// The network that every project uses.
pub const NETWORK: &str = "lan";

const CATALOG: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: tempest-small}
spec: {vcpus: 1, memoryMiB: 128, diskGiB: 1}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: tempest-larger}
spec: {vcpus: 1, memoryMiB: 192, diskGiB: 2}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Network
metadata: {name: lan}
spec: {default: true, subnets: [{cidr: 10.77.0.0/22}]}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: ProjectQuota
metadata: {name: class.default}
spec: {limits: {instances: 50, cores: 50, memoryMiB: 51200}}
";

/// Ids for tempest.conf.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Furniture {
    /// Ids of two flavors, the larger one last.
    pub flavors: [String; 2],
    /// Ids of two images that boot.
    pub images: [String; 2],
}

/// Brings everything into a cluster whose shim answers at `url`.
///
/// # Errors
/// A part refuses something, or no host is ready in time.
pub async fn furnish(admin: &Client, url: &str, hosts: &[&str]) -> Result<Furniture> {
    apply_yaml(admin, CATALOG, "default").await?;
    accounts::make(admin).await?;
    for host in hosts {
        ready(admin, host).await?;
    }
    let flavors = Api::<Flavor>::all(admin.clone());
    let id = async |name: &str| -> Result<String> { flavors.get(name).await?.uid().context("a Flavor without an id") };
    let flavors = [id("tempest-small").await?, id("tempest-larger").await?];
    let glance = Glance::login(url).await?;
    let file = tokio::fs::read(GuestImage::get()?.path()).await?;
    let images = [glance.image("tempest", file.clone()).await?, glance.image("tempest-alt", file).await?];
    Ok(Furniture { flavors, images })
}

async fn ready(admin: &Client, host: &str) -> Result<()> {
    let hosts: Api<Host> = Api::all(admin.clone());
    wait_for(&format!("host {host} to be ready"), PATIENCE, || async {
        let status = hosts.get_opt(host).await?.and_then(|h| h.status).unwrap_or_default();
        Ok(find_condition(&status.conditions, "Ready").filter(|c| c.status == "True").map(drop))
    })
    .await
}

/// The image service, as the first administrator.
struct Glance {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Glance {
    async fn login(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {
                "user": {"name": accounts::ADMIN, "domain": {"id": "default"}, "password": accounts::PASSWORD},
            }},
            "scope": {"project": {"name": accounts::ADMIN, "domain": {"id": "default"}}},
        }});
        // The shim may see a Secret a moment after it was made.
        let token = wait_for("a token", PATIENCE, || async {
            let answer = http.post(format!("{url}/identity/v3/auth/tokens")).json(&body).send().await?;
            let token = answer.headers().get("x-subject-token").and_then(|t| t.to_str().ok());
            Ok(token.filter(|_| answer.status() == StatusCode::CREATED).map(str::to_owned))
        })
        .await?;
        Ok(Self { http, url: format!("{url}/image/v2/images"), token })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).header("x-auth-token", &self.token)
    }

    /// Makes an image that everybody may use; its id.
    async fn image(&self, name: &str, bytes: Vec<u8>) -> Result<String> {
        let body = json!({"name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": "public"});
        let made: Value = self.request(Method::POST, "").json(&body).send().await?.error_for_status()?.json().await?;
        let id = made["id"].as_str().context("an image without an id")?.to_owned();
        let upload =
            self.request(Method::PUT, &format!("/{id}/file")).header("content-type", "application/octet-stream");
        upload.body(bytes).send().await?.error_for_status()?;
        let shown: Value =
            self.request(Method::GET, &format!("/{id}")).send().await?.error_for_status()?.json().await?;
        ensure!(shown["status"] == "active", "the image is not active: {shown}");
        Ok(id)
    }
}
