//! Somebody who answers instead of a model of this server.

use async_trait::async_trait;
use stateset_core::Completion;

use super::AnswerRequest;
use crate::api_error::ApiError;

/// Answers requests as a whole. Behind every API of the server a speaker looks like a model.
#[async_trait]
pub trait Speaker: Send + Sync {
    /// Answers. Dropping the future means that the client went away.
    ///
    /// # Errors
    /// [`ApiError`] that the client is told.
    async fn answer(&self, request: AnswerRequest) -> Result<Completion, ApiError>;
}
