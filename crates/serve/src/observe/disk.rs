//! Whether the data folder can still be written: the only question that also answers for full disks,
//! quotas, read-only remounts and folders that are gone.

use std::io;
use std::path::{Path, PathBuf};

use crate::DataDisk;

/// What is written; more than file systems keep inside of a directory entry.
const BYTES: usize = 16 << 10;

/// Writes a small file into a folder, to the disk, again and again.
#[derive(Clone, Debug)]
pub struct DiskProbe {
    file: PathBuf,
    disk: DataDisk,
}

impl DiskProbe {
    /// Writes into this folder of `disk`.
    pub fn new(folder: &Path, disk: DataDisk) -> DiskProbe {
        DiskProbe { file: folder.join(".write-probe"), disk }
    }

    /// Writes once.
    ///
    /// # Errors
    /// What the file system says.
    pub fn try_write(&self) -> io::Result<()> {
        self.disk.write(&self.file, &[b'.'; BYTES])
    }

    /// Writes once.
    ///
    /// # Errors
    /// What is wrong with the folder, in words for strangers.
    pub fn write(&self) -> Result<(), String> {
        // The path is for the log; health is read by strangers.
        self.try_write().map_err(|error| {
            tracing::error!(path = %self.file.display(), %error, "the data folder cannot be written");
            format!("the data folder cannot be written: {}", error.kind())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_lost_folder_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let probe = DiskProbe::new(folder.path(), DataDisk::default());
        assert_eq!(probe.write(), Ok(()));
        assert_eq!(probe.write(), Ok(()));
        std::fs::remove_file(&probe.file).unwrap();
        // Every write to this device fails for want of space.
        std::os::unix::fs::symlink("/dev/full", &probe.file).unwrap();
        assert!(probe.write().unwrap_err().contains("no storage space"));
        folder.close().unwrap();
        assert!(probe.write().unwrap_err().contains("not found"));
    }
}
