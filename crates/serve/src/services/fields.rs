//! What routes of this server ask of fields.

use axum::http::StatusCode;
use utoipa::IntoParams;

use crate::api_error::ApiError;

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

/// The header that lets a request count once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is never made: only its description is used")]
pub(crate) struct OnceHeader {
    /// A request that is sent again with the same key has the first one's answer.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 200)]
    key: Option<String>,
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
