//! The operations of the file system that a checkpoint is made of.
//!
//! All changes go through here, one call for each thing that a crash can come before or after, so that
//! a test can end a run at every one of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Changes folders and files.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// Operations after which everything fails, as after `kill -9`; `None` never.
    #[cfg(test)]
    pub(super) operations_left: Option<usize>,
}

impl Disk {
    pub(super) fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.begin()?;
        fs::create_dir_all(path)
    }

    pub(super) fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(path)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        file.write_all(first)?;
        // Between the halves, so that a test sees half a file.
        self.begin()?;
        file.write_all(second)
    }

    /// Waits until the disk has the bytes of a file.
    pub(super) fn sync_file(&mut self, path: &Path) -> io::Result<()> {
        self.begin()?;
        // Windows syncs only what is open for writing.
        OpenOptions::new().read(true).write(true).open(path)?.sync_all()
    }

    /// Waits until the disk has the names in a folder. Only Unix can be asked for that.
    pub(super) fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        self.begin()?;
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin()?;
        fs::rename(from, to)
    }

    /// Gives a file a second name, or a copy where the file system has no such thing.
    pub(super) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin()?;
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
    }

    pub(super) fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.begin()?;
        fs::remove_dir_all(path)
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.begin()?;
        fs::remove_file(path)
    }

    #[cfg(not(test))]
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn begin(&mut self) -> io::Result<()> {
        match &mut self.operations_left {
            Some(0) => Err(io::Error::other("ended by the test")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
