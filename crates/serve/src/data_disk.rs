//! The disk that checkpoints of trainings go to, and that health asks about: the system's, or one that a
//! test fills.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use stateset_nn::{Disk, RealDisk, write_file};

/// A disk. Clones are the same one; the default is the system's.
#[derive(Clone)]
pub struct DataDisk(Arc<dyn Disk>);

impl DataDisk {
    /// This disk.
    pub fn new(disk: Arc<dyn Disk>) -> DataDisk {
        DataDisk(disk)
    }

    /// For those that write to it.
    pub(crate) fn shared(&self) -> Arc<dyn Disk> {
        self.0.clone()
    }

    /// Writes a whole file and waits until it is on the disk.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        write_file(self.0.as_ref(), path, bytes)
    }
}

impl Default for DataDisk {
    fn default() -> DataDisk {
        DataDisk(Arc::new(RealDisk))
    }
}

impl fmt::Debug for DataDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataDisk")
    }
}
