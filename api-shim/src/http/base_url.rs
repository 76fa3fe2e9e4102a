//! The URL under which the client reached us: links and the catalog start with it.

use http::{HeaderMap, header, uri::Authority};
use url::Url;

use super::Service;

/// `scheme://host[:port][/prefix]` without a trailing slash, and the version of compute that links lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: String,
    compute: &'static str,
}

impl BaseUrl {
    /// The configured URL, else the Host header (with `X-Forwarded-Proto`), else the loopback address.
    pub fn of(public: Option<&Url>, headers: &HeaderMap) -> Self {
        if let Some(url) = public {
            return Self::new(url.as_str().trim_end_matches('/').to_owned());
        }
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        // Parsed rather than copied: a client chooses this header freely.
        let host = text(header::HOST.as_str()).and_then(|h| h.parse::<Authority>().ok());
        let host = host.filter(|h| !h.as_str().contains('@'));
        Self::new(format!("{scheme}://{}", host.as_ref().map_or("127.0.0.1", Authority::as_str)))
    }

    fn new(url: String) -> Self {
        Self { url, compute: "v2.1" }
    }

    /// The same for a request to this path: who asks version 2.0 of compute is led on in it.
    pub fn at(self, path: &str) -> Self {
        if Service::is_legacy_compute(path) { Self { compute: "v2", ..self } } else { self }
    }

    /// The URL itself.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The URL of a service in the catalog.
    pub fn service(&self, service: Service) -> String {
        format!("{}{}", self.url, service.catalog_path())
    }

    /// The URL of a version of compute.
    pub fn compute_root(&self, version: &str) -> String {
        format!("{}/compute/{version}/", self.url)
    }

    /// A `self` link into compute.
    pub fn compute(&self, path: &str) -> String {
        format!("{}/compute/{}/{path}", self.url, self.compute)
    }

    /// A `bookmark` link into compute: without the version.
    pub fn bookmark(&self, path: &str) -> String {
        format!("{}/compute/{path}", self.url)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with_host(host: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        BaseUrl::of(None, &headers).url
    }

    #[test]
    fn the_host_header_gives_the_base() {
        assert_eq!(with_host("cloud.example:8080"), "http://cloud.example:8080");
        assert_eq!(with_host("[::1]:80"), "http://[::1]:80");
    }

    #[test]
    fn a_malformed_host_header_is_not_copied() {
        assert_eq!(with_host("a/b?c"), "http://127.0.0.1");
        assert_eq!(with_host("evil@example"), "http://127.0.0.1");
    }

    #[test]
    fn a_public_url_wins() {
        let url = Url::parse("https://cloud.example/api/").unwrap();
        assert_eq!(BaseUrl::of(Some(&url), &HeaderMap::new()).url, "https://cloud.example/api");
    }

    #[test]
    fn who_asks_version_2_0_of_compute_is_led_on_in_it() {
        let base = || BaseUrl::new("http://c".to_owned());
        assert_eq!(base().at("/compute/v2/servers").compute("servers/1"), "http://c/compute/v2/servers/1");
        assert_eq!(base().at("/v2.1/servers").compute("servers/1"), "http://c/compute/v2.1/servers/1");
    }
}
