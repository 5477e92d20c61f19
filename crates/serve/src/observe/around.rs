//! What stands around every request: its id, a place among those that are answered, the time it takes,
//! its trace in the log, and what happens when a handler panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::Instrument;

use super::held_body::hold;
use super::http_metrics::name;
use super::{OpenSpan, RequestId};
use crate::App;
use crate::api_error::{ApiError, Asked, Dialect, written};
use crate::limits::Slot;
use crate::security::{Identity, Need, access_of};
use crate::server::protect;

/// Answers a request, or what is left of it.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let asked = Asked::new(id.clone(), request.uri().clone());
    let dialect = Dialect::of_path(request.uri().path());
    let mut running = Running::begin(app.clone(), &request, id.clone());
    let mut response = match running.take_slot() {
        Ok(()) => {
            let trace = running.span.as_ref().map(OpenSpan::trace);
            let span = tracing::info_span!(
                "request", %id, method = %running.method, route = running.route(), trace,
            );
            let answered = answered(&app, request, next).instrument(span);
            match &running.span {
                Some(span) => span.during(answered).await,
                None => answered.await,
            }
        }
        Err(error) => error.into_response(),
    };
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        response = written(response, &error, dialect, Some(&asked));
    }
    running.status = response.status();
    running.caller = response.extensions_mut().remove();
    let headers = response.headers_mut();
    if running.status == StatusCode::UNAUTHORIZED {
        headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
    }
    protect(headers, app.config().tls.is_some());
    headers.insert(RequestId::HEADER, id.header());
    let millis = running.begun.elapsed().as_micros().div_ceil(1000);
    headers.insert("x-response-time-ms", u64::try_from(millis).unwrap_or(u64::MAX).into());
    hold(response, running, move || {
        let mut closing = app.observed().closing();
        Box::pin(async move {
            let _ = closing.wait_for(|is_closing| *is_closing).await;
        })
    })
}

async fn answered(app: &App, request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            app.observed().http().panicked();
            ApiError::internal("a handler panicked; the reason stands above").into_response()
        }
    }
}

/// A request whose answer has not ended; dropping it is the end.
struct Running {
    app: App,
    id: RequestId,
    method: Method,
    route: Option<MatchedPath>,
    status: StatusCode,
    /// Who sent it, once that is known.
    caller: Option<Identity>,
    begun: Instant,
    slot: Option<Slot>,
    span: Option<OpenSpan>,
}

impl Running {
    fn begin(app: App, request: &Request, id: RequestId) -> Running {
        app.observed().http().begin();
        let traces = app.observed().traces();
        let span = traces.and_then(|traces| OpenSpan::of_request(traces, request.headers()));
        Running {
            app,
            id,
            method: request.method().clone(),
            route: request.extensions().get().cloned(),
            status: StatusCode::OK,
            caller: None,
            begun: Instant::now(),
            slot: None,
            span,
        }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }

    /// Questions about health are answered however much there is to do, and samples wait for each other.
    fn take_slot(&mut self) -> Result<(), ApiError> {
        let route = self.route.as_ref().map(MatchedPath::as_str);
        let is_watching = route.is_some_and(|route| route.starts_with("/metrics"));
        if is_watching || !matches!(access_of(route, &self.method), Need::Role(_)) {
            return Ok(());
        }
        let slot = self.app.gate().capacity.take();
        if slot.is_err() {
            self.app.observed().http().refused("overloaded");
        }
        self.slot = Some(slot?);
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let http = self.app.observed().http();
        if let Some(mut span) = self.span.take() {
            let (method, caller) = (name(&self.method), self.caller.as_ref());
            span.answered(&self.id, method, self.route(), self.status, caller);
        }
        http.end(&self.method, self.route(), self.status, took);
        let (id, method, status) = (&self.id, &self.method, self.status.as_u16());
        let (route, millis) = (self.route(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        if took >= self.app.config().slow_request {
            http.slow();
            tracing::warn!(%id, %method, route, status, millis, "a request was slow");
        } else {
            tracing::info!(%id, %method, route, status, millis, "answered");
        }
    }
}
