//! The cache on disk, in Hugging Face's own layout, so that models which the Python tools downloaded are
//! found and the other way round.
//!
//! ```text
//! models--owner--name/refs/main                     commit of the branch
//! models--owner--name/snapshots/<commit>/config.json -> ../../blobs/<etag>
//! models--owner--name/blobs/<etag>                  content; <etag>.incomplete while it arrives
//! models--owner--name/.no_exist/<commit>/<file>     empty: the repository has no such file
//! .locks/models--owner--name/<etag>.lock            held while the blob is written
//! ```
//!
//! Source: `file_download.py` of huggingface_hub 2.4. Its `.no_exist` marks are what tells a complete
//! model from an interrupted download without asking the hub.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::files::{self, INDEX_FILE, MAX_INDEX_BYTES, Presence};
use super::model_id::{ModelId, is_commit};
use crate::ConnectError;

/// The part of the cache that belongs to one repository.
pub(super) struct RepoCache {
    folder: PathBuf,
    locks: PathBuf,
}

/// One commit of a repository.
pub(super) struct Snapshot {
    folder: PathBuf,
    marks: PathBuf,
}

impl RepoCache {
    /// The part of `cache` that belongs to `id`; nothing is created.
    pub(super) fn new(cache: &Path, id: &ModelId) -> RepoCache {
        let name = format!("models--{}", id.repo().replace('/', "--"));
        RepoCache { locks: cache.join(".locks").join(&name), folder: cache.join(name) }
    }

    /// The snapshot that `id` stands for, where the cache knows one.
    pub(super) fn find(&self, id: &ModelId) -> Option<Snapshot> {
        if let Some(commit) = id.commit() {
            return Some(self.snapshot(commit));
        }
        let text = fs::read_to_string(self.ref_path(id)).ok()?;
        let commit = text.trim();
        is_commit(commit).then(|| self.snapshot(commit))
    }

    /// The snapshot of a commit, there or not.
    pub(super) fn snapshot(&self, commit: &str) -> Snapshot {
        Snapshot {
            folder: self.folder.join("snapshots").join(commit),
            marks: self.folder.join(".no_exist").join(commit),
        }
    }

    /// Where the content with this tag lies.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Where it lies while it arrives.
    pub(super) fn partial(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Waits until no other thread or process writes this blob. Dropping the file ends the lock.
    ///
    /// File systems without locks are used all the same: a mix-up of two writers is found by the size
    /// and the hash.
    pub(super) fn lock(&self, etag: &str) -> Result<File, ConnectError> {
        let path = self.locks.join(format!("{etag}.lock"));
        create_parent(&path)?;
        let open = File::options().create(true).write(true).truncate(false).open(&path);
        let file = open.map_err(|e| ConnectError::write(&path, 0, e))?;
        let locked = match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                tracing::info!(lock = %path.display(), "waiting for another download of this file");
                file.lock()
            }
            Err(TryLockError::Error(e)) => Err(e),
        };
        match locked {
            Err(e) if e.kind() != io::ErrorKind::Unsupported => {
                Err(ConnectError::file("lock", &path, e))
            }
            _ => Ok(file),
        }
    }

    /// Remembers that the revision of `id` is this commit. A commit is its own name.
    pub(super) fn write_ref(&self, id: &ModelId, commit: &str) -> Result<(), ConnectError> {
        if id.commit().is_some() {
            return Ok(());
        }
        let path = self.ref_path(id);
        if fs::read_to_string(&path).is_ok_and(|old| old.trim() == commit) {
            return Ok(());
        }
        create_parent(&path)?;
        replace(&path, commit.as_bytes())
    }

    fn ref_path(&self, id: &ModelId) -> PathBuf {
        self.folder.join("refs").join(id.revision())
    }
}

impl Snapshot {
    /// The folder that the engine loads.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the cache knows about a file of this commit.
    pub(super) fn presence(&self, name: &str) -> Presence {
        if self.folder.join(name).is_file() {
            Presence::Here
        } else if self.marks.join(name).is_file() {
            Presence::Absent
        } else {
            Presence::Unknown
        }
    }

    /// True where every file that the repository has for the engine is here.
    pub(super) fn is_complete(&self) -> bool {
        match files::chosen(&|name| self.presence(name)) {
            None => false,
            Some(names) => files::check_loadable(&names).is_ok() && self.has_shards_of(&names),
        }
    }

    /// True where the weights and their configuration are here, whatever else may be missing.
    pub(super) fn is_loadable(&self) -> bool {
        let here_or_absent = |name: &str| match self.presence(name) {
            Presence::Unknown => Presence::Absent,
            known => known,
        };
        let names = files::chosen(&here_or_absent).unwrap_or_default();
        files::check_loadable(&names).is_ok() && self.has_shards_of(&names)
    }

    /// Puts a blob into the snapshot under its name.
    pub(super) fn link(&self, name: &str, blob: &Path) -> Result<(), ConnectError> {
        let pointer = self.folder.join(name);
        create_parent(&pointer)?;
        if pointer.is_file() {
            return Ok(());
        }
        // Only a link whose blob has gone can be in the way.
        let _ = fs::remove_file(&pointer);
        let linked = match link_relative(blob, &pointer) {
            // Another thread or process was faster.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && pointer.is_file() => Ok(()),
            other => other,
        };
        linked.map_err(|e| ConnectError::write(&pointer, 0, e))
    }

