//! Everything that can go wrong while training, as far as it ends the run.

use std::path::PathBuf;

/// An error that ends a run. Messages finish the sentence "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] stateset_nn::NnError),
    /// The engine's thread is gone, after a panic that has been printed.
    #[error("reach the engine: its thread has ended")]
    EngineGone,
    /// The algorithm refused its settings or data.
    #[error("prepare the update: {0}")]
    Algorithm(#[from] stateset_algo::AlgoError),
    /// The run folder refused or failed.
    #[error(transparent)]
    Run(#[from] crate::RunError),
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
    /// Something that a caller can put right.
    #[error("{what}: {message}")]
    Invalid {
        /// What was being set up.
        what: &'static str,
        /// What is wrong, what is allowed, and a hint.
        message: String,
    },
    /// Updates failed again and again.
    #[error("improve the policy: {n_skipped} updates in a row were skipped because {reason}")]
    Diverged {
        /// Updates skipped.
        n_skipped: usize,
        /// What was not finite.
        reason: String,
    },
}

impl TrainError {
    /// An IO error with the file it happened to.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        TrainError::Io { action, path: path.into(), source }
    }
}
