//! One process at a time in a run folder.
//!
//! The lock is the operating system's own (`flock`, `LockFileEx`) on `run.lock`, so it ends with its
//! holder however that dies, and a stale file locks nobody out. Who holds it stands in the file, for the
//! message only. The standard library has these locks since Rust 1.89, so no crate is needed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::{unix_secs, utc_text};
use crate::{RunError, RunFolder};

/// Longest content of `run.lock` that is read for the message.
const MAX_HOLDER_BYTES: u64 = 4_096;

/// The right to write into a run folder. Ends when dropped.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

/// Who holds a lock, as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    /// Seconds since 1970.
    started: u64,
}

impl RunLock {
    /// Takes the lock of `run`, whose folder is created where it is absent.
    ///
    /// # Errors
    /// [`RunError::Locked`], which names the holder, where another process or another part of this one
    /// has it; [`RunError::Io`] where the file system refuses.
    pub fn acquire(run: &RunFolder) -> Result<RunLock, RunError> {
        std::fs::create_dir_all(run.root()).map_err(RunError::io("create", run.root()))?;
        let path = run.lock();
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(RunError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(run.root(), &mut file)),
            Err(TryLockError::Error(source)) => return Err(RunError::io("lock", &path)(source)),
        }
        let holder = Holder { pid: std::process::id(), started: unix_secs() as u64 };
        write_holder(&mut file, &holder).map_err(RunError::io("write", &path))?;
        Ok(RunLock { file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The file stays: removing it would let a third process lock a new file beside a waiting one.
        // An empty one says that nobody is here; closing unlocks even where this fails.
        self.file.set_len(0).ok();
        self.file.unlock().ok();
    }
}

fn write_holder(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    serde_json::to_writer(&mut *file, holder)?;
    file.flush()
}

fn locked(folder: &Path, file: &mut File) -> RunError {
    let mut text = String::new();
    // Windows lets nobody read a locked file; the message is then shorter.
    let read = file.take(MAX_HOLDER_BYTES).read_to_string(&mut text);
    let holder: Option<Holder> = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    let holder = match holder {
        Some(holder) => {
            format!("process {} holds it since {}", holder.pid, utc_text(holder.started))
        }
        None => "another process holds it".to_owned(),
    };
    RunError::Locked { folder: folder.to_owned(), holder }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    /// Set for the test binary that is run again as the other process.
    const HOLD: &str = "STATESET_TEST_HOLD_LOCK";

    #[test]
    fn is_exclusive_and_ends_when_dropped() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path().join("new/run"));
        let lock = RunLock::acquire(&run).unwrap();
        let error = RunLock::acquire(&run).unwrap_err().to_string();
        let pid = std::process::id();
        assert!(error.contains(&format!("process {pid} holds it since 2")), "{error}");
        drop(lock);
        RunLock::acquire(&run).unwrap();
    }

    #[test]
    fn what_a_dead_process_left_behind_locks_nobody_out() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        std::fs::write(run.lock(), r#"{"pid":1,"started":0} and garbage"#).unwrap();
        let _lock = RunLock::acquire(&run).unwrap();
        let error = RunLock::acquire(&run).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
    }

    /// Not a test by itself: the other process of the next one.
    #[test]
    fn hold_until_killed() {
        let Some(folder) = std::env::var_os(HOLD) else { return };
        let _lock = RunLock::acquire(&RunFolder::new(folder)).unwrap();
        println!("locked");
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }

    #[test]
    fn another_process_is_named_and_its_death_unlocks() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lock::tests::hold_until_killed", "--nocapture"])
            .env(HOLD, temp.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(other.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("locked")));
        let error = RunLock::acquire(&run).unwrap_err().to_string();
        assert!(error.contains(&format!("process {} ", other.id())), "{error}");
        other.kill().unwrap();
        other.wait().unwrap();
        RunLock::acquire(&run).unwrap();
    }
}
