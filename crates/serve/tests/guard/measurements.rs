//! What Prometheus reads, and the alerts that are built on it.

use serde_json::Value;

use stateset_core::{Message, Sampling};
use stateset_serve::answer::{AnswerRequest, Answering, Prompt};

use super::running::{TRAINER, USER, open, start, start_tiny, until, with_keys};

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

#[tokio::test]
async fn answers_are_measured_by_model_and_those_that_were_given_up_are_counted() {
    let server = start_tiny(open());
    let begin = |max_new_tokens| {
        let messages = vec![Message::user("Where is my order?")];
        let prompt = Prompt::Chat { messages, tools: Vec::new() };
        let sampling = Sampling { max_new_tokens, ..Sampling::default() };
        let model = server.app.models().find(None).unwrap();
        Answering::begin(model, AnswerRequest::new(prompt, sampling))
    };
    let answer = begin(8).whole().await.unwrap();
    drop(begin(4000));
    let text = server.metrics("").await;
    let value = |name: &str| -> f64 {
        let line = format!("{name}{{model=\"builtin:tiny\"}} ");
        let found = text.lines().find_map(|l| l.strip_prefix(&line));
        found.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
    };
    assert_eq!(value("stateset_completion_tokens_total"), answer.tokens.len() as f64);
    assert_eq!(value("stateset_time_to_first_token_seconds_count"), 1.0);
    assert!(value("stateset_queue_time_seconds_count") >= 1.0);
    assert_eq!(value("stateset_answers_abandoned_total"), 1.0);
    // Dropping an answer frees its place in the engine.
    let mut waits = 0;
    while !server
        .metrics("")
        .await
        .contains("stateset_engine_running_requests{model=\"builtin:tiny\"} 0")
    {
        waits += 1;
        assert!(waits < 100, "the place is not free");
    }
    until("no request is left", || server.app.observed().http().in_progress() == 0).await;
}
