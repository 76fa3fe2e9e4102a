//! What the API server refused, in words for an OpenStack client.

use http::StatusCode;
use kube::core::Status;

use crate::fault::Fault;

/// A failed write of `what` (“Server”): refusals of admission become 400 with the field.
pub fn write_fault(what: &'static str, error: &kube::Error) -> Fault {
    let kube::Error::Api(status) = error else { return read_fault(what, error) };
    match status.code {
        // A field that this version does not act on: the words are those of the kind's rules.
        422 | 400 | 403 if explain(status).contains("not served yet") => {
            Fault::new(StatusCode::NOT_IMPLEMENTED, explain(status))
        }
        422 | 400 => Fault::bad_request(explain(status)),
        // A policy of the cluster (admission, quota) refused it, or the shim's own permissions are short.
        403 if status.message.contains("exceeded quota") => Fault::forbidden(explain(status)),
        403 if status.message.contains("cannot") => {
            Fault::internal("the shim's ServiceAccount lacks a permission", &status.message)
        }
        403 => Fault::bad_request(explain(status)),
        404 => Fault::not_found(format!("The {what} could not be found.")),
        409 => Fault::conflict(format!("The {what} was changed at the same time; try again.")),
        413 => Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
        _ => read_fault(what, error),
    }
}

/// A failed read: the API server is away or refuses us.
pub fn read_fault(what: &'static str, error: &kube::Error) -> Fault {
    match error {
        kube::Error::Api(status) if status.code == 404 => Fault::not_found(format!("The {what} could not be found.")),
        kube::Error::Api(status) if matches!(status.code, 429 | 500 | 502..=504) => {
            tracing::warn!(what, code = status.code, "the Kubernetes API server refuses for now");
            Fault::unavailable("The Kubernetes API server is busy; try again.")
        }
        kube::Error::Api(status) => Fault::internal("the Kubernetes API server refused", &status.message),
        other => {
            tracing::warn!(what, error = %crate::observe::clean(&other.to_string()), "cannot reach the Kubernetes API server");
            Fault::unavailable("The Kubernetes API server cannot be reached; try again.")
        }
    }
}

/// The causes with their fields, or the whole message.
fn explain(status: &Status) -> String {
    let causes = status.details.as_ref().map(|d| d.causes.as_slice()).unwrap_or_default();
    let named: Vec<String> = causes
        .iter()
        .filter(|c| !c.message.is_empty())
        .map(|c| {
            let message = c.message.strip_prefix("Invalid value: ").unwrap_or(&c.message);
            if c.field.is_empty() { message.to_owned() } else { format!("{}: {message}", c.field) }
        })
        .collect();
    let text = if named.is_empty() { status.message.clone() } else { named.join("; ") };
    text.chars().filter(|c| !c.is_control()).take(1000).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(code: u16, message: &str, causes: Value) -> kube::Error {
        let status = json!({"status": "Failure", "code": code, "message": message, "details": {"causes": causes}});
        kube::Error::Api(serde_json::from_value::<Status>(status).unwrap().boxed())
    }

    #[test]
    fn a_refusal_of_admission_names_the_field() {
        let cause = json!([{"field": "spec.networks", "message": "Too many: 9: must have at most 8 items"}]);
        let fault = write_fault("Server", &refused(422, "Server is invalid", cause));
        assert_eq!(fault.status.as_u16(), 400);
        assert_eq!(fault.message, "spec.networks: Too many: 9: must have at most 8 items");
    }

    #[test]
    fn what_is_not_served_is_no_mistake_of_the_client() {
        let cause = json!([{"field": "spec.locked", "message": "Forbidden: locked is not served yet: use RBAC"}]);
        let fault = write_fault("Server", &refused(422, "Server is invalid", cause));
        assert_eq!((fault.status.as_u16(), fault.message.contains("spec.locked")), (501, true));
    }

    #[test]
    fn a_lack_of_our_own_permission_is_not_the_clients_fault() {
        let message = "servers is forbidden: User \"x\" cannot create resource";
        let fault = write_fault("Server", &refused(403, message, json!([])));
        assert_eq!(fault.status.as_u16(), 500);
        assert!(!fault.message.contains("User"));
    }
}
