//! Certificate and key of HTTPS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::ServeError;

/// Files of PEM, with the chain of certificates (the server's own first) and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain of certificates.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a file cannot be read, or certificate and key do not belong together.
    pub fn open(&self) -> Result<Arc<ServerConfig>, ServeError> {
        let certs = CertificateDer::pem_file_iter(&self.cert).and_then(Iterator::collect);
        let certs: Vec<CertificateDer<'static>> =
            certs.map_err(|error| refused("--tls-cert", &self.cert, error))?;
        if certs.is_empty() {
            return Err(refused("--tls-cert", &self.cert, "no certificate is in it"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| refused("--tls-key", &self.key, error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certs, key));
        let mut config = config.map_err(|error| refused("--tls-key", &self.key, error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn refused(what: &'static str, path: &Path, problem: impl std::fmt::Display) -> ServeError {
    ServeError::Setting { what, message: format!("{}: {problem}", path.display()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_with_its_flag() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let files = TlsFiles { cert: cert.clone(), key };
        let problem = || files.open().unwrap_err().to_string();
        assert!(problem().starts_with("--tls-cert: "), "{}", problem());
        std::fs::write(&cert, "no PEM").unwrap();
        assert!(problem().contains("no certificate"), "{}", problem());
        std::fs::write(&cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .unwrap();
        assert!(problem().starts_with("--tls-key: "), "{}", problem());
    }
}
