//! What browsers are told about every answer, and which pages of other sites may read it.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::ServeError;
use crate::gateway::SAMPLE_HEADER;

/// Headers of every answer. Only the policy for contents may be another one, which pages set themselves.
const FIXED: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];
const CSP: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const HSTS: &str = "max-age=31536000";

/// Adds the headers that keep browsers from doing harm with an answer.
pub(crate) fn protect(headers: &mut HeaderMap, is_tls: bool) {
    for (name, value) in FIXED {
        let name = HeaderName::from_static(name);
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry("content-security-policy").or_insert(HeaderValue::from_static(CSP));
    if is_tls {
        headers.insert("strict-transport-security", HeaderValue::from_static(HSTS));
    }
}

/// Which pages may read answers. Answers hold no cookies, so `*` gives away nothing that a key does not
/// protect.
pub(super) fn cors(origins: &[String]) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("anthropic-version"),
            HeaderName::from_static("anthropic-beta"),
            HeaderName::from_static("openai-organization"),
            HeaderName::from_static("openai-project"),
            HeaderName::from_static(SAMPLE_HEADER),
        ])
        .expose_headers([
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-response-time-ms"),
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
            RETRY_AFTER,
        ])
        .max_age(Duration::from_secs(600));
    if origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(Any);
    }
    let listed = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(listed))
}

/// Refuses what is no origin as browsers write it.
///
/// # Errors
/// [`ServeError::Setting`] with what is allowed.
pub fn check_origin(origin: &str) -> Result<(), ServeError> {
    let is_site = |site: &str| {
        site.parse::<axum::http::uri::Authority>()
            .is_ok_and(|authority| !authority.as_str().contains('@'))
    };
    let site = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    if origin == "*" || site.is_some_and(is_site) {
        return Ok(());
    }
    let message = format!(
        "{origin:?} is no origin; write it as https://app.example or http://localhost:3000, without a \
         path, or * for all"
    );
    Err(ServeError::Setting { what: "--cors-origin", message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_a_scheme_and_a_site() {
        for good in ["*", "https://app.example", "http://localhost:3000", "http://[::1]:80"] {
            assert!(check_origin(good).is_ok(), "{good}");
        }
        for bad in ["", "app.example", "https://", "https://a/b", "ftp://a", "https://u@a", "null"]
        {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_keeps_its_own_policy() {
        let mut headers = HeaderMap::new();
        headers.insert("content-security-policy", HeaderValue::from_static("default-src 'self'"));
        protect(&mut headers, true);
        assert_eq!(headers["content-security-policy"], "default-src 'self'");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["strict-transport-security"], HSTS);
    }
}
