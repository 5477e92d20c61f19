//! Replacing a small file in one step.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::RunError;

/// Writes `bytes` beside `path`, waits for the disk, and renames: a reader or a crash finds the old
/// file or the new one, never a mixture.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let beside = beside(path);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)
    };
    if let Err(source) = write() {
        fs::remove_file(&beside).ok();
        return Err(RunError::Io { action: "write", path: path.to_owned(), source });
    }
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Waits until the disk has the names in `folder`. Only Unix can be asked for that.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), RunError> {
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)
            .and_then(|file| file.sync_all())
            .map_err(RunError::io("sync", folder))?;
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".tmp-{name}-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_file_and_leaves_nothing_beside_it() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("LATEST");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn failure_names_the_file() {
        let temp = tempfile::tempdir().unwrap();
        let error = write_atomically(&temp.path().join("no/such/file"), b"x").unwrap_err();
        assert!(error.to_string().starts_with("write "), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }
}
