//! How each API writes its errors.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ApiError;
use super::own_body::{Asked, OwnError, OwnErrorBody};

/// Whose words errors are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `{"error": {"message", "type", "param", "code"}}`
    OpenAi,
    /// `{"type": "error", "error": {"type", "message"}}`
    Anthropic,
    /// `{"error": {"code", "message", "status_code", "details"}, "request_id", "path", "timestamp"}`
    Own,
}

impl Dialect {
    /// Whose words the route at this path speaks, for what is refused before a route is reached.
    pub fn of_path(path: &str) -> Dialect {
        // A program under training reaches the same APIs below a path of its own.
        let path = match path.strip_prefix("/gateway/").and_then(|rest| rest.find("/v1/")) {
            Some(at) => &path["/gateway/".len() + at..],
            None => path,
        };
        let is_of = |prefix: &&str| {
            path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_of(&"/v1/messages") {
            return Dialect::Anthropic;
        }
        const OPENAI: [&str; 5] = [
            "/v1/models",
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
        ];
        if OPENAI.iter().any(is_of) { Dialect::OpenAi } else { Dialect::Own }
    }

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

    /// The body of an error, without what is told of its request.
    pub fn body(self, error: &ApiError) -> Value {
        let ApiError { code, message, field, .. } = error;
        let status = self.status(error);
        match self {
            Dialect::OpenAi => json!({"error": {
                "message": message, "type": openai_type(status.as_u16()), "param": field, "code": code,
            }}),
            // There is no place for the field but the message, which begins with it there too.
            Dialect::Anthropic => json!({"type": "error", "error": {
                "type": anthropic_type(status.as_u16()),
                "message": field.iter().chain([message]).map(String::as_str).collect::<Vec<_>>().join(": "),
            }}),
            Dialect::Own => json!({"error": OwnErrorBody::of(error)}),
        }
    }
}

/// For `axum::middleware::map_response`: writes an [`ApiError`] that a handler returned. This server's own
/// words tell of the request too, and are written where it is known.
pub fn layer(dialect: Dialect) -> impl Fn(Response) -> std::future::Ready<Response> + Clone {
    move |mut response| {
        let Some(error) = response.extensions_mut().remove::<ApiError>() else {
            return std::future::ready(response);
        };
        std::future::ready(written(response, &error, dialect, None))
    }
}

/// The response of an error to the request `asked`, in these words; its headers stay.
pub(crate) fn written(
    response: Response,
    error: &ApiError,
    dialect: Dialect,
    asked: Option<&Asked>,
) -> Response {
    let mut written = match asked.filter(|_| dialect == Dialect::Own) {
        Some(asked) => Json(OwnError::of(error, asked)).into_response(),
        None => Json(dialect.body(error)).into_response(),
    };
    *written.status_mut() = dialect.status(error);
    for (name, value) in response.headers() {
        if name != CONTENT_LENGTH && name != CONTENT_TYPE {
            written.headers_mut().append(name, value.clone());
        }
    }
    written
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
