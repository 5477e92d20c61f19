//! Spans as a collector gets them.
//!
//! That the layout is OpenTelemetry's own is tested beside it, in `crates/connect`; here the little that is
//! looked at is read back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use prost::Message;
use serde_json::json;
use stateset_connect::{Secret, TraceSettings, Traces};
use stateset_serve::ServeConfig;

use super::running::{Running, USER, start_tiny, until, with_keys};

#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<OfResource>,
}

#[derive(Clone, PartialEq, Message)]
struct OfResource {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<OfScope>,
}

#[derive(Clone, PartialEq, Message)]
struct OfScope {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "7")]
    start: u64,
    #[prost(fixed64, tag = "8")]
    end: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(bool, optional, tag = "2")]
    truth: Option<bool>,
    #[prost(int64, optional, tag = "3")]
    whole: Option<i64>,
    #[prost(double, optional, tag = "4")]
    real: Option<f64>,
}

impl Span {
    fn all(&self) -> BTreeMap<&str, &AnyValue> {
        self.attributes.iter().map(|a| (a.key.as_str(), a.value.as_ref().unwrap())).collect()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.all().get(key)?.text.as_deref()
    }

    fn whole(&self, key: &str) -> Option<i64> {
        self.all().get(key)?.whole
    }
}

/// What came, and how it is answered: the first so many requests are refused for the moment.
#[derive(Clone, Default)]
struct Collector {
    bodies: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    n_refused: Arc<Mutex<usize>>,
}

impl Collector {
    /// Listens; gives the address.
    async fn start(&self) -> String {
        let collector = self.clone();
        let take = async move |headers: HeaderMap, body: Bytes| {
            let mut left = collector.n_refused.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            collector.bodies.lock().unwrap().push((headers, body));
            StatusCode::OK
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/otlp/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        format!("http://{address}/otlp")
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let spans = bodies.iter().flat_map(|(_, body)| {
            let export = Export::decode(body.clone()).unwrap();
            export.resources.into_iter().flat_map(|r| r.scopes).flat_map(|s| s.spans)
        });
        spans.collect()
    }
}

async fn watched(collector: &Collector) -> (Running, Traces) {
    let endpoint = collector.start().await;
    let headers = Secret::new("x-team=ours");
    let settings = TraceSettings::new(&endpoint, Some(&headers), "a test").unwrap();
    let traces = Traces::new(settings).unwrap();
    (start_tiny(ServeConfig { traces: Some(traces.clone()), ..with_keys() }), traces)
}

/// Every span so far, once all requests have ended.
async fn sent(server: &Running, traces: &Traces, collector: &Collector) -> Vec<Span> {
    let http = server.app.observed().http();
    until("every request has ended", || http.in_progress() == 0).await;
    traces.flush().await;
    collector.spans()
}

async fn ask(server: &Running, parent: Option<&str>, stream: bool) -> u16 {
    let body = json!({
        "model": "builtin:tiny", "max_tokens": 4, "stream": stream,
        "messages": [{"role": "user", "content": "a word that nobody else says"}],
    });
    let request = server.client.post(server.url("/v1/chat/completions")).bearer_auth(USER);
    let request = match parent {
        Some(parent) => request.header("traceparent", parent),
        None => request,
    };
    let answer = request.json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    answer.bytes().await.unwrap();
    status
}

#[tokio::test]
async fn a_request_and_its_answer_are_spans_of_the_callers_trace() {
    let collector = Collector::default();
    let (server, traces) = watched(&collector).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for stream in [false, true] {
        assert_eq!(ask(&server, Some(parent), stream).await, 200);
    }
    let spans = sent(&server, &traces, &collector).await;
    let named = |name: &str| spans.iter().filter(|s| s.name == name).collect::<Vec<_>>();
    let (requests, answers) = (named("POST /v1/chat/completions"), named("chat builtin:tiny"));
    assert_eq!((requests.len(), answers.len(), spans.len()), (2, 2, 4), "{spans:#?}");
    for request in &requests {
        assert_eq!(request.parent_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert_eq!(request.text("http.route"), Some("/v1/chat/completions"));
        assert_eq!(request.whole("http.response.status_code"), Some(200));
        assert!(request.text("stateset.key_id").is_some_and(|id| !id.contains(USER)));
        let answer = answers.iter().find(|answer| answer.parent_id == request.span_id).unwrap();
        assert_eq!(answer.trace_id, request.trace_id);
        assert_eq!(answer.text("gen_ai.request.model"), Some("builtin:tiny"));
        let drawn = answer.whole("gen_ai.usage.output_tokens").unwrap();
        assert!((1..=4).contains(&drawn) && answer.whole("gen_ai.usage.input_tokens") > Some(1));
        let first = answer.all()["stateset.time_to_first_token_seconds"].real.unwrap();
        let secs = |span: &Span| (span.end - span.start) as f64 * 1e-9;
        assert!(0.0 < first && first <= secs(answer), "{first} {answer:?}");
        assert!(request.start <= answer.start && secs(answer) <= secs(request) + 1.0);
    }
    let hex: String = requests[0].trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(parent.contains(&hex), "{hex}");
    let bodies = collector.bodies.lock().unwrap();
    for (headers, body) in bodies.iter() {
        assert_eq!(
            (&headers["x-team"], &headers["content-type"]),
            (&"ours".parse().unwrap(), &"application/x-protobuf".parse().unwrap())
        );
        let text = String::from_utf8_lossy(body);
        assert!(!text.contains(USER) && !text.contains("nobody else"), "{text}");
    }
}

#[tokio::test]
async fn traces_begin_here_where_none_comes_and_are_left_out_where_the_caller_keeps_none() {
    let collector = Collector { n_refused: Arc::new(Mutex::new(1)), ..Collector::default() };
    let (server, traces) = watched(&collector).await;
    assert_eq!(
        ask(&server, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), false).await,
        200
    );
    assert_eq!(ask(&server, Some("nonsense"), false).await, 200);
    let wrong = server.get("/v1/models/none").bearer_auth("a wrong key").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let spans = sent(&server, &traces, &collector).await;
    assert_eq!(spans.len(), 3, "{spans:#?}");
    let roots: Vec<&Span> = spans.iter().filter(|span| span.parent_id.is_empty()).collect();
    assert_eq!(roots.len(), 2);
    assert_ne!(roots[0].trace_id, roots[1].trace_id);
    let refused = roots.iter().find(|s| s.whole("http.response.status_code") == Some(401)).unwrap();
    assert_eq!(refused.text("stateset.key_id"), None);
    assert_eq!(traces.n_lost(), 0);
}
