//! Requests to the OpenStack front: for image bytes by digest, and with copies of guests' disks.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::error::StorageError;

/// How to reach the OpenStack front.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "shim")]
pub struct Args {
    /// Stream address of the OpenStack front, for uploaded images: `https://ostler-api-shim.NAMESPACE.svc:8443`.
    #[arg(long, env = "OSTLER_SHIM_URL")]
    pub shim_url: Option<url::Url>,
    /// Address `IP` or `IP:PORT` to connect to instead of resolving the name in --shim-url.
    #[arg(long, env = "OSTLER_SHIM_ADDRESS")]
    pub shim_address: Option<String>,
    /// PEM file with the authority that signed the front's certificate.
    #[arg(long, env = "OSTLER_SHIM_CA")]
    pub shim_ca: Option<PathBuf>,
    /// File with this ServiceAccount's token for the stream audience; read afresh for each request.
    #[arg(long, env = "OSTLER_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

/// Makes requests.
#[derive(Debug, Clone)]
pub struct ShimSource {
    args: Args,
}

impl ShimSource {
    /// Requests by these settings. Certificate and token are read for each request, because both are rotated.
    pub fn new(args: Args) -> Self {
        Self { args }
    }

    /// The request for the bytes of an image, and its URL for messages.
    pub async fn request(&self, image: &str, sha256: &str) -> Result<(reqwest::RequestBuilder, String), StorageError> {
        let path = format!("/streams/v1/images/{image}/{sha256}");
        let (request, url) = self.any(reqwest::Method::GET, &path, Some(Duration::from_secs(30))).await?;
        Ok((request, url.to_string()))
    }

    /// A request with another method. The caller sees to it that it ends.
    pub async fn send(&self, method: reqwest::Method, path: &str) -> Result<reqwest::RequestBuilder, StorageError> {
        Ok(self.any(method, path, None).await?.0)
    }

    async fn any(
        &self,
        method: reqwest::Method,
        path: &str,
        read_timeout: Option<Duration>,
    ) -> Result<(reqwest::RequestBuilder, url::Url), StorageError> {
        let unset = |flag: &str| StorageError::Shim(format!("the node role runs without {flag}"));
        let mut base = self.args.shim_url.clone().ok_or_else(|| unset("--shim-url"))?;
        let token_file = self.args.token_file.as_ref().ok_or_else(|| unset("--token-file"))?;
        let token = tokio::fs::read_to_string(token_file).await.map_err(StorageError::io("reading --token-file"))?;
        // The client's own table of addresses knows no ports: the URL's is what it connects to.
        if let Some(address) = self.args.shim_address.as_ref().and_then(|a| a.parse::<SocketAddr>().ok()) {
            base.set_port(Some(address.port()))
                .map_err(|()| StorageError::Shim("--shim-url takes no port".to_owned()))?;
        }
        let url = base.join(path).map_err(|e| StorageError::Shim(format!("--shim-url: {e}")))?;
        let client = self.client(&base, read_timeout).await?;
        Ok((client.request(method, url.clone()).bearer_auth(token.trim()), url))
    }

    async fn client(&self, base: &url::Url, read_timeout: Option<Duration>) -> Result<reqwest::Client, StorageError> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10));
        if let Some(limit) = read_timeout {
            builder = builder.read_timeout(limit);
        }
        if let Some(file) = &self.args.shim_ca {
            let pem = tokio::fs::read(file).await.map_err(StorageError::io("reading --shim-ca"))?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|e| StorageError::Shim(format!("--shim-ca: {e}")))?;
            builder = builder.tls_certs_only(roots);
        }
        if let (Some(address), Some(host)) = (&self.args.shim_address, base.host_str()) {
            let port = base.port_or_known_default().unwrap_or(443);
            let address = socket_address(address, port)
                .ok_or_else(|| StorageError::Shim("--shim-address is neither IP nor IP:PORT".to_owned()))?;
            builder = builder.resolve(host, address);
        }
        builder.build().map_err(|e| StorageError::Shim(e.to_string()))
    }
}

fn socket_address(text: &str, port: u16) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse().ok().map(|ip| SocketAddr::new(ip, port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_come_with_or_without_a_port() {
        assert_eq!(socket_address("10.0.0.1", 8443), Some("10.0.0.1:8443".parse().unwrap()));
        assert_eq!(socket_address("10.0.0.1:99", 8443), Some("10.0.0.1:99".parse().unwrap()));
        assert_eq!(socket_address("name", 8443), None);
    }

    #[tokio::test]
    async fn without_settings_the_missing_one_is_named() {
        let args = Args { shim_url: None, shim_address: None, shim_ca: None, token_file: None };
        let error = ShimSource::new(args).request("i", "d").await.unwrap_err();
        assert!(error.to_string().contains("--shim-url"), "{error}");
    }
}
