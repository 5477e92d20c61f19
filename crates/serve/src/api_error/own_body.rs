//! How errors of this server's own routes are written.

use axum::extract::Request;
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::dialect::written;
use super::{ApiError, Dialect};
use crate::observe::RequestId;
use crate::wire::now;

/// Why a request was refused or failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct OwnError {
    /// What happened.
    pub(super) error: OwnErrorBody,
    /// The request's name, which the server's log knows it by.
    request_id: String,
    /// The path that was asked for.
    path: String,
    /// When, in seconds since 1970.
    timestamp: u64,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorBody)]
pub(crate) struct OwnErrorBody {
    /// Stable name of this kind of failure.
    code: &'static str,
    /// What happened and what to do, for people.
    message: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status_code: u16,
    /// Where, if a field is at fault.
    #[schema(required)]
    details: Option<ErrorDetails>,
}

/// Where something is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetails {
    /// Path of the field at fault, such as `messages[2].content`.
    field: String,
}

/// The request that an error answers.
pub(crate) struct Asked {
    id: RequestId,
    uri: Uri,
}

impl Asked {
    /// The request of this address and name.
    pub(crate) fn new(id: RequestId, uri: Uri) -> Asked {
        Asked { id, uri }
    }
}

impl OwnErrorBody {
    pub(super) fn of(error: &ApiError) -> OwnErrorBody {
        let details = error.field.clone().map(|field| ErrorDetails { field });
        let (code, message) = (error.code, error.message.clone());
        OwnErrorBody { code, message, status_code: error.status.as_u16(), details }
    }
}

impl OwnError {
    pub(super) fn of(error: &ApiError, asked: &Asked) -> OwnError {
        OwnError {
            error: OwnErrorBody::of(error),
            request_id: asked.id.to_string(),
            path: asked.uri.path().to_owned(),
            timestamp: now(),
        }
    }
}

/// For `axum::middleware::from_fn`, where nothing else knows the request: writes an [`ApiError`] that a
/// handler returned, in the words of the API that the path belongs to.
pub(crate) async fn words_of_path(request: Request, next: Next) -> Response {
    let dialect = Dialect::of_path(request.uri().path());
    let asked = Asked::new(RequestId::of(request.headers()), request.uri().clone());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ApiError>() {
        Some(error) => written(response, &error, dialect, Some(&asked)),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_says_what_happened_to_which_request() {
        let headers = [("x-request-id".parse().unwrap(), "abc".parse().unwrap())];
        let headers: HeaderMap = headers.into_iter().collect();
        let asked = Asked::new(RequestId::of(&headers), "/agents?limit=0".parse().unwrap());
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", "no");
        let body = serde_json::to_value(OwnError::of(&error.at("limit"), &asked)).unwrap();
        let expected = json!({
            "code": "invalid_value", "message": "no", "status_code": 422,
            "details": {"field": "limit"},
        });
        assert_eq!(body["error"], expected);
        assert_eq!((&body["request_id"], &body["path"]), (&json!("abc"), &json!("/agents")));
        assert!(body["timestamp"].as_u64().unwrap() > 1_700_000_000);
    }
}
