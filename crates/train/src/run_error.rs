//! What can go wrong with a run folder.
//!
//! Damage that a run survives (a torn journal tail, a broken checkpoint with an older one behind it)
//! is not here: it is returned as a value by whoever found it.

use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be done with a run folder. Messages finish "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Another run holds the folder.
    #[error("lock the run folder {}: {holder}", folder.display())]
    Locked {
        /// The run folder.
        folder: PathBuf,
        /// Who holds it and since when, as a sentence.
        holder: String,
    },
    /// A journal belongs to something else, so that nothing may be appended to it.
    #[error("continue the journal {}: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why it is not this run's.
        reason: String,
    },
    /// A trajectory is too long for the journal, or cannot be written as JSON.
    #[error("write trajectory {id} to the journal: {reason}")]
    Trajectory {
        /// Its address in the run.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The function that fills a checkpoint failed; the older checkpoints are untouched.
    #[error("write the checkpoint of step {step}: {source}")]
    Checkpoint {
        /// Step it was for.
        step: u32,
        /// What the function said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A checkpoint is not as it was written.
    #[error("open the checkpoint {}: {reason}", path.display())]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the run folder holds something that cannot be read.
    #[error("read {} line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The report could not be put together.
    #[error("build the report: {reason}")]
    Report {
        /// What failed.
        reason: String,
    },
}

impl RunError {
    /// Adds what was tried to an error of the file system; for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError {
        move |source| RunError::Io { action, path: path.to_owned(), source }
    }
}
