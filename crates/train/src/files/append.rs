//! A file that only grows, by whole pieces.
//!
//! There is no buffer in the process: when `append` returns, the operating system has the bytes, and
//! the death of the process cannot take them back. A piece that could be written only in part (disk
//! full) is cut off again, so that the next one does not follow half a line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::RunError;

/// A file open for appending.
#[derive(Debug)]
pub(crate) struct AppendFile {
    path: PathBuf,
    file: File,
    n_whole_bytes: u64,
    has_torn_tail: bool,
}

impl AppendFile {
    /// Opens `path`, creates it where it is absent, and cuts it to its first `n_bytes`.
    pub(crate) fn open(path: &Path, n_bytes: u64) -> Result<AppendFile, RunError> {
        let open = OpenOptions::new().append(true).create(true).open(path);
        let file = open.map_err(RunError::io("open", path))?;
        let mut file =
            AppendFile { path: path.to_owned(), file, n_whole_bytes: n_bytes, has_torn_tail: true };
        file.cut_torn_tail()?;
        Ok(file)
    }

    /// Adds `piece`; on failure the file is as before.
    pub(crate) fn append(&mut self, piece: &[u8]) -> Result<(), RunError> {
        self.cut_torn_tail()?;
        if let Err(source) = self.file.write_all(piece) {
            self.has_torn_tail = true;
            // Tried now so that readers see whole pieces, and again before the next append.
            self.cut_torn_tail().ok();
            return Err(RunError::Io { action: "append to", path: self.path.clone(), source });
        }
        self.n_whole_bytes += piece.len() as u64;
        Ok(())
    }

    /// Waits until the disk has everything.
    pub(crate) fn sync(&self) -> Result<(), RunError> {
        self.file.sync_all().map_err(RunError::io("sync", &self.path))
    }

    fn cut_torn_tail(&mut self) -> Result<(), RunError> {
        if self.has_torn_tail {
            self.file
                .set_len(self.n_whole_bytes)
                .map_err(RunError::io("cut the torn tail of", &self.path))?;
            self.has_torn_tail = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_to_length_and_appends_there() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        std::fs::write(&path, "whole|torn").unwrap();
        let mut file = AppendFile::open(&path, 6).unwrap();
        file.append(b"next|").unwrap();
        file.sync().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole|next|");
    }

    /// What a full disk leaves behind: bytes after the last whole piece.
    #[test]
    fn a_torn_piece_is_cut_off_before_the_next() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        let mut file = AppendFile::open(&path, 0).unwrap();
        file.append(b"one|").unwrap();
        file.file.write_all(b"tw").unwrap();
        file.has_torn_tail = true;
        file.append(b"three|").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one|three|");
    }
}
