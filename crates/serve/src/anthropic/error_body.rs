//! How errors are described; [`crate::api_error::Dialect`] writes them.

use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was refused or failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnthropicError {
    /// Always `error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened.
    pub error: AnthropicErrorBody,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnthropicErrorBody {
    /// Kind of error, such as `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people; begins with the path of the field at fault.
    pub message: String,
}
