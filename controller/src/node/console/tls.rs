//! The node role's own certificate, made at each start. The shim accepts no other than the one in the Host's status.

use std::{net::IpAddr, sync::Arc};

use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use thiserror::Error;

/// A certificate that nobody else has.
pub struct Identity {
    /// For the Host's status.
    pub pem: String,
    /// For the server.
    pub config: Arc<ServerConfig>,
}

/// The certificate could not be made.
#[derive(Debug, Error)]
pub enum TlsError {
    /// By rcgen.
    #[error("making the certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// By rustls.
    #[error("using the certificate: {0}")]
    Config(#[from] rustls::Error),
}

/// A certificate for the address at which this host is reached.
pub fn identity(node: &str, address: IpAddr) -> Result<Identity, TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("ostler-node {node}"));
    params.subject_alt_names = vec![SanType::IpAddress(address)];
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|e| rustls::Error::General(format!("private key: {e}")))?;
    let mut config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { pem: certificate.pem(), config: Arc::new(config) })
}
