//! Console logs, fetched from the node role that runs the guest. Only the certificate in its Host's status is accepted.

use std::{path::PathBuf, time::Duration};

use ostler_crds::{Host, Server};
use reqwest::{Certificate, StatusCode};

use crate::fault::Fault;

/// How long a node role may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest log that is passed on, in bytes.
const LONGEST: usize = 1 << 20;

/// Asks node roles.
pub struct NodeStreams {
    token_file: PathBuf,
}

impl NodeStreams {
    /// Shows the token in `token_file`, read afresh for each request because it is rotated.
    pub fn new(token_file: PathBuf) -> Self {
        Self { token_file }
    }

    /// The last `lines` lines of the guest's serial console; all that is kept without a number.
    pub async fn console(&self, server: &Server, host: &Host, lines: Option<u32>) -> Result<String, Fault> {
        let away = || Fault::unavailable("The host of the server cannot be reached; try again.");
        let endpoint = host.status.as_ref().and_then(|s| s.endpoint.as_ref()).ok_or_else(away)?;
        let uid = server.metadata.uid.as_deref().unwrap_or_default();
        let query = lines.map(|n| format!("?lines={n}")).unwrap_or_default();
        let url = format!("{}/v1/servers/{uid}/console{query}", endpoint.url.trim_end_matches('/'));
        let token = tokio::fs::read_to_string(&self.token_file).await;
        let token = token.map_err(|e| Fault::internal("read the ServiceAccount token", &e))?;
        let cert = Certificate::from_pem(endpoint.ca_bundle.as_bytes())
            .map_err(|e| Fault::internal("host certificate", &e))?;
        let client = reqwest::Client::builder()
            .tls_certs_only([cert])
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|e| Fault::internal("build client", &e))?;
        let sent = client.get(url).bearer_auth(token.trim()).send().await;
        let answer = sent.map_err(|error| {
            let error = crate::observe::clean(&error.without_url().to_string());
            tracing::warn!(host = host.metadata.name.as_deref(), %error, "cannot fetch a console log");
            away()
        })?;
        match answer.status() {
            StatusCode::OK => text(answer).await,
            StatusCode::NOT_FOUND => Err(Fault::conflict("The server has no console log yet; try again.")),
            status => {
                tracing::warn!(host = host.metadata.name.as_deref(), %status, "the node role refused a console log");
                Err(away())
            }
        }
    }
}

/// The body, cut at the front to what is passed on.
async fn text(mut answer: reqwest::Response) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| Fault::internal("read console log", &e))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 2 * LONGEST {
            bytes.drain(..bytes.len() - LONGEST);
        }
    }
    let start = bytes.len().saturating_sub(LONGEST);
    Ok(String::from_utf8_lossy(&bytes[start..]).into_owned())
}
