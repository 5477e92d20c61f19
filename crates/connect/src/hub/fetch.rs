//! From a model id to a folder that the engine loads.
//!
//! The cache is asked first, and where it holds everything no request is made: a branch such as `main`
//! stays at the commit that was downloaded first, so that runs repeat. (The Python tools ask the hub
//! each time.) To move on, name the new commit or tag, or delete the model's folder from the cache.
//! Calls block, for hours where a model is large; asynchronous callers use a blocking
//! task. One file arrives at a time.

use std::fs;
use std::path::{Path, PathBuf};

use super::attempts::retrying;
use super::cache::{RepoCache, Snapshot};
use super::download::Downloader;
use super::files::{self, INDEX_FILE, Lack, MAX_INDEX_BYTES, Presence};
use super::model_id::ModelId;
use super::settings::HubSettings;
use super::transport::{Listing, RemoteFile, Transport};
use crate::ConnectError;

/// How far a download is. Given out before a file, and after each piece of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file that is arriving.
    pub file: &'a str,
    /// Bytes of this call that are on disk, with those an interrupted call left. It falls where a
    /// server makes a file start over.
    pub done_bytes: u64,
    /// Bytes of this call in all. It grows once, when an index has told the shards.
    pub total_bytes: u64,
}

/// Finds models in the cache and downloads those that are not there.
///
/// # Example
/// ```no_run
/// use stateset_connect::{ConnectError, Hub, HubSettings, ModelId};
///
/// # fn main() -> Result<(), ConnectError> {
/// let hub = Hub::new(HubSettings::from_env()?)?;
/// let id: ModelId = "Qwen/Qwen2.5-0.5B-Instruct".parse()?;
/// let folder = hub.fetch(&id, &mut |at| tracing::info!(at.done_bytes, at.total_bytes, at.file))?;
/// # Ok(())
/// # }
/// ```
pub struct Hub {
    settings: HubSettings,
    transport: Transport,
}

/// Bytes of the files that are finished, and of all.
#[derive(Default)]
struct Tally {
    finished: u64,
    total: u64,
}

impl Hub {
    /// A hub with these settings; opens no connection.
    ///
    /// # Errors
    /// [`ConnectError::BadSetting`] for an endpoint or a proxy that is no address.
    pub fn new(settings: HubSettings) -> Result<Hub, ConnectError> {
        Ok(Hub { transport: Transport::new(&settings)?, settings })
    }

