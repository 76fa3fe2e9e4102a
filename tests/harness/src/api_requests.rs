//! Counting what the API server was asked: `apiserver_request_total` counts every request exactly.

use std::collections::BTreeMap;

use anyhow::Result;
use kube::Client;

/// Verbs that change something, as the metric names them.
const WRITES: [&str; 6] = ["POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"];

/// What a request was for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// API group; empty for the core.
    pub group: String,
    /// Plural name of the kind.
    pub resource: String,
    /// `status` and the like; empty for none.
    pub subresource: String,
    /// `POST`, `APPLY`, `LIST`, `WATCH`, ….
    pub verb: String,
    /// HTTP status.
    pub code: String,
}

/// Number of requests by kind of request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiRequests(BTreeMap<Request, u64>);

impl ApiRequests {
    /// Reads the counters; `client` must be the administrator's. A read counts as a request itself.
    ///
    /// # Errors
    /// The API server does not show its metrics.
    pub async fn read(client: &Client) -> Result<Self> {
        let request = http_get("/metrics")?;
        Ok(Self::parse(&client.request_text(request).await?))
    }

    /// The counters in a text of Prometheus' format; lines of other metrics are skipped.
    pub fn parse(text: &str) -> Self {
        let mut counts = BTreeMap::new();
        for line in text.lines() {
            if let Some((request, count)) = sample(line) {
                *counts.entry(request).or_insert(0) += count;
            }
        }
        Self(counts)
    }

    /// What came since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let grown = |(r, n): (&Request, &u64)| {
            let more = n - before.0.get(r).copied().unwrap_or(0).min(*n);
            (more > 0).then(|| (r.clone(), more))
        };
        Self(self.0.iter().filter_map(grown).collect())
    }

    /// Only writes to kinds of this API group; groups as in `compute.ostler.dev`, `events.k8s.io`, empty for the core.
    pub fn writes(&self, groups: &[&str]) -> Self {
        let wanted = |r: &Request| WRITES.contains(&r.verb.as_str()) && groups.contains(&r.group.as_str());
        Self(self.0.iter().filter(|(r, _)| wanted(r)).map(|(r, n)| (r.clone(), *n)).collect())
    }

    /// Number of requests.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Each kind of request with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&Request, u64)> {
        self.0.iter().map(|(r, n)| (r, *n))
    }
}

fn http_get(path: &str) -> Result<axum::http::Request<Vec<u8>>> {
    Ok(axum::http::Request::get(path).body(Vec::new())?)
}

fn sample(line: &str) -> Option<(Request, u64)> {
    let (labels, value) = line.strip_prefix("apiserver_request_total{")?.rsplit_once("} ")?;
    let label = |name: &str| {
        let start = labels.find(&format!("{name}=\""))? + name.len() + 2;
        Some(labels[start..].split('"').next()?.to_owned())
    };
    let request = Request {
        group: label("group")?,
        // `subresource="` also contains `resource="`, and comes later.
        resource: label(",resource")?,
        subresource: label("subresource")?,
        verb: label("verb")?,
        code: label("code")?,
    };
    // Written as a float, exact below 2^53.
    Some((request, value.trim().parse::<f64>().ok()? as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP apiserver_request_total [STABLE] Counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="compute.ostler.dev",resource="servers",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 3
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"} 1.5e+02
apiserver_request_duration_seconds_sum{group="a"} 7
"#;

    #[test]
    fn labels_and_numbers_are_read() {
        let all = ApiRequests::parse(TEXT);
        let writes = all.writes(&["compute.ostler.dev"]);
        let (request, count) = writes.iter().next().unwrap();
        assert_eq!((request.resource.as_str(), request.subresource.as_str(), count), ("servers", "status", 3));
        assert_eq!(all.total(), 153);
    }

    #[test]
    fn a_difference_has_only_what_grew() {
        let before = ApiRequests::parse(TEXT);
        let after = ApiRequests::parse(&TEXT.replace("} 3", "} 5"));
        assert_eq!(after.since(&before).total(), 2);
    }
}
