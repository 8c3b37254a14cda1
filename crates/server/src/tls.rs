//! Connections that nobody reads on the way.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::SettingsError;

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a certificate chain and its key, both in PEM.
    ///
    /// # Errors
    /// Where one cannot be read, or the key is another's.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, SettingsError> {
        let invalid = |at: &str, file: &Path, error: &dyn std::fmt::Display| {
            SettingsError::invalid(at, format!("{}: {error}", file.display()))
        };
        let of_chain = |error| invalid("tls_certificate_file", certificate, &error);
        let chain = CertificateDer::pem_file_iter(certificate)
            .map_err(of_chain)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(of_chain)?;
        let own = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| invalid("tls_key_file", key, &error))?;
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, own))
            .map_err(|error| invalid("tls_certificate_file", certificate, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}
