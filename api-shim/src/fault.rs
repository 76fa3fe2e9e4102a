//! What goes wrong, and how each service says it: one [`Fault`], rendered in the form of the service that was asked
//! (spec ids K-06 … K-18).

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::Service;

/// A refusal or failure that a client is told of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct Fault {
    /// HTTP status.
    pub status: StatusCode,
    /// A sentence for the user. Never a secret, never an internal detail.
    pub message: String,
    /// Neutron's `type`, where a client tells kinds of 404 and 409 apart by it.
    pub kind: Option<&'static str>,
    /// Seconds for the header `Retry-After`.
    pub retry_after: Option<u32>,
}

impl Fault {
    /// A fault with this status and sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind: None, retry_after: None }
    }
    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
    /// 400 that names the field, in Nova's words.
    pub fn invalid_field(path: &str, why: impl std::fmt::Display) -> Self {
        Self::bad_request(format!("Invalid input for field/attribute {path}. {why}"))
    }
    /// 401, in Keystone's words.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The request you have made requires authentication.")
    }
    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }
    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }
    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }
    /// 501 for what OpenStack has and this version does not serve.
    pub fn not_served(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{what} is not served by this version."))
    }
    /// 503, to be tried again.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { retry_after: Some(2), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message) }
    }
    /// 500; the cause goes to the log, never to the client.
    pub fn internal(context: &'static str, cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(context, cause = %crate::observe::clean(&cause.to_string()), "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An unexpected error prevented the server from fulfilling your request. Its log has the request id.",
        )
    }
    /// The same fault with Neutron's `type`.
    pub fn kind(self, kind: &'static str) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// The body in the form of `service`.
    pub fn body(&self, service: Service) -> Value {
        let (code, message) = (self.status.as_u16(), self.message.as_str());
        let title = self.status.canonical_reason().unwrap_or("Error");
        match service {
            Service::Identity => json!({"error": {"code": code, "message": message, "title": title}}),
            Service::Compute => {
                let mut inner = json!({"code": code, "message": message});
                if let Some(seconds) = self.retry_after {
                    inner["retryAfter"] = seconds.to_string().into();
                }
                json!({ nova_element(self.status): inner })
            }
            Service::Image => json!({"code": format!("{code} {title}"), "message": message, "title": title}),
            Service::Network => {
                let kind = self.kind.unwrap_or_else(|| neutron_kind(self.status));
                json!({"NeutronError": {"type": kind, "message": message, "detail": ""}})
            }
        }
    }
}

/// Nova's name of the element that a fault of this status sits in.
fn nova_element(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 | 429 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    }
}

fn neutron_kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BadRequest",
        401 => "HTTPUnauthorized",
        403 => "PolicyNotAuthorized",
        404 => "HTTPNotFound",
        409 => "Conflict",
        501 => "HTTPNotImplemented",
        503 => "ServiceUnavailable",
        _ => "HTTPInternalServerError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_says_a_404_in_its_own_form() {
        let fault = Fault::not_found("gone").kind("NetworkNotFound");
        assert_eq!(fault.body(Service::Compute), json!({"itemNotFound": {"code": 404, "message": "gone"}}));
        assert_eq!(
            fault.body(Service::Identity),
            json!({"error": {"code": 404, "message": "gone", "title": "Not Found"}})
        );
        assert_eq!(fault.body(Service::Network)["NeutronError"]["type"], "NetworkNotFound");
        assert_eq!(fault.body(Service::Image)["code"], "404 Not Found");
    }
}
