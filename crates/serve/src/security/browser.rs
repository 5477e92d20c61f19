//! Keys from browsers, which can be asked for a password and for nothing else: pages for people take a key
//! as the password of any user. Other routes do not, because browsers would send it there unasked.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::origin;
use crate::api_error::ApiError;

/// True for the pages for people.
fn is_page(path: &str) -> bool {
    path == "/dashboard" || path.starts_with("/dashboard/")
}

/// Puts a password that was sent for a page in the place of a key.
pub(super) fn take_password(parts: &mut Parts) {
    if !is_page(parts.uri.path()) {
        return;
    }
    let Some(key) = parts.headers.get(AUTHORIZATION).and_then(password) else { return };
    if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {key}")) {
        value.set_sensitive(true);
        parts.headers.insert(AUTHORIZATION, value);
    }
}

/// Refuses what a page of another site sends to change something: browsers add the password unasked.
///
/// # Errors
/// [`ApiError`] 403.
pub(super) fn check_sender(parts: &Parts, origins: &[String]) -> Result<(), ApiError> {
    let only_reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    match is_page(parts.uri.path()) && !only_reads {
        // That any page may read answers does not mean that any may press our buttons.
        true => origin::check_page(parts, |origin| origins.iter().any(|allowed| allowed == origin)),
        false => Ok(()),
    }
}

/// Asks for a password where a page was refused for want of a key.
pub(super) fn ask(path: &str, response: &mut Response) {
    if is_page(path) && response.status() == StatusCode::UNAUTHORIZED {
        let asks = HeaderValue::from_static("Basic realm=\"StateSet Agents\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, asks);
    }
}

fn password(value: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn after(path: &str, authorization: &str) -> String {
        let request = Request::builder().uri(path).header(AUTHORIZATION, authorization);
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        take_password(&mut parts);
        parts.headers[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn passwords_are_keys_on_pages_only() {
        let basic = format!("Basic {}", STANDARD.encode("anna:key:with:colons"));
        assert_eq!(after("/dashboard/runs/one", &basic), "Bearer key:with:colons");
        assert_eq!(after("/dashboard", &basic), "Bearer key:with:colons");
        for path in ["/v1/models", "/dashboards", "/api/train"] {
            assert_eq!(after(path, &basic), basic, "{path}");
        }
        for kept in ["Bearer key", "Basic !!", "Basic", "Basic bm9jb2xvbg=="] {
            assert_eq!(after("/dashboard", kept), kept);
        }
    }

    #[test]
    fn pages_of_other_sites_change_nothing_on_ours() {
        for (method, path, origin, passes) in [
            ("POST", "/dashboard/jobs/a/cancel", Some("https://box.example"), true),
            ("POST", "/dashboard/jobs/a/cancel", Some("https://evil.example"), false),
            ("POST", "/dashboard/jobs/a/cancel", Some("null"), false),
            ("POST", "/dashboard/jobs/a/cancel", None, true),
            ("GET", "/dashboard/jobs", Some("https://evil.example"), true),
            ("POST", "/v1/chat/completions", Some("https://evil.example"), true),
        ] {
            let mut request = Request::builder().method(method).uri(path);
            request = request.header("host", "box.example");
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(
                check_sender(&parts, &["*".to_owned()]).is_ok(),
                passes,
                "{method} {path} {origin:?}"
            );
        }
    }
}
