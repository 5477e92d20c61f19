//! Texts as vectors.

use async_trait::async_trait;

use crate::PolicyError;

/// Maps texts to vectors of one fixed length.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// One vector for each text, in order.
    ///
    /// # Errors
    /// [`PolicyError`] where a text does not fit or the model fails.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PolicyError>;
}
