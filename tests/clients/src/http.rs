//! Plain requests, where the form of the answer matters and not the client.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A user's token, and where to use it.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Http {
    /// Asks for a token that is scoped to a project.
    ///
    /// # Errors
    /// None is issued.
    pub async fn login(url: &str, user: &str, password: &str, project: &str) -> Result<Self> {
        let identity = json!({"methods": ["password"], "password": {
            "user": {"name": user, "domain": {"id": "default"}, "password": password},
        }});
        Self::prove(url, identity, project).await.with_context(|| user.to_owned())
    }

    /// The same for whoever has this token of Kubernetes.
    ///
    /// # Errors
    /// None is issued.
    pub async fn login_by_token(url: &str, token: &str, project: &str) -> Result<Self> {
        Self::prove(url, json!({"methods": ["token"], "token": {"id": token}}), project).await
    }

    async fn prove(url: &str, identity: Value, project: &str) -> Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let scope = json!({"project": {"name": project, "domain": {"id": "default"}}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        let answer = client.post(format!("{url}/identity/v3/auth/tokens")).json(&body).send().await?;
        let status = answer.status();
        ensure!(status == StatusCode::CREATED, "no token: {status}");
        let token = answer.headers().get("x-subject-token").context("no X-Subject-Token")?.to_str()?.to_owned();
        Ok(Self { client, url: url.to_owned(), token })
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request with the token, to be completed by the test. `path` begins with the service: `/compute/v2.1/servers`.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).header("x-auth-token", &self.token)
    }

    /// Sends a JSON document, or none for `Null`; status and document of the answer, which is `Null` if it has none.
    ///
    /// # Errors
    /// The shim cannot be reached.
    pub async fn send(&self, method: Method, path: &str, body: Value) -> Result<(u16, Value)> {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
    }

    /// `GET`.
    ///
    /// # Errors
    /// The shim cannot be reached.
    pub async fn get(&self, path: &str) -> Result<(u16, Value)> {
        self.send(Method::GET, path, Value::Null).await
    }
}
