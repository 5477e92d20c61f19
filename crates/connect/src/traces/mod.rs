//! Traces for OpenTelemetry: spans, gathered and sent to a collector over OTLP.
//!
//! | file | holds |
//! |---|---|
//! | `context` | where a span stands, as the header `traceparent` says it |
//! | `span` | one span, finished |
//! | `wire` | the layout in which spans are sent |
//! | `settings` | which collector, under which name |
//! | `traces` | the queue, and who empties it |
//!
//! The choice a reader would question: there is no OpenTelemetry library behind it. What a server needs of
//! one is eight messages of a stable layout and a queue; the libraries bring some twenty crates for it.

mod context;
mod settings;
mod span;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod traces;
mod wire;

pub use context::TraceContext;
pub use settings::TraceSettings;
pub use span::{Span, SpanKind, SpanValue};
pub use traces::Traces;
