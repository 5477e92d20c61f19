//! Spans of requests and answers, by the names of OpenTelemetry's conventions where they have one.
//!
//! A request is a span of the server, below the one that its `traceparent` names; each answer that a model
//! gives on its behalf is a span below it. Nothing a client said is in them, and of a caller no more than the
//! name of the key or token.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, StatusCode};
use stateset_connect::{Span, SpanKind, SpanValue, TraceContext, Traces};
use stateset_core::FinishReason;

use super::RequestId;
use crate::answer::Answer;
use crate::api_error::ApiError;
use crate::security::{Identity, Who};

tokio::task_local! {
    static CURRENT: (Traces, TraceContext);
}

/// A span that has not ended. Dropped, it ends and is sent.
#[derive(Debug)]
pub(super) struct OpenSpan {
    traces: Traces,
    context: TraceContext,
    parent: Option<[u8; 8]>,
    kind: SpanKind,
    name: String,
    began: (u64, Instant),
    attributes: Vec<(&'static str, SpanValue)>,
    error: Option<String>,
}

impl OpenSpan {
    /// The span of a request with these headers; `None` where whoever sent it keeps no trace of it.
    pub(super) fn of_request(traces: &Traces, headers: &HeaderMap) -> Option<OpenSpan> {
        let header = headers.get(TraceContext::HEADER).and_then(|header| header.to_str().ok());
        let parent = header.and_then(TraceContext::parse);
        let (context, parent) = match parent {
            Some(parent) if !parent.is_sampled => return None,
            Some(parent) => (parent.child(random()?), Some(parent.span_id)),
            None => (TraceContext::root(random()?, random()?), None),
        };
        Some(OpenSpan::new(traces.clone(), context, parent, SpanKind::Server, String::new()))
    }

    /// The span of an answer by this model, below the request that is being answered; `None` where that
    /// one has none.
    pub(super) fn of_answer(model: &str) -> Option<OpenSpan> {
        let (traces, request) = CURRENT.try_with(Clone::clone).ok()?;
        let (context, name) = (request.child(random()?), format!("chat {model}"));
        let parent = Some(request.span_id);
        let mut span = OpenSpan::new(traces, context, parent, SpanKind::Internal, name);
        span.set("gen_ai.operation.name", "chat");
        span.set("gen_ai.request.model", model);
        Some(span)
    }

    fn new(
        traces: Traces,
        context: TraceContext,
        parent: Option<[u8; 8]>,
        kind: SpanKind,
        name: String,
    ) -> OpenSpan {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = (nanos(since), Instant::now());
        let (attributes, error) = (Vec::new(), None);
        OpenSpan { traces, context, parent, kind, name, began, attributes, error }
    }

    fn set(&mut self, key: &'static str, value: impl Into<SpanValue>) {
        self.attributes.push((key, value.into()));
    }

    /// The id of its trace, as people write it.
    pub(super) fn trace(&self) -> String {
        self.context.trace()
    }

    /// Does `work` on behalf of this span: answers that begin meanwhile are below it.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope((self.traces.clone(), self.context), work).await
    }

    /// What is known of a request once it is answered.
    pub(super) fn answered(
        &mut self,
        id: &RequestId,
        method: &'static str,
        route: &str,
        status: StatusCode,
        caller: Option<&Identity>,
    ) {
        self.name = format!("{method} {route}");
        self.set("http.request.method", method);
        self.set("http.route", route);
        self.set("http.response.status_code", usize::from(status.as_u16()));
        self.set("stateset.request_id", id.to_string());
        match caller.map(|caller| &caller.who) {
            Some(Who::Key(name)) => self.set("stateset.key_id", name.as_ref()),
            Some(Who::Subject(name)) => self.set("enduser.id", name.as_ref()),
            Some(Who::Address(_)) | None => {}
        }
        if status.is_server_error() {
            self.error = Some(status.as_str().to_owned());
        }
    }

    /// The first piece of an answer has come.
    pub(super) fn first_token(&mut self) {
        let secs = self.began.1.elapsed().as_secs_f64();
        self.set("stateset.time_to_first_token_seconds", secs);
    }

    /// The whole answer has come.
    pub(super) fn whole(&mut self, answer: &Answer) {
        self.set("gen_ai.usage.input_tokens", answer.n_prompt);
        self.set("gen_ai.usage.output_tokens", answer.n_drawn);
        if let Some(n_cached) = answer.n_cached {
            self.set("gen_ai.usage.cache_read.input_tokens", n_cached);
        }
        let reason = match answer.finish {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::Cancelled => "cancelled",
        };
        let reasons = SpanValue::Texts(vec![reason.to_owned()]);
        self.set("gen_ai.response.finish_reasons", reasons);
    }

    /// The answer cannot be given.
    pub(super) fn failed(&mut self, error: &ApiError) {
        self.set("error.type", error.code);
        self.error = Some(error.code.to_owned());
    }

    /// Nobody waits for the answer any more.
    pub(super) fn abandoned(&mut self) {
        self.set("stateset.abandoned", true);
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let (start_nanos, begun) = self.began;
        self.traces.add(Span {
            context: self.context,
            parent: self.parent,
            name: std::mem::take(&mut self.name),
            kind: self.kind,
            start_nanos,
            end_nanos: start_nanos.saturating_add(nanos(begun.elapsed())),
            attributes: std::mem::take(&mut self.attributes),
            error: self.error.take(),
        });
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// An id; `None` on a machine without randomness, which then has no spans.
fn random<const N: usize>() -> Option<[u8; N]> {
    let mut id = [0; N];
    getrandom::fill(&mut id).ok()?;
    Some(id)
}
