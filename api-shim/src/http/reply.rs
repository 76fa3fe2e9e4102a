//! What a handler answers with.

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

/// An answer before it has the headers that every answer carries.
#[derive(Debug)]
pub struct Reply(Response);

impl Reply {
    /// A JSON document.
    pub fn json(status: StatusCode, document: &Value) -> Self {
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self(response)
    }

    /// 200 with a JSON document.
    pub fn ok(document: &Value) -> Self {
        Self::json(StatusCode::OK, document)
    }

    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        Self(response)
    }

    /// 200 with bytes.
    pub fn bytes(body: Body) -> Self {
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        Self(response)
    }

    /// With a header; a value that is no header text is left out.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The response itself.
    pub fn into_response(self) -> Response {
        self.0
    }
}
