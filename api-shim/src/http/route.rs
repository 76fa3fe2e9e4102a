//! A row of the table of operations.

use std::pin::Pin;

use axum::routing::MethodFilter;
use http::Method;

use super::{Action, Inbound, Microversion, Reply, Service};
use crate::{
    authenticate::Caller,
    authorize::{Permit, Rule},
    fault::Fault,
};

/// What a handler returns.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send>>;

/// What must be known of the caller before the handler runs; the handler's type says the same.
pub enum Handler {
    /// Anybody may call it.
    Open(fn(Inbound) -> Answer),
    /// A valid token is needed.
    Authenticated(fn(Inbound, Caller) -> Answer),
    /// A valid token and a permission are needed.
    Authorized(Rule, fn(Inbound, Permit) -> Answer),
    /// The body names the action, the action the permission.
    Actions(&'static [Action]),
}

/// Where a path hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Below the service's unversioned root.
    Root,
    /// Below the service's version, and in compute also below `/{project_id}`.
    Version,
}

/// A row of the table of operations.
pub struct Route {
    /// The service.
    pub service: Service,
    /// The method.
    pub method: MethodFilter,
    /// Where the path hangs.
    pub place: Place,
    /// The path below that.
    pub path: &'static str,
    /// IAM action of the seed row (spec/iam-actions), where there is one.
    pub iam: Option<&'static str>,
    /// What its IAM action depends on: further permissions, all of which are asked for.
    pub needs: &'static [Rule],
    /// First microversion that has it.
    pub since: Microversion,
    /// First microversion that has it no more (404 from there on).
    pub until: Option<Microversion>,
    /// What runs.
    pub handler: Handler,
}

impl Route {
    /// A row below the service's version.
    pub const fn new(service: Service, method: MethodFilter, path: &'static str, handler: Handler) -> Self {
        Self {
            service,
            method,
            place: Place::Version,
            path,
            iam: None,
            needs: &[],
            since: Microversion::MIN,
            until: None,
            handler,
        }
    }

    /// A row below the service's unversioned root.
    pub const fn root(service: Service, path: &'static str, handler: Handler) -> Self {
        Self { place: Place::Root, ..Self::new(service, MethodFilter::GET, path, handler) }
    }

    /// With the IAM action of its seed row.
    pub const fn iam(self, action: &'static str) -> Self {
        Self { iam: Some(action), ..self }
    }

    /// With what its IAM action depends on.
    pub const fn needs(self, rules: &'static [Rule]) -> Self {
        Self { needs: rules, ..self }
    }

    /// Known from this microversion on.
    pub const fn since(self, version: u16) -> Self {
        Self { since: Microversion(version), ..self }
    }

    /// Gone from this microversion on.
    pub const fn until(self, version: u16) -> Self {
        Self { until: Some(Microversion(version)), ..self }
    }

    /// Whether the row exists at `version`.
    pub fn exists_at(&self, version: Microversion) -> bool {
        self.since <= version && self.until.is_none_or(|u| version < u)
    }

    /// Every full path that it is served under.
    pub fn paths(&self) -> Vec<String> {
        let full = |root: &str, path: &str| match format!("{root}{path}") {
            empty if empty.is_empty() => "/".to_owned(),
            path => path,
        };
        let plain = match self.place {
            Place::Root => self.service.roots(),
            Place::Version => self.service.version_roots(),
        };
        let mut out: Vec<String> = plain.iter().map(|root| full(root, self.path)).collect();
        if self.path.is_empty() {
            out.extend(plain.iter().map(|root| format!("{root}/")).filter(|p| p != "/"));
        } else if self.service == Service::Compute && self.place == Place::Version {
            out.extend(plain.iter().map(|root| format!("{root}/{{project_id}}{}", self.path)));
        }
        out
    }
}

/// The method that a row names. Rows name one.
pub fn method(filter: MethodFilter) -> Method {
    let known = [
        (MethodFilter::POST, Method::POST),
        (MethodFilter::PUT, Method::PUT),
        (MethodFilter::PATCH, Method::PATCH),
        (MethodFilter::DELETE, Method::DELETE),
    ];
    known.into_iter().find(|(f, _)| *f == filter).map_or(Method::GET, |(_, m)| m)
}
