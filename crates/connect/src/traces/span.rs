//! One span, finished.

use super::TraceContext;

/// Something that took its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its own ids.
    pub context: TraceContext,
    /// The id of the span that caused it.
    pub parent: Option<[u8; 8]>,
    /// What it is, with few different values: `POST /v1/chat/completions`.
    pub name: String,
    /// Its part in a conversation of programs.
    pub kind: SpanKind,
    /// When it began, in nanoseconds since 1970.
    pub start_nanos: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end_nanos: u64,
    /// What else is known, by the names of OpenTelemetry's conventions where they have one.
    pub attributes: Vec<(&'static str, SpanValue)>,
    /// Why it failed, where it did.
    pub error: Option<String>,
}

/// A span's part in a conversation of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Work inside of a program.
    Internal,
    /// An answer to another program.
    Server,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum SpanValue {
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// True or false.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Real(f64),
}

impl From<&str> for SpanValue {
    fn from(text: &str) -> SpanValue {
        SpanValue::Text(text.to_owned())
    }
}

impl From<String> for SpanValue {
    fn from(text: String) -> SpanValue {
        SpanValue::Text(text)
    }
}

impl From<bool> for SpanValue {
    fn from(truth: bool) -> SpanValue {
        SpanValue::Truth(truth)
    }
}

impl From<usize> for SpanValue {
    fn from(n: usize) -> SpanValue {
        SpanValue::Whole(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<f64> for SpanValue {
    fn from(number: f64) -> SpanValue {
        SpanValue::Real(number)
    }
}
