//! The OpenAPI documents that are served, and what Schemathesis makes of them: requests with bodies, queries and headers that
//! fit and that do not. None may end in a 5xx but the 501 of what is not served.
//!
//! `OSTLER_EXAMPLES=200 cargo test --workspace --test clients openapi` asks more of each operation.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use ostler_test_harness::{
    Cluster,
    apply::apply_yaml,
    paths::repository,
    script::output,
    wait_for,
    workload::{self, Shim},
};
use ostler_tests_clients::{Http, PATIENCE, users};
use tokio::task::block_in_place;

/// A shim of its own: what is made here is in nobody's way.
struct Front {
    shim: Shim,
    cluster: Cluster,
    project: String,
}

impl Front {
    async fn new() -> Result<Self> {
        let cluster = Cluster::start(&[]).await?;
        let (project, rival) = (cluster.project().await?, cluster.project().await?);
        let shim = workload::shim(&cluster, "shim", &[]).await?;
        users::make(&project, &rival, &cluster.admin().await?).await?;
        Ok(Self { shim, cluster, project })
    }

    async fn token(&self, user: &str) -> Result<String> {
        wait_for("a token", PATIENCE, || async {
            Ok(Http::login(&self.shim.url, user, &users::password(user), &self.project).await.ok())
        })
        .await
        .map(|http| http.token().to_owned())
    }

    /// Runs Schemathesis over a document; `more` are its arguments. Its report if it found something.
    fn explore(&self, config: &Path, document: &str, token: &str, more: &[&str]) -> Result<()> {
        let requirements = repository().join("tests/clients/openapi-requirements.txt");
        let venv = output(Command::new(repository().join("tests/clients/venv.sh")).arg(requirements))?;
        let examples = std::env::var("OSTLER_EXAMPLES").unwrap_or_else(|_| "4".to_owned());
        let out = Command::new(format!("{venv}/bin/schemathesis"))
            .current_dir(self.cluster.scratch())
            .env("PYTHONPATH", repository().join("tests/clients"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
            .args(["--no-color", "--config-file"])
            .arg(config)
            .args(["run", &format!("{}{document}", self.shim.url), "--checks", "not_a_server_error"])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples, "--seed", "1"])
            .args(["--no-shrink", "--continue-on-failure", "--warnings", "off", "--workers", "1"])
            .args(["--suppress-health-check", "all", "--request-timeout", "30"])
            .arg("--header")
            .arg(format!("X-Auth-Token: {token}"))
            .args(more)
            .output()
            .context("schemathesis")?;
        let said = String::from_utf8_lossy(&out.stdout);
        ensure!(out.status.success(), "{document} ({}):\n{said}{}", out.status, String::from_utf8_lossy(&out.stderr));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_that_the_openapi_documents_allow_or_forbid_ends_in_a_server_error() -> Result<()> {
    let front = Front::new().await?;
    // A Server that never finds its flavor, for what only objects that exist come to.
    let server = "{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: s}, spec: {flavor: none, image: none}}";
    let made = apply_yaml(&front.cluster.admin().await?, server, &front.project).await?;
    let id = made.first().and_then(|s| s.metadata.uid.clone()).context("no uid")?;
    let (member, administrator) = (front.token("ada").await?, front.token("pat").await?);
    let config = repository().join("tests/clients/schemathesis.toml");
    let known = front.cluster.scratch().join("known.toml");
    let parameters = format!(
        "\n[[operations]]\ninclude-path-regex = '/servers/\\{{id\\}}'\nparameters = {{ \"path.id\" = \"{id}\" }}\n"
    );
    std::fs::write(&known, std::fs::read_to_string(&config)? + &parameters)?;
    block_in_place(|| {
        for service in ["identity", "compute", "image", "network"] {
            front.explore(&config, &format!("/{service}/openapi.json"), &administrator, &[])?;
        }
        let servers = ["--include-path-regex", r"/servers/\{id\}", "--exclude-method", "DELETE"];
        front.explore(&known, "/compute/openapi.json", &member, &servers)
    })?;
    let answer = Http::login(&front.shim.url, "ada", &users::password("ada"), &front.project).await?;
    ensure!(answer.get("/compute/v2.1/servers/detail").await?.0 == 200, "it answers no more");
    Ok(())
}
