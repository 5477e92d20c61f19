//! What is seen of a running server from outside: measurements, health, request ids, slow requests,
//! spans.

mod answer_metrics;
mod answer_span;
mod around;
mod disk;
mod health;
mod held_body;
mod http_metrics;
mod observed;
mod pulse;
mod request_id;
mod routes;
mod spans;

pub use answer_metrics::{AnswerMetrics, AnswerWatch, Watching};
pub(crate) use answer_span::AnswerSpan;
pub(crate) use around::around;
pub use disk::DiskProbe;
pub use health::{Component, Health, Probe, Report};
pub use http_metrics::HttpMetrics;
pub use observed::Observed;
pub use pulse::{EngineLoad, Pulses};
pub use request_id::RequestId;
pub use routes::routes;
pub(crate) use routes::{HealthReport, ObservePaths, health_report};
use spans::OpenSpan;
