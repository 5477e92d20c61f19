//! A file that only grows, by whole lines that are on the disk when they were taken.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file of lines. Clones share it.
#[derive(Clone, Debug)]
pub struct LinesFile {
    path: PathBuf,
    writing: Arc<Mutex<()>>,
}

impl LinesFile {
    /// The file at `path`, which is made with its folder when the first line comes.
    pub fn new(path: impl Into<PathBuf>) -> LinesFile {
        LinesFile { path: path.into(), writing: Arc::default() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line, which is on the disk when this returns.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub(crate) fn append(&self, line: &str) -> io::Result<()> {
        let _only = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let n_whole_bytes = file.metadata()?.len();
        let written =
            file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // What a full disk took of the line must not stand before the next one.
            file.set_len(n_whole_bytes)?;
        }
        written
    }
}
