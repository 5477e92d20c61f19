//! Counters of requests, under the documented names.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper ends of the buckets of durations, in seconds: from a stub's answer to a long generation.
const SECONDS: [f64; 14] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refusal {
    code: &'static str,
}

/// Codes of refusals, which are shown from the start: a series that appears with its first refusal hides
/// it from rates.
const REFUSALS: [&str; 8] = [
    "api_key_missing",
    "invalid_api_key",
    "token_expired",
    "token_too_early",
    "locked_out",
    "role_missing",
    "rate_limit_exceeded",
    "overloaded",
];

/// Counters of requests. Routes are named as they are written (`/agents/{id}`), so that clients cannot
/// make up new series.
pub struct HttpMetrics {
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram, fn() -> Histogram>,
    in_progress: Gauge,
    refused: Family<Refusal, Counter>,
    lockouts: Counter,
    panics: Counter,
    slow: Counter,
    spans_lost: Gauge,
}

impl HttpMetrics {
    /// Counters that this registry shows.
    pub(super) fn register(registry: &mut Registry) -> HttpMetrics {
        let metrics = HttpMetrics {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            in_progress: Gauge::default(),
            refused: Family::default(),
            lockouts: Counter::default(),
            panics: Counter::default(),
            slow: Counter::default(),
            spans_lost: Gauge::default(),
        };
        let HttpMetrics { requests, durations, in_progress, refused, lockouts, .. } = &metrics;
        let HttpMetrics { panics, slow, spans_lost, .. } = &metrics;
        registry.register("stateset_http_requests", "Requests answered", requests.clone());
        registry.register(
            "stateset_http_request_duration_seconds",
            "From a request's head to the last byte of its answer",
            durations.clone(),
        );
        registry.register(
            "stateset_http_requests_in_progress",
            "Requests whose answer has not ended",
            in_progress.clone(),
        );
        registry.register(
            "stateset_http_refused",
            "Requests refused before a handler saw them, by code",
            refused.clone(),
        );
        registry.register(
            "stateset_lockouts",
            "Addresses locked out after too many wrong keys",
            lockouts.clone(),
        );
        registry.register("stateset_http_panics", "Handlers that panicked", panics.clone());
        registry.register(
            "stateset_http_slow_requests",
            "Requests slower than the limit of the slow-request log",
            slow.clone(),
        );
        registry.register(
            "stateset_spans_lost",
            "Spans that the trace collector did not take",
            spans_lost.clone(),
        );
        for code in REFUSALS {
            drop(metrics.refused.get_or_create(&Refusal { code }));
        }
        metrics
    }

    /// A request has come.
    pub(super) fn begin(&self) {
        self.in_progress.inc();
    }

    /// Its answer has ended.
    pub(super) fn end(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        self.in_progress.dec();
        let (method, status) = (name(method), status.as_u16());
        let asked = Asked { method, route: route.to_owned() };
        self.durations.get_or_create(&asked).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { method, route: asked.route, status }).inc();
    }

    /// A request was refused before a handler saw it.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refused.get_or_create(&Refusal { code }).inc();
    }

    /// An address was locked out.
    pub(crate) fn locked_out(&self) {
        self.lockouts.inc();
    }

    /// A handler panicked.
    pub(super) fn panicked(&self) {
        self.panics.inc();
    }

    /// A request was slow.
    pub(super) fn slow(&self) {
        self.slow.inc();
    }

    /// So many spans are lost.
    pub(super) fn spans_lost(&self, n: u64) {
        self.spans_lost.set(i64::try_from(n).unwrap_or(i64::MAX));
    }

    /// Requests whose answer has not ended.
    pub fn in_progress(&self) -> i64 {
        self.in_progress.get()
    }
}

/// Methods that clients make up are one.
pub(super) fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
