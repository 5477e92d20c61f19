//! The error of a request.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name of this kind of failure, in snake_case; clients may compare it.
    pub code: &'static str,
    /// What happened and what to do, for people.
    pub message: String,
    /// Path of the field at fault, such as `messages[2].content`.
    pub field: Option<String>,
    /// How long to wait before the same request can succeed.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// An error with this status, code and message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { status, code, message: message.into(), field: None, retry_after: None }
    }

    /// 400: a field's value is not allowed.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_value", message).at(field)
    }

    /// 404: nothing has this name.
    pub fn not_found(what: &str, name: &str) -> ApiError {
        let message = format!("there is no {what} {name:?}");
        ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 500: the server is at fault; the reason goes to the log, not to the client.
    pub fn internal(reason: impl std::fmt::Display) -> ApiError {
        tracing::error!(%reason, "a request failed");
        let message = "the server failed; its log has the reason under this request's id";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    /// The same error, under another code.
    pub fn coded(mut self, code: &'static str) -> ApiError {
        self.code = code;
        self
    }

    /// The same error, of this field.
    pub fn at(mut self, field: impl Into<String>) -> ApiError {
        self.field = Some(field.into());
        self
    }

    /// The same error, which goes away after a while.
    pub fn retry_after(mut self, wait: Duration) -> ApiError {
        self.retry_after = Some(wait);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs_f64().ceil() as u64;
            response.headers_mut().insert("retry-after", seconds.max(1).into());
        }
        response.extensions_mut().insert(self);
        response
    }
}