    /// The folder of the model, downloaded where the cache does not have it. Its last part is the
    /// commit. It holds `config.json`, safetensors weights, the tokenizer's files and the chat
    /// template, or an adapter's two files; nothing else is downloaded.
    ///
    /// `on_progress` is called often, and not at all where nothing is downloaded.
    ///
    /// # Errors
    /// Every variant of [`ConnectError`] but `BadId` and `BadSetting`.
    pub fn fetch(
        &self,
        id: &ModelId,
        on_progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, ConnectError> {
        let cache = RepoCache::new(&self.settings.cache, id);
        let cached = cache.find(id);
        if let Some(snapshot) = cached.as_ref().filter(|s| s.is_complete()) {
            return Ok(snapshot.folder().to_owned());
        }
        let usable = cached.filter(Snapshot::is_loadable).map(|s| s.folder().to_owned());
        if self.settings.is_offline {
            let cache = self.settings.cache.clone();
            return usable.ok_or_else(|| ConnectError::NotCached { id: id.to_string(), cache });
        }
        match (self.update(id, &cache, on_progress), usable) {
            (Err(e), Some(folder)) if e.is_outage() => {
                tracing::warn!(model = %id, error = %e, "using the copy in the cache as it is");
                Ok(folder)
            }
            (result, _) => result,
        }
    }

    fn update(
        &self,
        id: &ModelId,
        cache: &RepoCache,
        on_progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, ConnectError> {
        let (settings, transport) = (&self.settings, &self.transport);
        let listing = retrying(settings, || transport.list(id))?;
        let downloader = Downloader { settings, transport, cache, id, commit: &listing.commit };
        let snapshot = cache.snapshot(&listing.commit);
        let mut tally = Tally::default();

        let names = choose(id, &listing)?;
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        if names.iter().any(|name| name == INDEX_FILE) {
            let index = [INDEX_FILE.to_owned()];
            self.download(&downloader, &snapshot, &index, &mut tally, on_progress)?;
            names.extend(self.shards(id, &listing, &snapshot)?);
        }
        self.check_count(id, names.len())?;
        self.download(&downloader, &snapshot, &names, &mut tally, on_progress)?;

        let absent = files::all_names().filter(|name| listing.presence(name) == Presence::Absent);
        if let Err(e) = snapshot.mark_absent(absent) {
            tracing::debug!(model = %id, error = %e, "the cache does not take marks");
        }
        // With every file at hand, a cache that cannot be written to is still a usable one.
        if let Err(e) = cache.write_ref(id, &listing.commit) {
            tracing::warn!(model = %id, error = %e, "the cache does not take the revision");
        }
        Ok(snapshot.folder().to_owned())
    }

    /// Downloads those of `names` that the snapshot does not have.
    fn download(
        &self,
        downloader: &Downloader<'_>,
        snapshot: &Snapshot,
        names: &[String],
        tally: &mut Tally,
        on_progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), ConnectError> {
        let Downloader { id, commit, cache, .. } = downloader;
        let missing = names.iter().filter(|name| snapshot.presence(name) != Presence::Here);
        let described = missing
            .map(|name| retrying(&self.settings, || self.transport.describe(id, commit, name)));
        let files = described.collect::<Result<Vec<RemoteFile>, _>>()?;
        if let Some(index) = files.iter().find(|f| f.name == INDEX_FILE && f.size > MAX_INDEX_BYTES)
        {
            let (found_bytes, limit_bytes) = (index.size, MAX_INDEX_BYTES);
            return Err(ConnectError::TooLarge { id: id.to_string(), found_bytes, limit_bytes });
        }
        tally.total = files.iter().fold(tally.total, |sum, file| sum.saturating_add(file.size));
        self.check_room(id, cache, &files, tally.total)?;
        for file in &files {
            let (finished, total_bytes) = (tally.finished, tally.total);
            downloader.download(file, &mut |bytes| {
                on_progress(Progress {
                    file: &file.name,
                    done_bytes: finished + bytes,
                    total_bytes,
                });
            })?;
            snapshot.link(&file.name, &cache.blob(&file.etag))?;
            tally.finished += file.size;
        }
        Ok(())
    }

    /// The shards that the index names, each checked to be a plain name and in the repository.
    fn shards(
        &self,
        id: &ModelId,
        listing: &Listing,
        snapshot: &Snapshot,
    ) -> Result<Vec<String>, ConnectError> {
        let names = files::shards_of_index(&snapshot.read_index()?)
            .map_err(|e| self.transport.bad_answer(id, format!("`{INDEX_FILE}`: {e}")))?;
        if let Some(name) = names.iter().find(|name| !files::is_plain_shard(name)) {
            return Err(ConnectError::UnsafeName { id: id.to_string(), name: name.clone() });
        }
        if let Some(name) = names.iter().find(|name| listing.presence(name) == Presence::Absent) {
            return Err(ConnectError::MissingFile { id: id.to_string(), file: name.clone() });
        }
        Ok(names.into_iter().collect())
    }

    fn check_count(&self, id: &ModelId, found: usize) -> Result<(), ConnectError> {
        let limit = self.settings.max_files;
        if found <= limit {
            return Ok(());
        }
        Err(ConnectError::TooManyFiles { id: id.to_string(), found, limit })
    }

    /// Checks the caller's limit, and the disk before hours are spent on filling it.
    fn check_room(
        &self,
        id: &ModelId,
        cache: &RepoCache,
        files: &[RemoteFile],
        total: u64,
    ) -> Result<(), ConnectError> {
        if let Some(limit_bytes) = self.settings.max_download_bytes.filter(|limit| total > *limit) {
            let id = id.to_string();
            return Err(ConnectError::TooLarge { id, found_bytes: total, limit_bytes });
        }
        let rest = |file: &RemoteFile| {
            let is_whole = fs::metadata(cache.blob(&file.etag)).is_ok_and(|m| m.len() == file.size);
            let here = fs::metadata(cache.partial(&file.etag)).map_or(0, |m| m.len());
            if is_whole { 0 } else { file.size.saturating_sub(here) }
        };
        let needed_bytes = files.iter().map(rest).fold(0, u64::saturating_add);
        match free_bytes(&self.settings.cache) {
            Some(free) if free < needed_bytes => {
                Err(ConnectError::DiskFull { path: self.settings.cache.clone(), needed_bytes })
            }
            _ => Ok(()),
        }
    }
}

/// The files to download, without shards.
fn choose(id: &ModelId, listing: &Listing) -> Result<Vec<&'static str>, ConnectError> {
    let id = id.to_string();
    let names = files::chosen(&|name| listing.presence(name)).unwrap_or_default();
    match files::check_loadable(&names) {
        Ok(()) => Ok(names),
        Err(Lack::Config) => {
            Err(ConnectError::MissingFile { id, file: Lack::CONFIG_FILE.to_owned() })
        }
        Err(Lack::Weights) => {
            let found = files::other_weights(listing.names.iter().map(String::as_str));
            Err(ConnectError::NoSafetensors { id, found })
        }
    }
}

/// Room on the disk that `folder` is or will be on; `None` where the system does not tell.
fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    fs4::available_space(existing).ok()
}
