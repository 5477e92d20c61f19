//! Keys, tokens, roles and lock-out.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use stateset_serve::security::{Role, Security, SecuritySettings, TokenSettings};
use stateset_serve::store::Clock;
use stateset_serve::{App, Models, ServeConfig, ServedModel};
use tower::ServiceExt;

use super::running::{ADMIN, TRAINER, USER, open, secured, start, with_keys};

#[tokio::test]
async fn each_form_of_a_key_opens_and_each_fault_has_its_answer() {
    let server = start(with_keys());
    type Sent = Option<(&'static str, &'static str)>;
    let cases: [(Sent, u16, &str); 8] = [
        (Some(("authorization", "Bearer key-of-the-user")), 200, ""),
        (Some(("authorization", "bearer  key-of-the-user")), 200, ""),
        (Some(("X-API-Key", USER)), 200, ""),
        (Some(("x-api-key", TRAINER)), 200, ""),
        (None, 401, "api_key_missing"),
        (Some(("authorization", "Basic key-of-the-user")), 401, "invalid_api_key"),
        (Some(("authorization", "key-of-the-user")), 401, "invalid_api_key"),
        (Some(("x-api-key", "key-of-the-usex")), 401, "invalid_api_key"),
    ];
    for (header, status, code) in cases {
        let mut request = server.get("/v1/models");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{header:?}");
        if status == 401 {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["code"], code, "{header:?}");
            assert_eq!(body["error"]["type"], "authentication_error");
        }
    }
}

#[tokio::test]
async fn roles_open_what_the_table_says() {
    let server = start(with_keys());
    let cases = [
        ("/live", None, 200),
        ("/health", None, 200),
        ("/v1/models", None, 401),
        ("/v1/models", Some(USER), 200),
        ("/metrics", None, 401),
        ("/metrics", Some(USER), 403),
        ("/metrics", Some(TRAINER), 200),
        ("/metrics/json", Some(ADMIN), 200),
        ("/no/such/route", None, 401),
        ("/no/such/route", Some(USER), 404),
    ];
    for (path, key, status) in cases {
        let mut request = server.get(path);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {key:?}");
        if status == 403 {
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["code"], "role_missing");
            assert_eq!(body["error"]["status_code"], 403);
        }
    }
}

#[tokio::test]
async fn five_wrong_keys_lock_an_address_out() {
    let server = start(with_keys());
    for n in 1..=5 {
        let answer = server.get("/v1/models").bearer_auth(format!("wrong-key-{n:08}")).send();
        assert_eq!(answer.await.unwrap().status(), 401, "{n}");
    }
    let answer = server.get("/v1/models").bearer_auth(USER).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((290..=300).contains(&wait), "{wait}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], "locked_out");
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_keys_only_a_loopback_address_is_open() {
    let ask = async |config: ServeConfig, key: Option<&str>| {
        let models = Models::new(vec![ServedModel::stub("stub:", Vec::new())]);
        let router = stateset_serve::server::router(App::new(config, models));
        let mut request = axum::http::Request::get("/metrics");
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    };
    let outside = || ServeConfig { host: [0, 0, 0, 0].into(), ..open() };
    assert_eq!(ask(open(), None).await, 200);
    // Clients of OpenAI always send some key.
    assert_eq!(ask(open(), Some("any key")).await, 200);
    assert_eq!(ask(outside(), None).await, 401);
    assert_eq!(ask(outside(), Some("any key")).await, 401);
    let anonymous = SecuritySettings { allow_anonymous: true, ..SecuritySettings::default() };
    let security = Security::open(anonymous, false).unwrap().0.into();
    assert_eq!(ask(ServeConfig { security, ..outside() }, None).await, 403);

    let (security, generated) = Security::open(SecuritySettings::default(), false).unwrap();
    let key = generated.unwrap();
    let config = ServeConfig { security: security.into(), ..outside() };
    assert_eq!(ask(config.clone(), Some(key.reveal())).await, 200);
    assert_eq!(ask(config, None).await, 401);
    let settings = SecuritySettings { stored: vec![key.stored()], ..SecuritySettings::default() };
    let (again, generated) = Security::open(settings, false).unwrap();
    assert!(generated.is_none());
    let config = ServeConfig { security: again.into(), ..outside() };
    assert_eq!(ask(config, Some(key.reveal())).await, 200);
}

#[tokio::test]
async fn tokens_of_both_algorithms_open_and_none_passes_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        Some(path)
    };
    let public = include_bytes!("data/public.pem");
    let secret = b"0123456789abcdef0123456789abcdef";
    let server = start(secured(SecuritySettings {
        tokens: TokenSettings {
            secret_file: file("secret", secret),
            public_key: file("public.pem", public),
            issuer: Some("https://issuer.example".to_owned()),
            ..TokenSettings::default()
        },
        ..SecuritySettings::default()
    }));
    let claims = |issuer: &str| {
        json!({
            "sub": "ann", "aud": ["other", "stateset-agents"], "iss": issuer,
            "exp": get_current_timestamp() + 60, "roles": [Role::Trainer],
        })
    };
    let good = claims("https://issuer.example");
    let rsa = EncodingKey::from_rsa_pem(include_bytes!("data/key.pem")).unwrap();
    let hs256 = |claims: &Value, secret: &[u8]| {
        encode(&Header::default(), claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let rs256 = |claims: &Value| encode(&Header::new(Algorithm::RS256), claims, &rsa).unwrap();
    let cases = [
        ("HS256", hs256(&good, secret), 200),
        ("RS256", rs256(&good), 200),
        ("the public key as a secret", hs256(&good, public), 401),
        ("another issuer", rs256(&claims("https://evil.example")), 401),
    ];
    for (name, token, status) in cases {
        let answer = server.get("/metrics").bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
    }
}

#[tokio::test]
async fn a_date_that_jumps_locks_nobody_out_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, secret) = (folder.path().join("secret"), b"0123456789abcdef0123456789abcdef");
    fs::write(&path, secret).unwrap();
    let date = Arc::new(AtomicI64::new(0));
    let (system, hand) = (Clock::system(), date.clone());
    let steady = system.clone();
    let server = start(secured(SecuritySettings {
        tokens: TokenSettings { secret_file: Some(path), ..TokenSettings::default() },
        clock: Clock::new(
            move || system.millis() + hand.load(Ordering::Relaxed),
            move || steady.steady_millis(),
        ),
        ..SecuritySettings::default()
    }));
    let now = get_current_timestamp();
    let claims =
        json!({"sub": "ann", "aud": "stateset-agents", "nbf": now - 60, "exp": now + 3600});
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(secret)).unwrap();
    let ask = async |token: &str| {
        let answer = server.get("/v1/models").bearer_auth(token).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, body["error"]["code"].as_str().map(str::to_owned))
    };
    let hour = 3_600_000;
    for (jump, refused) in [(3 * hour, "token_expired"), (-3 * hour, "token_too_early")] {
        date.store(jump, Ordering::Relaxed);
        // More often than wrong keys are allowed.
        for _ in 0..6 {
            assert_eq!(ask(&token).await, (401, Some(refused.to_owned())));
        }
        date.store(0, Ordering::Relaxed);
        assert_eq!(ask(&token).await.0, 200);
    }
    for _ in 0..5 {
        assert_eq!(ask("a wrong key").await.0, 401);
    }
    for jump in [3 * hour, -3 * hour] {
        date.store(jump, Ordering::Relaxed);
        assert_eq!(ask("a wrong key").await, (429, Some("locked_out".to_owned())));
    }
}
