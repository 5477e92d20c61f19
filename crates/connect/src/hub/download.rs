//! One file from the hub into the cache: continued where it broke off, checked, then moved into place.
//!
//! The content is checked against the length that was announced and, for large files, whose tag is their
//! SHA-256, against that. The tag of a small file is left alone: mirrors make it in ways of their own.
//! Unlike the Python tools of today, which start over, the unfinished file has a fixed name, so that the
//! next run continues it; the lock and the hash keep two writers apart.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::attempts::pause;
use super::cache::{RepoCache, create_parent};
use super::model_id::ModelId;
use super::settings::HubSettings;
use super::transport::{RemoteFile, Transport};
use crate::ConnectError;

/// Bytes that are copied at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Everything a download needs beside the file.
pub(super) struct Downloader<'a> {
    pub(super) settings: &'a HubSettings,
    pub(super) transport: &'a Transport,
    pub(super) cache: &'a RepoCache,
    pub(super) id: &'a ModelId,
    pub(super) commit: &'a str,
}

/// A file while it arrives.
struct Unfinished {
    file: File,
    len: u64,
    hash: Sha256,
}

impl Downloader<'_> {
    /// Makes the blob of `file` whole. `on_bytes` is told how many bytes of it are on disk.
    pub(super) fn download(
        &self,
        file: &RemoteFile,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<(), ConnectError> {
        let blob = self.cache.blob(&file.etag);
        create_parent(&blob)?;
        let _lock = self.cache.lock(&file.etag)?;
        match fs::metadata(&blob) {
            Ok(found) if found.len() == file.size => {
                on_bytes(file.size);
                return Ok(());
            }
            Ok(_) => remove(&blob)?,
            Err(_) => {}
        }
        let partial = self.cache.partial(&file.etag);
        let unfinished = self.receive(file, &partial, on_bytes)?;
        self.finish(file, unfinished, &partial, &blob)
    }

    fn receive(
        &self,
        file: &RemoteFile,
        partial: &Path,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Unfinished, ConnectError> {
        let mut n_failures = 0;
        let mut unfinished = Unfinished::open(partial, file.size)?;
        loop {
            let before = unfinished.len;
            match self.receive_once(file, partial, &mut unfinished, on_bytes) {
                Ok(()) => return Ok(unfinished),
                Err(e) if !e.is_passing() => return Err(e),
                Err(e) => {
                    n_failures = if unfinished.len > before { 1 } else { n_failures + 1 };
                    if n_failures > self.settings.n_retries {
                        return Err(e);
                    }
                    tracing::debug!(file = file.name, error = %e, "continuing the download");
                    pause(self.settings, n_failures);
                }
            }
        }
    }

    fn receive_once(
        &self,
        file: &RemoteFile,
        partial: &Path,
        unfinished: &mut Unfinished,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<(), ConnectError> {
        on_bytes(unfinished.len);
        if unfinished.len == file.size && file.size > 0 {
            return Ok(());
        }
        let bytes = self.transport.open(self.id, self.commit, &file.name, unfinished.len);
        let bytes = bytes.map_err(|e| match e {
            ConnectError::Unreachable { cause, .. } => {
                self.interrupted(file, unfinished.len, cause)
            }
            other => other,
        })?;
        if bytes.start < unfinished.len {
            unfinished.restart(partial)?;
        }
        self.copy(file, bytes.reader, partial, unfinished, on_bytes)
    }

    fn copy(
        &self,
        file: &RemoteFile,
        mut reader: impl Read,
        partial: &Path,
        unfinished: &mut Unfinished,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<(), ConnectError> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let n = match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(self.interrupted(file, unfinished.len, e.to_string())),
            };
            if unfinished.len + n as u64 > file.size {
                let problem = format!("more than the announced {} bytes came", file.size);
                return Err(self.damaged(file, partial, problem));
            }
            unfinished
                .append(&chunk[..n])
                .map_err(|e| ConnectError::write(partial, file.size - unfinished.len, e))?;
            on_bytes(unfinished.len);
        }
        if unfinished.len < file.size {
            let problem = format!("{} of the announced {} bytes came", unfinished.len, file.size);
            return Err(self.damaged(file, partial, problem));
        }
        Ok(())
    }

    fn finish(
        &self,
        file: &RemoteFile,
        unfinished: Unfinished,
        partial: &Path,
        blob: &Path,
    ) -> Result<(), ConnectError> {
        let is_sha256 = file.etag.len() == 64 && file.etag.bytes().all(|b| b.is_ascii_hexdigit());
        let found = hexadecimal(&unfinished.hash.finalize());
        if is_sha256 && !found.eq_ignore_ascii_case(&file.etag) {
            let problem = format!("its SHA-256 is {found}, announced was {}", file.etag);
            return Err(self.damaged(file, partial, problem));
        }
        unfinished.file.sync_all().map_err(|e| ConnectError::write(partial, 0, e))?;
        fs::rename(partial, blob).map_err(|e| ConnectError::write(blob, 0, e))
    }

    /// Deletes what arrived and reports it.
    fn damaged(&self, file: &RemoteFile, partial: &Path, problem: String) -> ConnectError {
        let _ = fs::remove_file(partial);
        ConnectError::Damaged { id: self.id.to_string(), file: file.name.clone(), problem }
    }

    fn interrupted(&self, file: &RemoteFile, done_bytes: u64, cause: String) -> ConnectError {
        ConnectError::Interrupted {
            id: self.id.to_string(),
            file: file.name.clone(),
            done_bytes,
            total_bytes: file.size,
            cause,
        }
    }
}

impl Unfinished {
    /// What an earlier run left, or an empty file. More than `size` bytes cannot be a beginning.
    fn open(path: &Path, size: u64) -> Result<Unfinished, ConnectError> {
        let opened = File::options().create(true).append(true).read(true).open(path);
        let file = opened.map_err(|e| ConnectError::write(path, size, e))?;
        let mut unfinished = Unfinished { file, len: 0, hash: Sha256::new() };
        let len =
            unfinished.file.metadata().map_err(|e| ConnectError::file("read", path, e))?.len();
        if len > size {
            unfinished.restart(path)?;
            return Ok(unfinished);
        }
        let mut rest = (&unfinished.file).take(len);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let n = rest.read(&mut chunk).map_err(|e| ConnectError::file("read", path, e))?;
            if n == 0 {
                return Ok(unfinished);
            }
            unfinished.hash.update(&chunk[..n]);
            unfinished.len += n as u64;
        }
    }

    fn restart(&mut self, path: &Path) -> Result<(), ConnectError> {
        self.file.set_len(0).map_err(|e| ConnectError::write(path, 0, e))?;
        self.len = 0;
        self.hash = Sha256::new();
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }
}

fn remove(path: &Path) -> Result<(), ConnectError> {
    fs::remove_file(path).map_err(|e| ConnectError::file("delete the damaged", path, e))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
