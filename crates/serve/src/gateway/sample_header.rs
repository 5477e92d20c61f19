//! `X-Stateset-Sample`: a call of a plain route that names its sample, for programs whose base address is
//! not the sample's own.
//!
//! It becomes the call of the sample's path before a route is chosen. So whatever opens, limits and counts
//! the calls of samples does so for both forms, and no plain route ever answers a call that names a sample.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Uri};
use tower::Layer;
use tower::util::MapRequestLayer;

use super::address::Address;
use super::sessions::missing_key;
use crate::api_error::{ApiError, Dialect};
use crate::security::presented;

/// Names the sample of a call: `run/scenario/sample`.
pub(crate) const SAMPLE_HEADER: &str = "x-stateset-sample";

/// These routes, which calls that name a sample in the header reach by the sample's path.
pub(crate) fn with_sample_header(routes: Router) -> Router {
    Router::new().fallback_service(MapRequestLayer::new(to_its_sample).layer(routes))
}

/// That a call of a model names no sample. One that names it well is not plain any more, so this one is
/// not to be read.
///
/// # Errors
/// [`ApiError`] 401 without a key, else 400 with the header as field.
pub(crate) fn check_plain(path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    if !headers.contains_key(SAMPLE_HEADER) || !is_of_model(path) {
        return Ok(());
    }
    if presented(headers).is_none() {
        return Err(missing_key());
    }
    let message =
        "it names the sample as run/scenario/sample, which is what follows /gateway/ in its path";
    let field = format!("header.{SAMPLE_HEADER}");
    Err(ApiError::invalid(field, message).coded("invalid_header"))
}

fn to_its_sample(mut request: Request) -> Request {
    if let Some(uri) = uri_of_sample(&request) {
        *request.uri_mut() = uri;
        request.headers_mut().remove(SAMPLE_HEADER);
    }
    request
}

fn uri_of_sample(request: &Request) -> Option<Uri> {
    let address = named(request.headers())?;
    if !is_of_model(request.uri().path()) {
        return None;
    }
    let mut parts = request.uri().clone().into_parts();
    let asked = parts.path_and_query.take()?;
    parts.path_and_query = Some(format!("{}{asked}", address.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// The sample that is named, where one is and the header is sent once.
fn named(headers: &HeaderMap) -> Option<Address> {
    let mut values = headers.get_all(SAMPLE_HEADER).iter();
    let name = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| Address::read(name)).flatten()
}

fn is_of_model(path: &str) -> bool {
    path.starts_with("/v1/") && Dialect::of_path(path) != Dialect::Own
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(uri: &str, names: &[&str]) -> Request {
        let mut request = Request::builder().uri(uri);
        for name in names {
            request = request.header("X-Stateset-Sample", *name);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn calls_of_models_go_to_their_sample() {
        for (uri, expected) in [
            ("/v1/chat/completions", "/gateway/run/late/0af3/v1/chat/completions"),
            ("/v1/models/a%2Fb?x=1", "/gateway/run/late/0af3/v1/models/a%2Fb?x=1"),
            ("http://box:1/v1/messages", "http://box:1/gateway/run/late/0af3/v1/messages"),
        ] {
            let request = to_its_sample(asked(uri, &["run/late/0af3"]));
            assert_eq!(request.uri().to_string(), expected);
            assert!(request.headers().is_empty());
        }
    }

    #[test]
    fn everything_else_stays_where_it_is_and_what_cannot_be_read_is_refused() {
        let sample = "run/late/0af3";
        for (uri, names, is_plain) in [
            ("/v1/chat/completions", &[][..], true),
            ("/v1/chat", &[sample], true),
            ("/health", &[sample], true),
            ("/gateway/run/late/0af3/v1/messages", &[sample], true),
            ("/v1/messages", &["run/late"], false),
            ("/v1/messages", &[""], false),
            ("/v1/messages", &[sample, sample], false),
        ] {
            let mut request = to_its_sample(asked(uri, names));
            assert_eq!(request.uri(), uri);
            let status = |request: &Request| {
                let checked = check_plain(request.uri().path(), request.headers());
                checked.map_err(|error| (error.status.as_u16(), error.field))
            };
            let without_key = if is_plain { Ok(()) } else { Err((401, None)) };
            assert_eq!(status(&request), without_key, "{uri} {names:?}");
            request.headers_mut().insert("x-api-key", "key".parse().unwrap());
            let field = Some("header.x-stateset-sample".to_owned());
            let with_key = if is_plain { Ok(()) } else { Err((400, field)) };
            assert_eq!(status(&request), with_key, "{uri} {names:?}");
        }
    }
}
