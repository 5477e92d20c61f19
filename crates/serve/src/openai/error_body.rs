//! How errors are described; [`crate::api_error::Dialect`] writes them.

use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was refused or failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenAiError {
    /// What happened.
    pub error: OpenAiErrorBody,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenAiErrorBody {
    /// For people.
    pub message: String,
    /// Kind of error, such as `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Path of the field at fault.
    #[schema(required)]
    pub param: Option<String>,
    /// Stable name of this error.
    #[schema(required)]
    pub code: Option<String>,
}
