//! What every request passes before a handler sees it.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Identity, Need, Role, Who, access_of, browser, origin};
use crate::App;
use crate::api_error::ApiError;
use crate::gateway::check_plain;
use crate::limits::Allowance;

/// Lets a request in, with its [`Identity`] among its extensions, or answers it with a refusal.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    browser::take_password(&mut parts);
    let admitted = match admitted(&app, &parts) {
        Ok(admitted) => admitted,
        Err(error) => {
            let mut refused = error.into_response();
            browser::ask(parts.uri.path(), &mut refused);
            return refused;
        }
    };
    let Some(identity) = admitted else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let allowance = match allowance(&app, &identity) {
        Ok(allowance) => allowance,
        Err(refusal) => {
            let (error, spent) = *refusal;
            let mut refused = error.into_response();
            spent.write(refused.headers_mut());
            return refused;
        }
    };
    parts.extensions.insert(identity.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.extensions_mut().insert(identity);
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    response
}

/// Who it is; `None` where the route is open to everyone, or has keys of its own.
fn admitted(app: &App, parts: &axum::http::request::Parts) -> Result<Option<Identity>, ApiError> {
    let security = &app.config().security;
    let is_loopback = app.config().host.is_loopback();
    if is_loopback {
        origin::check(parts, &security.hosts, security.origins())?;
    }
    browser::check_sender(parts, security.origins())?;
    check_plain(parts.uri.path(), &parts.headers)?;
    let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let Need::Role(needed) = access_of(matched, &parts.method) else { return Ok(None) };
    let client = security.proxies.client(&parts.headers, &parts.extensions);
    let found = security.identify(&parts.headers, client, is_loopback, Instant::now());
    let identity = found.map_err(|(error, locks_out)| {
        app.observed().http().refused(error.code);
        if locks_out {
            tracing::warn!(%client, "an address is locked out after too many wrong keys");
            app.observed().http().locked_out();
        }
        error
    })?;
    let checked = identity.check(needed);
    checked.inspect_err(|error| app.observed().http().refused(error.code))?;
    Ok(Some(identity))
}

fn allowance(
    app: &App,
    identity: &Identity,
) -> Result<Option<Allowance>, Box<(ApiError, Allowance)>> {
    // Whoever started the server on their own machine is not held back from it.
    let is_local = matches!(identity.who, Who::Address(_)) && identity.role == Role::Admin;
    let Some(rate) = app.gate().rate.as_ref().filter(|_| !is_local) else { return Ok(None) };
    let allowed = rate.take(&identity.who);
    if allowed.is_err() {
        app.observed().http().refused("rate_limit_exceeded");
    }
    allowed.map(Some)
}
