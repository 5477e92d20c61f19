//! Bodies of requests to this server's own routes: JSON, and no field that nothing reads.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::App;
use crate::api_error::ApiError;

/// The body of a request, read. An empty body counts as `{}`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| {
            let most = app.config().max_body_bytes;
            let message = format!("the body cannot be read, or has more than {most} bytes");
            let code = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
                _ => "unreadable_body",
            };
            ApiError::new(rejection.status(), code, message)
        })?;
        let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(JsonBody).map_err(|error| refusal(&error))
    }
}

/// What a client is told of JSON that cannot be used.
pub(crate) fn refusal(error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    if error.classify() != Category::Data {
        let message = format!("the body is not JSON: {text}");
        return ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", message);
    }
    let named = |start: &str| {
        text.strip_prefix(start).and_then(|rest| rest.split('`').next()).map(str::to_owned)
    };
    let (code, field) = if let Some(field) = named("unknown field `") {
        ("unknown_field", Some(field))
    } else if let Some(field) = named("missing field `") {
        ("missing_field", Some(field))
    } else {
        ("invalid_value", None)
    };
    let mut refused = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, text);
    refused.field = field;
    refused
}

/// 422: the value of a field cannot be used.
pub(crate) fn unusable(
    code: &'static str,
    field: impl Into<String>,
    message: impl Into<String>,
) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message).at(field)
}

/// That a text has 1 to `most` characters and none that databases cannot keep.
pub(crate) fn check_text(field: &str, text: &str, most: usize) -> Result<(), ApiError> {
    let n = text.chars().count();
    if n == 0 || n > most {
        let message = format!("it has {n} characters; allowed are 1 to {most}");
        return Err(unusable("invalid_length", field, message));
    }
    if text.contains('\0') {
        return Err(unusable("invalid_value", field, "it holds the character U+0000"));
    }
    Ok(())
}

/// The idempotency key of a request: the header's, or else the body's.
pub(crate) fn with_key(
    headers: &axum::http::HeaderMap,
    of_body: Option<String>,
) -> Result<Option<String>, ApiError> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(of_body) };
    let key = header.to_str().unwrap_or_default();
    check_text("Idempotency-Key", key, 200)?;
    Ok(Some(key.to_owned()))
}
