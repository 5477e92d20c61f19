//! No secret is in the log, whatever the level.

use std::io;
use std::sync::{Arc, Mutex};

use stateset_connect::Secret;
use stateset_serve::security::{GeneratedKey, Role, Security, SecuritySettings};
use tracing_subscriber::fmt::MakeWriter;

use super::running::{ADMIN, USER, start, with_keys};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

/// The runtime of this test has one thread, so all that the server says passes the subscriber of it.
#[tokio::test]
async fn nothing_at_the_finest_level_shows_a_key() {
    let log = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = start(with_keys());
    let secrets = [ADMIN, USER, "a-wrong-key-that-was-sent", "a-key-in-the-query"];
    for key in [ADMIN, USER, secrets[2]] {
        server.get("/v1/models").bearer_auth(key).send().await.unwrap();
        server.get("/metrics").header("x-api-key", key).send().await.unwrap();
        server
            .get("/nothing/here?api_key=a-key-in-the-query")
            .bearer_auth(key)
            .send()
            .await
            .unwrap();
    }
    let generated = GeneratedKey::draw().unwrap();
    let settings = SecuritySettings {
        keys: vec![("--api-key", Secret::new(ADMIN), Role::Admin)],
        stored: vec![generated.stored()],
        ..SecuritySettings::default()
    };
    let shown = format!("{settings:?} {generated:?} {:?}", server.app.config());
    let (security, _) = Security::open(settings, false).unwrap();
    let shown = format!("{shown} {security:?}");
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("answered") && logged.contains("TRACE"), "{logged}");
    for secret in secrets.into_iter().chain([generated.reveal()]) {
        // The client of this test is traced as well; only what names the query is its own.
        let lines = logged.lines().filter(|line| line.contains(secret));
        let ours: Vec<&str> = lines.filter(|line| !line.contains("reqwest")).collect();
        assert!(ours.is_empty(), "{secret}: {ours:?}");
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
