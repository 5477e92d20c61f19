//! Which pages may call a server on a loopback address, and post to the pages for people on any.
//!
//! A page of any site may send requests to 127.0.0.1 from its reader's browser, and by DNS rebinding read
//! the answers under a name of its own. Its requests carry that name in `Host`, or its own in `Origin`.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};

use crate::api_error::ApiError;

/// Refuses what comes from a page of another site. `hosts` and `origins` are allowed besides loopback.
pub(super) fn check(parts: &Parts, hosts: &[String], origins: &[String]) -> Result<(), ApiError> {
    // Without `Host` it is no browser: those always send it.
    let Some(host) = host(parts) else { return Ok(()) };
    if !is_loopback(host) && !hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        let message = "this server answers on its own machine only; name it localhost or 127.0.0.1, \
             or allow the name by --allowed-host";
        return Err(refused("host_not_allowed", message).at("header.host"));
    }
    check_page(parts, |origin| origins.iter().any(|allowed| allowed == "*" || allowed == origin))
}

/// Refuses what a page of another site sends, unless it is allowed. Whoever names no page is no browser: those
/// do whenever they post.
pub(super) fn check_page(parts: &Parts, is_allowed: impl Fn(&str) -> bool) -> Result<(), ApiError> {
    let (Some(host), Some(origin)) = (host(parts), text(&parts.headers, ORIGIN)) else {
        return Ok(());
    };
    let is_same = origin.split_once("://").is_some_and(|(_, site)| site.eq_ignore_ascii_case(host));
    if is_same || is_allowed(origin) {
        return Ok(());
    }
    let message = "pages of other sites may not call this server; allow theirs by --cors-origin";
    Err(refused("origin_not_allowed", message).at("header.origin"))
}

fn host(parts: &Parts) -> Option<&str> {
    parts.uri.authority().map(Authority::as_str).or_else(|| text(&parts.headers, HOST))
}

/// What is not text is no name that could be allowed.
fn text(headers: &HeaderMap, name: axum::http::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

fn refused(code: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn pages_of_other_sites_are_refused() {
        let cases = [
            (None, None, true),
            (Some("localhost:8000"), None, true),
            (Some("LOCALHOST"), None, true),
            (Some("127.0.0.1:8000"), None, true),
            (Some("127.8.8.8"), None, true),
            (Some("[::1]:8000"), None, true),
            (Some("box.example:8000"), None, true),
            (Some("evil.example"), None, false),
            (Some("localhost.evil.example:8000"), None, false),
            (Some("127.0.0.1.evil.example"), None, false),
            (Some("evil@127.0.0.1"), None, false),
            (Some("192.0.2.1:8000"), None, false),
            (Some("0.0.0.0:8000"), None, false),
            (Some(""), None, false),
            (Some("localhost:8000"), Some("http://localhost:8000"), true),
            (Some("localhost:8000"), Some("https://localhost:8000"), true),
            (Some("localhost:8000"), Some("https://app.example"), true),
            (Some("localhost:8000"), Some("http://localhost:3000"), false),
            (Some("localhost:8000"), Some("https://evil.example"), false),
            (Some("localhost:8000"), Some("null"), false),
            (Some("localhost:8000"), Some(""), false),
        ];
        for (host, origin, passes) in cases {
            let mut request = Request::get("/v1/models");
            for (name, value) in [(HOST, host), (ORIGIN, origin)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let (hosts, origins) =
                (["box.example:8000".to_owned()], ["https://app.example".to_owned()]);
            assert_eq!(check(&parts, &hosts, &origins).is_ok(), passes, "{host:?} {origin:?}");
        }
    }

    #[test]
    fn the_authority_of_http2_counts_as_host() {
        let request = Request::get("https://evil.example/v1/models").body(()).unwrap();
        let (parts, ()) = request.into_parts();
        assert_eq!(check(&parts, &[], &[]).unwrap_err().code, "host_not_allowed");
    }
}
