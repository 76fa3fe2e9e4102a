//! Logs and metrics. User text reaches a log only through [`clean`].

use std::{io::IsTerminal, sync::Arc};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging; the level comes from `RUST_LOG`, default `info`.
pub fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// `text` without control characters and at most 200 characters long, fit for a log.
pub fn clean(text: &str) -> String {
    let mut out: String = text.chars().take(200).flat_map(char::escape_default).collect();
    if text.chars().nth(200).is_some() {
        out.push('…');
    }
    out
}

/// Labels of a request metric. `route` is the template, never the path that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    service: &'static str,
    method: String,
    route: &'static str,
    status: u16,
}

/// Labels of a latency metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LatencyLabels {
    service: &'static str,
}

/// What the shim counts.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    latency: Family<LatencyLabels, Histogram>,
    /// SubjectAccessReviews sent.
    pub access_reviews: Counter,
    /// Failed attempts to authenticate.
    pub failed_logins: Counter,
}

fn latency_histogram() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ostler_shim");
        let requests = Family::<RequestLabels, Counter>::default();
        let latency = Family::<LatencyLabels, Histogram>::new_with_constructor(latency_histogram);
        let (access_reviews, failed_logins) = (Counter::default(), Counter::default());
        registry.register("requests", "Requests answered", requests.clone());
        registry.register("request_seconds", "Time to answer", latency.clone());
        registry.register("access_reviews", "SubjectAccessReviews sent", access_reviews.clone());
        registry.register("failed_logins", "Failed attempts to authenticate", failed_logins.clone());
        Self { registry: Arc::new(registry), requests, latency, access_reviews, failed_logins }
    }
}

impl Metrics {
    /// Counts an answered request.
    pub fn answered(&self, service: &'static str, method: &http::Method, route: &'static str, status: u16, secs: f64) {
        let labels = RequestLabels { service, method: method.to_string(), route, status };
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&LatencyLabels { service }).observe(secs);
    }

    /// The metrics as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if prometheus_client::encoding::text::encode(&mut out, &self.registry).is_err() {
            out.clear();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_log_line_cannot_be_forged() {
        assert_eq!(clean("a\nERROR b\u{1b}[2J"), "a\\nERROR b\\u{1b}[2J");
        assert!(clean(&"x".repeat(1000)).chars().count() <= 201);
    }
}
