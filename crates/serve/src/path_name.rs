//! The name in a path, such as the id in `/agents/{id}`.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::api_error::ApiError;

/// The one name in a path. What is no UTF-8, or holds the character U+0000, is refused with 400
/// `invalid_path`, since nothing can have such a name.
#[derive(Clone, Debug)]
pub(crate) struct PathName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<PathName, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) if !name.contains('\0') => Ok(PathName(name)),
            _ => {
                let message = "the path holds what is no UTF-8, or the character U+0000";
                Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_path", message).at("path"))
            }
        }
    }
}
