//! Everything that can go wrong in the engine.

use std::path::PathBuf;

use crate::text_error::TextError;

/// An error of the engine. Messages finish the sentence "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum NnError {
    /// A file could not be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// `read`, `write` or the like.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A model's configuration names a family this engine does not know.
    #[error(
        "load a model of type {found:?}: known types are {}",
        crate::families::known().join(", ")
    )]
    UnknownFamily {
        /// The `model_type` found.
        found: String,
    },
    /// A key of a model's configuration is missing or impossible.
    #[error("read key `{key}` of the model configuration: {message}")]
    ModelConfig {
        /// The key, with dots for nesting.
        key: String,
        /// What was found and what is allowed.
        message: String,
    },
    /// A file is not what it says it is.
    #[error("read {path}: {message}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A tensor is missing or does not fit the model.
    #[error("load tensor `{tensor}` from {path}: {message}")]
    Tensor {
        /// The file or folder.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What was found and what is needed.
        message: String,
    },
    /// The request does not fit what the engine was set up for.
    #[error("{what}: {found} is more than the limit of {limit}")]
    TooLarge {
        /// What was asked for.
        what: &'static str,
        /// How much.
        found: usize,
        /// How much is possible.
        limit: usize,
    },
    /// Tokenizer or chat template.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Settings that contradict each other or the model.
    #[error("set up {what}: {message}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What is wrong and what is allowed.
        message: String,
    },
}

impl NnError {
    /// An IO error with the file it happened to.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        NnError::Io { action, path: path.into(), source }
    }
}
