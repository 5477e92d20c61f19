//! The few file operations that saving needs, behind a trait so that a test can fill the disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Where checkpoints are written.
pub trait Disk: Send + Sync {
    /// A new file at `path`, replacing one that exists.
    ///
    /// # Errors
    /// Those of the system.
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>>;
}

/// A file being written.
pub trait SyncWrite: Write + Send {
    /// Returns once everything written is on the disk.
    ///
    /// # Errors
    /// Those of the system.
    fn sync(&mut self) -> io::Result<()>;
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        Ok(Box::new(Buffered(io::BufWriter::with_capacity(1 << 20, File::create(path)?))))
    }
}

struct Buffered(io::BufWriter<File>);

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl SyncWrite for Buffered {
    fn sync(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.0.get_ref().sync_all()
    }
}

/// Writes a whole file and waits until it is on the disk.
///
/// # Errors
/// Those of the system.
pub fn write_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = disk.create(path)?;
    file.write_all(bytes)?;
    file.sync()
}

/// Waits until the entries of a folder are on the disk.
///
/// # Errors
/// Those of the system.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = fs::metadata(path)?;
    Ok(())
}

/// Reads a text file of at most `limit` bytes.
pub(super) fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let len = fs::metadata(path)?.len();
    if len > limit {
        let message = format!("it has {len} bytes, at most {limit} are read");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    fs::read(path)
}
