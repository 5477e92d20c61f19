//! Spans in the layout of OTLP.
//!
//! Source: `opentelemetry/proto/collector/trace/v1/trace_service.proto`, `trace/v1/trace.proto` and
//! `common/v1/common.proto` of opentelemetry-proto 1.x. Fields that are never set are left out.

use prost::Message;

use super::{Span, SpanKind, SpanValue};

#[derive(Clone, PartialEq, Message)]
struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<WireSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(int32, tag = "3")]
    code: i32,
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
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Truth(bool),
    #[prost(int64, tag = "3")]
    Whole(i64),
    #[prost(double, tag = "4")]
    Real(f64),
    #[prost(message, tag = "5")]
    Several(Several),
}

#[derive(Clone, PartialEq, Message)]
struct Several {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

/// The status of what failed.
const FAILED: i32 = 2;

/// The body of a request that hands these spans of `service` to a collector.
pub(super) fn encoded(service: &str, version: &str, spans: Vec<Span>) -> Vec<u8> {
    let attributes = [("service.name", service), ("service.version", version)];
    let scope = Scope { name: "stateset-agents".to_owned(), version: version.to_owned() };
    let spans = spans.into_iter().map(WireSpan::from).collect();
    let of_us = ResourceSpans {
        resource: Some(Resource {
            attributes: attributes.map(|(key, value)| key_value(key, value.into())).to_vec(),
        }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
    };
    ExportRequest { resource_spans: vec![of_us] }.encode_to_vec()
}

impl From<Span> for WireSpan {
    fn from(span: Span) -> WireSpan {
        let attributes = span.attributes.into_iter();
        WireSpan {
            trace_id: span.context.trace_id.to_vec(),
            span_id: span.context.span_id.to_vec(),
            parent_span_id: span.parent.map_or(Vec::new(), |id| id.to_vec()),
            name: span.name,
            kind: match span.kind {
                SpanKind::Internal => 1,
                SpanKind::Server => 2,
            },
            start_time_unix_nano: span.start_nanos,
            end_time_unix_nano: span.end_nanos,
            attributes: attributes.map(|(key, value)| key_value(key, value)).collect(),
            status: span.error.map(|message| Status { message, code: FAILED }),
        }
    }
}

fn key_value(key: &str, value: SpanValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(of(value)) }) }
}

fn of(value: SpanValue) -> Value {
    match value {
        SpanValue::Text(text) => Value::Text(text),
        SpanValue::Truth(truth) => Value::Truth(truth),
        SpanValue::Whole(n) => Value::Whole(n),
        SpanValue::Real(number) => Value::Real(number),
        SpanValue::Texts(texts) => {
            let text = |text| AnyValue { value: Some(Value::Text(text)) };
            Value::Several(Several { values: texts.into_iter().map(text).collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TraceContext;
    use super::*;

    /// The same spans as in `tests/golden/otlp.py`.
    fn spans() -> Vec<Span> {
        let context = TraceContext::root(*b"0123456789abcdef", *b"AAAAAAAA");
        let request = Span {
            context,
            parent: Some(*b"PPPPPPPP"),
            name: "POST /v1/chat/completions".to_owned(),
            kind: SpanKind::Server,
            start_nanos: 1_700_000_000_000_000_000,
            end_nanos: 1_700_000_000_250_000_001,
            attributes: vec![
                ("http.request.method", "POST".into()),
                ("http.response.status_code", 500_usize.into()),
            ],
            error: Some("500".to_owned()),
        };
        let answer = Span {
            context: context.child(*b"BBBBBBBB"),
            parent: Some(context.span_id),
            name: "chat tiny – ü".to_owned(),
            kind: SpanKind::Internal,
            start_nanos: 1,
            end_nanos: u64::MAX,
            attributes: vec![
                ("gen_ai.usage.output_tokens", 0_usize.into()),
                ("stateset.time_to_first_token_seconds", 0.125.into()),
                ("stateset.is_abandoned", false.into()),
                (
                    "gen_ai.response.finish_reasons",
                    SpanValue::Texts(vec!["stop".to_owned(), String::new()]),
                ),
            ],
            error: None,
        };
        let root = Span { parent: None, attributes: Vec::new(), ..answer.clone() };
        vec![request, answer, root]
    }

    #[test]
    fn the_bytes_are_those_of_opentelemetrys_own_messages() {
        let golden = include_str!("../../../../tests/golden/otlp.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let hex: String = encoded("a service", "1.2.3", spans())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, golden["request"].as_str().unwrap());
    }
}
