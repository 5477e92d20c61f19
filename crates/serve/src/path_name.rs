//! The name in a path, such as the id in `/agents/{id}`.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::api_error::ApiError;

/// The last name in a path. What is no UTF-8, or holds the character U+0000, is refused with 400
/// `invalid_path`, since nothing can have such a name.
#[derive(Clone, Debug)]
pub(crate) struct PathName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<PathName, ApiError> {
        let found = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        // Below the path of a sample there are names before it.
        let last = found.ok().and_then(|Path(mut names)| names.pop());
        let name = last.map(|(_, name)| name).filter(|name| !name.contains('\0'));
        name.map(PathName).ok_or_else(invalid_path)
    }
}

/// 400: nothing can have such a name.
pub(crate) fn invalid_path() -> ApiError {
    let message = "the path holds what is no UTF-8, or the character U+0000";
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_path", message).at("path")
}