    /// Remembers which of the names that the engine looks for the repository does not have.
    pub(super) fn mark_absent(&self, names: impl Iterator<Item = &'static str>) -> io::Result<()> {
        fs::create_dir_all(&self.marks)?;
        for name in names {
            File::options().create(true).write(true).truncate(false).open(self.marks.join(name))?;
        }
        Ok(())
    }

    /// Content of the index file.
    pub(super) fn read_index(&self) -> Result<Vec<u8>, ConnectError> {
        let path = self.folder.join(INDEX_FILE);
        let size = fs::metadata(&path).map_err(|e| ConnectError::file("read", &path, e))?.len();
        if size > MAX_INDEX_BYTES {
            let e = io::Error::other(format!("{size} bytes are more than {MAX_INDEX_BYTES}"));
            return Err(ConnectError::file("read", &path, e));
        }
        fs::read(&path).map_err(|e| ConnectError::file("read", &path, e))
    }

    fn has_shards_of(&self, names: &[&str]) -> bool {
        if !names.contains(&INDEX_FILE) {
            return true;
        }
        let shards = self.read_index().ok().and_then(|b| files::shards_of_index(&b).ok());
        let is_here =
            |name: &String| files::is_plain_shard(name) && self.presence(name) == Presence::Here;
        shards.is_some_and(|shards| shards.iter().all(is_here))
    }
}

/// Creates the folder that `path` lies in.
pub(super) fn create_parent(path: &Path) -> Result<(), ConnectError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|e| ConnectError::write(parent, 0, e))
}

/// Links as the Python tools do: relative, so that the cache can be moved. Where the file system has
/// no symbolic links, a hard link or a copy serves as well.
fn link_relative(blob: &Path, pointer: &Path) -> io::Result<()> {
    let name = blob.file_name().unwrap_or_default();
    let target = Path::new("..").join("..").join("blobs").join(name);
    match symlink(&target, pointer) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            fs::hard_link(blob, pointer).or_else(|_| fs::copy(blob, pointer).map(drop))
        }
        other => other,
    }
}

#[cfg(unix)]
fn symlink(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, pointer)
}

#[cfg(windows)]
fn symlink(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, pointer)
}

/// Replaces a small file so that readers see the old content or the new, never a part.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ConnectError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let unique = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let temporary = path.with_added_extension(format!("{}.{}.tmp", unique.0, unique.1));
    let result = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    result.map_err(|e| {
        let _ = fs::remove_file(&temporary);
        ConnectError::write(path, bytes.len() as u64, e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo_cache(folder: &Path, id: &str) -> (RepoCache, ModelId) {
        let id: ModelId = id.parse().unwrap();
        (RepoCache::new(folder, &id), id)
    }

    #[test]
    fn a_ref_leads_to_its_commit_and_a_commit_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        let commit = "ab".repeat(20);
        let (cache, id) = repo_cache(folder.path(), "o/n@refs/pr/1");
        assert!(cache.find(&id).is_none());
        cache.write_ref(&id, &commit).unwrap();
        cache.write_ref(&id, &commit).unwrap();
        let snapshot = cache.find(&id).unwrap();
        assert_eq!(snapshot.folder(), folder.path().join("models--o--n/snapshots").join(&commit));
        let refs = folder.path().join("models--o--n/refs/refs/pr");
        assert_eq!(fs::read_dir(&refs).unwrap().count(), 1, "no temporary file is left");
        let (cache, id) = repo_cache(folder.path(), &format!("o/n@{commit}"));
        assert_eq!(cache.find(&id).unwrap().folder(), snapshot.folder());
    }

    #[test]
    fn a_ref_that_is_no_commit_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, id) = repo_cache(folder.path(), "o/n");
        for text in ["", "../../x", &"AB".repeat(20)] {
            cache.write_ref(&id, text).unwrap();
            assert!(cache.find(&id).is_none(), "{text}");
        }
    }

    #[test]
    fn a_snapshot_is_complete_once_every_file_is_here_or_marked() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, _) = repo_cache(folder.path(), "o/n");
        let snapshot = cache.snapshot(&"0".repeat(40));
        let blob = cache.blob("tag");
        create_parent(&blob).unwrap();
        fs::write(&blob, br#"{"weight_map": {"a": "m-1.safetensors"}}"#).unwrap();
        snapshot.link("config.json", &blob).unwrap();
        snapshot.link(INDEX_FILE, &blob).unwrap();
        assert!(!snapshot.is_loadable(), "the shard is missing");
        snapshot.link("m-1.safetensors", &blob).unwrap();
        assert!(snapshot.is_loadable());
        assert!(!snapshot.is_complete(), "the tokenizer is unknown");
        let present = ["config.json", INDEX_FILE];
        snapshot.mark_absent(files::all_names().filter(|n| !present.contains(n))).unwrap();
        assert!(snapshot.is_complete());
        fs::remove_file(&blob).unwrap();
        assert!(!snapshot.is_loadable(), "links without their blob do not count");
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, _) = repo_cache(folder.path(), "o/n");
        let first = cache.lock("tag").unwrap();
        let path = folder.path().join(".locks/models--o--n/tag.lock");
        let other = File::open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        other.try_lock().unwrap();
    }
}
