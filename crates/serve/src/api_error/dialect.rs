//! How each API writes its errors.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ApiError;

/// Whose words errors are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `{"error": {"message", "type", "param", "code"}}`
    OpenAi,
    /// `{"type": "error", "error": {"type", "message"}}`
    Anthropic,
    /// `{"error": {"code", "message", "status_code", "details"}}`
    Own,
}

impl Dialect {
    /// The status of an error: clients of OpenAI and Anthropic expect 400 where a body does not fit.
    pub fn status(self, error: &ApiError) -> StatusCode {
        match self {
            Dialect::OpenAi | Dialect::Anthropic
                if error.status == StatusCode::UNPROCESSABLE_ENTITY =>
            {
                StatusCode::BAD_REQUEST
            }
            _ => error.status,
        }
    }

    /// The body of an error.
    pub fn body(self, error: &ApiError) -> Value {
        let ApiError { code, message, field, .. } = error;
        let status = self.status(error);
        match self {
            Dialect::OpenAi => json!({"error": {
                "message": message, "type": openai_type(status.as_u16()), "param": field, "code": code,
            }}),
            Dialect::Anthropic => json!({"type": "error", "error": {
                "type": anthropic_type(status.as_u16()), "message": message,
            }}),
            Dialect::Own => json!({"error": {
                "code": code, "message": message, "status_code": status.as_u16(),
                "details": field.as_ref().map(|field| json!({"field": field})),
            }}),
        }
    }
}

/// For `axum::middleware::map_response`: writes an [`ApiError`] that a handler returned.
pub fn layer(dialect: Dialect) -> impl Fn(Response) -> std::future::Ready<Response> + Clone {
    move |mut response| {
        let Some(error) = response.extensions_mut().remove::<ApiError>() else {
            return std::future::ready(response);
        };
        let mut written = Json(dialect.body(&error)).into_response();
        *written.status_mut() = dialect.status(&error);
        let retry = response.headers_mut().remove("retry-after");
        if let Some(retry) = retry {
            written.headers_mut().insert("retry-after", retry);
        }
        std::future::ready(written)
    }
}

fn openai_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
