//! What Prometheus reads, and the alerts that are built on it.

use serde_json::Value;

use super::running::{TRAINER, USER, start, with_keys};

#[tokio::test]
async fn documented_names_are_there_and_clients_cannot_make_series() {
    let server = start(with_keys());
    for n in 0..5 {
        let path = format!("/made/up/{n}");
        server.get(&path).bearer_auth(USER).send().await.unwrap();
    }
    let odd = reqwest::Method::from_bytes(b"BREW").unwrap();
    server.client.request(odd, server.url("/v1/models")).bearer_auth(USER).send().await.unwrap();
    let answer = server.get("/metrics").bearer_auth(TRAINER).send().await.unwrap();
    assert!(
        answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics")
    );
    let text = answer.text().await.unwrap();
    let unmatched =
        r#"stateset_http_requests_total{method="GET",route="unmatched",status="404"} 5"#;
    assert!(text.contains(unmatched), "{text}");
    assert!(
        text.contains(r#"method="OTHER""#) && !text.contains("BREW") && !text.contains("/made")
    );
    assert!(text.contains("stateset_http_request_duration_seconds_bucket{"));
    assert!(text.contains("stateset_http_requests_in_progress 1"));
    assert!(text.ends_with("# EOF\n"));
    let json: Value = server
        .get("/metrics/json")
        .bearer_auth(TRAINER)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let name = unmatched.rsplit_once(' ').unwrap().0;
    assert_eq!(json["metrics"][name], 5.0);
}

#[tokio::test]
async fn every_name_in_the_alert_rules_is_measured() {
    let server = start(with_keys());
    server.get("/live").send().await.unwrap();
    let text = server.metrics(TRAINER).await;
    let rules = include_str!("../../../../deploy/alerts.yml");
    let words = rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names: std::collections::BTreeSet<&str> =
        words.filter(|word| word.starts_with("stateset_") && word.len() > 9).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let family = ["_bucket", "_sum", "_count", "_total"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        assert!(text.contains(&format!("# TYPE {family} ")), "{name}");
    }
}
