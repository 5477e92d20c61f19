//! HTTPS.

use std::path::Path;

use stateset_serve::ServeConfig;
use stateset_serve::server::TlsFiles;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::running::{TRAINER, start, with_keys};

fn files() -> TlsFiles {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guard/data");
    TlsFiles { cert: data.join("cert.pem"), key: data.join("key.pem") }
}

#[tokio::test]
async fn with_a_certificate_only_https_is_spoken() {
    let server = start(ServeConfig { tls: Some(files()), ..with_keys() });
    let answer = server.get("/metrics").bearer_auth(TRAINER).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
    let mut plain = tokio::net::TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut told = Vec::new();
    let _ = plain.read_to_end(&mut told).await;
    assert!(!told.starts_with(b"HTTP"), "{told:?}");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_before_listening() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, include_str!("data/public.pem")).unwrap();
    let error = TlsFiles { key, ..files() }.open().unwrap_err().to_string();
    assert!(error.starts_with("--tls-key: "), "{error}");
}
