//! Headers of requests and answers: ids, pages of other sites, what browsers are told.

use serde_json::Value;
use stateset_serve::security::SecuritySettings;

use super::running::{USER, open, secured, start, with_keys};

#[tokio::test]
async fn every_answer_carries_an_id_a_time_and_what_browsers_must_know() {
    let server = start(with_keys());
    for path in ["/live", "/v1/models", "/no/such/route"] {
        let answer = server.get(path).send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["x-request-id"].len(), 32, "{path}");
        headers["x-response-time-ms"].to_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("'none'"));
        assert!(!headers.contains_key("strict-transport-security"));
    }
    let answer = server.get("/live").header("x-request-id", "mine-1").send().await.unwrap();
    assert_eq!(answer.headers()["x-request-id"], "mine-1");
    let answer = server.get("/live").header("x-request-id", "a b").send().await.unwrap();
    assert_ne!(answer.headers()["x-request-id"], "a b");
}

#[tokio::test]
async fn other_names_and_other_pages_are_refused_on_loopback() {
    let server = start(open());
    let cases = [
        ("host", "evil.example", "host_not_allowed"),
        ("origin", "https://evil.example", "origin_not_allowed"),
    ];
    for (name, value, code) in cases {
        for path in ["/v1/models", "/health", "/no/such/route"] {
            let answer = server.get(path).header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{name} {path}");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["code"], code, "{path}");
        }
    }
    let own = format!("http://{}", server.address);
    assert_eq!(server.get("/v1/models").header("origin", own).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn listed_pages_may_ask_before_they_have_a_key() {
    let settings = SecuritySettings {
        origins: vec!["https://app.example".to_owned()],
        key_lists: vec![("API_KEYS", stateset_connect::Secret::new(USER))],
        ..SecuritySettings::default()
    };
    let server = start(secured(settings));
    let ask = |origin: &'static str| {
        let request = server.client.request(reqwest::Method::OPTIONS, server.url("/v1/models"));
        request
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
    };
    let answer = ask("https://app.example").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example");
    let answer = ask("https://evil.example").await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let refused =
        server.get("/v1/models").header("origin", "https://app.example").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://app.example");
}

#[tokio::test]
async fn what_is_no_route_is_refused_in_the_words_of_the_api_it_looks_like() {
    let server = start(open());
    let ask = async |method: reqwest::Method, path: &str| {
        let answer = server.client.request(method, server.url(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = ask(reqwest::Method::POST, "/v1/models").await;
    assert_eq!((status, body["error"]["code"].as_str()), (405, Some("method_not_allowed")));
    assert_eq!(body["error"]["type"], "invalid_request_error");
    let (status, body) = ask(reqwest::Method::DELETE, "/live").await;
    assert_eq!((status, body["error"]["status_code"].as_u64()), (405, Some(405)));
    let (status, body) = ask(reqwest::Method::GET, "/v1/messages/none").await;
    assert_eq!((status, body["error"]["type"].as_str()), (404, Some("not_found_error")));
    let (status, body) = ask(reqwest::Method::GET, "/no/such/route").await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("not_found")));
}

#[tokio::test]
async fn own_refusals_tell_the_request_and_those_of_other_apis_do_not() {
    let server = start(with_keys());
    // Refused before it reaches a route, by a route, and by one that does not exist.
    for (path, status) in [("/agents", 401), ("/agents/a%20b", 503), ("/no/such/route", 404)] {
        let asked = server.get(&format!("{path}?limit=1")).header("x-request-id", "mine-1");
        let asked = if status == 401 { asked } else { asked.bearer_auth(USER) };
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["request_id"], "mine-1");
        assert_eq!(body["path"], path);
        assert!(body["timestamp"].is_u64());
        assert!(body["error"]["details"].is_null());
    }
    for path in ["/v1/models/none", "/v1/messages"] {
        let answer = server.get(path).bearer_auth(USER).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        assert!(body["error"].is_object() && body.get("path").is_none(), "{path}");
    }
}
