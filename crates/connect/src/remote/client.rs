//! The HTTP client of everything here but the model hub.
//!
//! TLS is rustls with the `ring` provider and the machine's own certificates. Redirects are not
//! followed: an interface that is called with a key has no business sending it elsewhere.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

use super::call_error::RemoteError;

/// A client for `who` with a limit for connecting. Limits of whole calls are the caller's.
///
/// # Errors
/// [`RemoteError::BadSetting`] where the machine has no certificates that can be used.
pub(crate) fn http_client(who: &str, connect_timeout: Duration) -> Result<Client, RemoteError> {
    let failed = |cause: String| RemoteError::setting(who, "tls", cause);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| failed(error.to_string()))?
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("stateset-agents/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(connect_timeout)
        .build()
        .map_err(|error| failed(described(&error)))
}

/// The address in `text`, which must be one of HTTP.
///
/// # Errors
/// [`RemoteError::BadSetting`] naming `key`.
pub(crate) fn checked_url(who: &str, key: &str, text: &str) -> Result<Url, RemoteError> {
    let allowed = "allowed is an address such as https://api.example/v1";
    // What was given may hold a password, so only a whole address is shown, without it.
    let url = Url::parse(text)
        .map_err(|error| RemoteError::setting(who, key, format!("{error}; {allowed}")))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(RemoteError::setting(who, key, format!("found {other:?}; {allowed}"))),
    }
}

/// An address as it may be shown: without user, password and query.
pub(crate) fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for addresses that cannot have users, and those have none to hide.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.to_string()
}

/// An error of the client with its causes, without the address.
fn described(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        parts.push(cause.to_string());
        source = cause.source();
    }
    parts.dedup();
    parts.join(": ")
}

/// The error of a request to `who` that got no answer.
pub(crate) fn no_answer(who: &str, limit: Duration, error: reqwest::Error) -> RemoteError {
    let who = who.to_owned();
    let (is_connect, is_timeout) = (error.is_connect(), error.is_timeout());
    let cause = described(&error.without_url());
    match (is_connect, is_timeout) {
        (true, _) => RemoteError::Unreachable { who, cause },
        (false, true) => RemoteError::TimedOut { who, limit_secs: limit.as_secs_f64() },
        (false, false) => RemoteError::Closed { who, cause },
    }
}
