//! A request on its way to a handler.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::{BaseUrl, Microversion, Query};
use crate::{app::App, fault::Fault};

/// Largest JSON body: user data of 64 KiB in base64 and 128 metadata items fit many times.
const BODY_LIMIT: usize = 1 << 20;
/// Of a larger body so much is read and forgotten, because a client that is still sending does not hear the answer.
const FORGOTTEN: usize = 16 << 20;
/// Longest time that a JSON body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// A request on its way to a handler.
pub struct Inbound {
    /// Everything that lives as long as the process.
    pub app: Arc<App>,
    /// Microversion; only compute looks at it.
    pub version: Microversion,
    /// Parts of the path, decoded.
    pub params: HashMap<String, String>,
    /// The query.
    pub query: Query,
    /// The path as it was asked for, for `next` links.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// What links start with.
    pub base: BaseUrl,
    /// The client's address.
    pub peer: IpAddr,
    /// The request's own id, `req-<uuid>`, which the answer carries too.
    pub request: String,
    /// The body, not yet read; behind a lock because a body is not `Sync`, and handlers lend requests across awaits.
    pub body: std::sync::Mutex<Body>,
}

impl Inbound {
    /// A part of the path. Every template that a handler hangs on has the names that it asks for.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Takes the body to read it.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Reads the body as JSON: 400 if it is none, 413 if it is too large, 415 if it says that it is something else.
    pub async fn json(&mut self) -> Result<Value, Fault> {
        let kind = self.header(header::CONTENT_TYPE.as_str()).unwrap_or("application/json");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !(kind == "application/json" || kind.ends_with("+json") || kind.ends_with("json-patch") || kind.is_empty()) {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported Content-Type: use application/json.",
            ));
        }
        let bytes = tokio::time::timeout(BODY_PATIENCE, bounded(self.take_body()))
            .await
            .map_err(|_| Fault::new(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time."))??;
        serde_json::from_slice(&bytes).map_err(|_| Fault::bad_request("Malformed request body: it is not JSON."))
    }

    /// Reads a body of the form `{"key": {…}}` and returns the inner object.
    pub async fn json_under(&mut self, key: &str) -> Result<Map<String, Value>, Fault> {
        let Value::Object(mut outer) = self.json().await? else {
            return Err(Fault::bad_request("Malformed request body: an object is expected."));
        };
        match outer.remove(key) {
            Some(Value::Object(inner)) => Ok(inner),
            Some(_) => Err(Fault::invalid_field(key, "It is not of type 'object'.")),
            None => Err(Fault::bad_request(format!("'{key}' is a required property"))),
        }
    }
}

/// All of a body, or 413.
async fn bounded(body: Body) -> Result<Vec<u8>, Fault> {
    let (mut bytes, mut size, mut chunks) = (Vec::new(), 0, body.into_data_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Fault::bad_request("The request body was cut off."))?;
        size += chunk.len();
        if size <= BODY_LIMIT {
            bytes.extend_from_slice(&chunk);
        } else if size > FORGOTTEN {
            break;
        }
    }
    if size <= BODY_LIMIT {
        return Ok(bytes);
    }
    Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(bounded(Body::from(vec![7; BODY_LIMIT])).await.unwrap().len(), BODY_LIMIT);
        let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![7_u8; 1 << 16]));
        for large in [Body::from(vec![7; BODY_LIMIT + 1]), Body::from_stream(endless)] {
            assert_eq!(bounded(large).await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
}
