//! Judges' answers on disk, by the hash of what was asked.
//!
//! The key is the SHA-256 of everything that decides the answer: who is asked (model, address, sampling:
//! the `namespace`), instructions, question and options, each with its length before it. A file holds
//! the request in full beside the answer and a checksum: what is damaged, or belongs to another request,
//! is asked for again and written anew. Failures are not kept. A cache that cannot be written only warns:
//! the answer is there, and a full disk shows itself elsewhere.
//!
//! Two equal questions at the same moment are both asked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stateset_core::{Judge, JudgeRequest, PolicyError, Verdict};

use crate::whole_file::write_whole;

/// Version of the files' layout; part of the key, so a newer program asks again.
const SCHEMA_VERSION: u32 = 1;

/// A judge whose answers are kept.
pub struct CachedJudge<J> {
    inner: J,
    namespace: String,
    folder: PathBuf,
    n_hits: AtomicU64,
    n_misses: AtomicU64,
    n_damaged: AtomicU64,
}

/// How a cache was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheTally {
    /// Answers from disk.
    pub n_hits: u64,
    /// Questions that had to be asked.
    pub n_misses: u64,
    /// Of those, questions whose file was damaged.
    pub n_damaged: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheRecord {
    schema_version: u32,
    entry: EntryRecord,
    /// SHA-256 of `entry` as JSON.
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryRecord {
    namespace: String,
    instructions: String,
    question: String,
    options: Vec<String>,
    text: String,
    /// `null` in the list stands for a log-prob of minus infinity, which JSON has no word for.
    option_logprobs: Option<Vec<Option<f64>>>,
}

impl<J> CachedJudge<J> {
    /// Keeps the answers of `inner` in `folder`, which is created. `namespace` says who answers and how:
    /// everything about the judge that could change an answer.
    ///
    /// # Errors
    /// What the system says where the folder cannot be created.
    pub fn new(
        inner: J,
        namespace: impl Into<String>,
        folder: &Path,
    ) -> io::Result<CachedJudge<J>> {
        fs::create_dir_all(folder)?;
        Ok(CachedJudge {
            inner,
            namespace: namespace.into(),
            folder: folder.to_owned(),
            n_hits: AtomicU64::new(0),
            n_misses: AtomicU64::new(0),
            n_damaged: AtomicU64::new(0),
        })
    }

    /// How it was used so far.
    pub fn tally(&self) -> CacheTally {
        CacheTally {
            n_hits: self.n_hits.load(Ordering::Relaxed),
            n_misses: self.n_misses.load(Ordering::Relaxed),
            n_damaged: self.n_damaged.load(Ordering::Relaxed),
        }
    }

    fn path(&self, request: &JudgeRequest) -> PathBuf {
        let mut hash = Sha256::new();
        let version = SCHEMA_VERSION.to_string();
        let texts = [&version, &self.namespace, &request.instructions, &request.question];
        for text in texts.into_iter().chain(&request.options) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        let key = hex(&hash.finalize());
        self.folder.join(&key[..2]).join(format!("{key}.json"))
    }

    fn find(&self, path: &Path, request: &JudgeRequest) -> Option<Verdict> {
        let bytes = fs::read(path).ok()?;
        let found = read_record(&bytes).filter(|entry| {
            entry.namespace == self.namespace
                && entry.instructions == request.instructions
                && entry.question == request.question
                && entry.options == request.options
        });
        match found {
            Some(entry) => Some(entry.verdict()),
            None => {
                self.n_damaged.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(path = %path.display(), "a kept answer is damaged and is asked for again");
                None
            }
        }
    }

    fn keep(&self, path: &Path, request: JudgeRequest, verdict: &Verdict) {
        let Some(entry) = EntryRecord::of(&self.namespace, request, verdict) else { return };
        let written = to_record(entry).and_then(|bytes| {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            write_whole(path, &bytes)
        });
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "an answer could not be kept");
        }
    }
}

impl EntryRecord {
    /// `None` for log-probs that are none, which are not worth keeping.
    fn of(namespace: &str, request: JudgeRequest, verdict: &Verdict) -> Option<EntryRecord> {
        let logprobs = verdict.option_logprobs.as_ref();
        let is_kept = |value: &f64| value.is_finite() || *value == f64::NEG_INFINITY;
        if logprobs.is_some_and(|values| !values.iter().all(is_kept)) {
            return None;
        }
        let finite = |value: &f64| value.is_finite().then_some(*value);
        Some(EntryRecord {
            namespace: namespace.to_owned(),
            instructions: request.instructions,
            question: request.question,
            options: request.options,
            text: verdict.text.clone(),
            option_logprobs: logprobs.map(|values| values.iter().map(finite).collect()),
        })
    }

    fn verdict(self) -> Verdict {
        let value = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
        let option_logprobs =
            self.option_logprobs.map(|values| values.into_iter().map(value).collect());
        Verdict { text: self.text, option_logprobs }
    }
}

fn to_record(entry: EntryRecord) -> io::Result<Vec<u8>> {
    let sha256 = hex(&Sha256::digest(serde_json::to_vec(&entry)?));
    let record = CacheRecord { schema_version: SCHEMA_VERSION, entry, sha256 };
    Ok(serde_json::to_vec_pretty(&record)?)
}

fn read_record(bytes: &[u8]) -> Option<EntryRecord> {
    let record: CacheRecord = serde_json::from_slice(bytes).ok()?;
    let found = hex(&Sha256::digest(serde_json::to_vec(&record.entry).ok()?));
    (record.schema_version == SCHEMA_VERSION && found == record.sha256).then_some(record.entry)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl<J: Judge> Judge for CachedJudge<J> {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        let path = self.path(&request);
        if let Some(verdict) = self.find(&path, &request) {
            self.n_hits.fetch_add(1, Ordering::Relaxed);
            return Ok(verdict);
        }
        self.n_misses.fetch_add(1, Ordering::Relaxed);
        let verdict = self.inner.judge(request.clone()).await?;
        self.keep(&path, request, &verdict);
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Counts how often it was asked.
    #[derive(Clone, Default)]
    struct Counting(Arc<AtomicU64>, bool);

    #[async_trait]
    impl Judge for Counting {
        async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            if self.1 {
                return Err(PolicyError::Failed("ill".into()));
            }
            let option_logprobs =
                (!request.options.is_empty()).then(|| vec![-0.1 * n as f64, f64::NEG_INFINITY]);
            Ok(Verdict { text: format!("{n}: {}", request.question), option_logprobs })
        }
    }

    fn request(question: &str, options: &[&str]) -> JudgeRequest {
        JudgeRequest {
            instructions: "i".into(),
            question: question.into(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.flat_map(|f| fs::read_dir(f).unwrap().map(|entry| entry.unwrap().path())).collect()
    }

    #[tokio::test]
    async fn an_answer_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Counting::default();
        let open = || CachedJudge::new(asked.clone(), "m", folder.path()).unwrap();
        let plain = open().judge(request("q", &[])).await.unwrap();
        let options = open().judge(request("q", &["1", "2"])).await.unwrap();
        assert_ne!(plain, options);
        let later = open();
        assert_eq!(later.judge(request("q", &[])).await.unwrap(), plain);
        assert_eq!(later.judge(request("q", &["1", "2"])).await.unwrap(), options);
        assert_eq!(later.tally(), CacheTally { n_hits: 2, ..CacheTally::default() });
        assert_eq!(asked.0.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn everything_asked_is_part_of_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Counting::default();
        let cache =
            |namespace: &str| CachedJudge::new(asked.clone(), namespace, folder.path()).unwrap();
        let moved = JudgeRequest { instructions: "iq".into(), ..request("", &[]) };
        for (namespace, request) in [
            ("m", request("q", &[])),
            ("n", request("q", &[])),
            ("m", request("q", &["1"])),
            ("m", request("q", &["1", ""])),
            ("m", moved),
        ] {
            cache(namespace).judge(request).await.unwrap();
        }
        assert_eq!(asked.0.load(Ordering::Relaxed), 5);
    }

    #[tokio::test]
    async fn a_damaged_entry_is_asked_for_again_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Counting::default();
        let cache = CachedJudge::new(asked.clone(), "m", folder.path()).unwrap();
        cache.judge(request("q", &[])).await.unwrap();
        let [file] = files(folder.path()).try_into().unwrap();
        let whole = fs::read_to_string(&file).unwrap();
        let damages = [
            String::new(),
            whole[..whole.len() / 2].to_owned(),
            whole.replace("0: q", "9: q"),
            whole.replace("\"schema_version\": 1", "\"schema_version\": 2"),
        ];
        for (n, damaged) in (1..).zip(damages) {
            assert_ne!(damaged, whole);
            fs::write(&file, damaged).unwrap();
            let verdict = cache.judge(request("q", &[])).await.unwrap();
            assert_eq!(verdict.text, format!("{n}: q"));
            assert_eq!(cache.judge(request("q", &[])).await.unwrap(), verdict, "it is mended");
            assert_eq!(cache.tally().n_damaged, n);
        }
        assert_eq!(files(folder.path()), [file]);
    }

    #[tokio::test]
    async fn failures_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Counting(Arc::default(), true);
        let cache = CachedJudge::new(asked.clone(), "m", folder.path()).unwrap();
        for _ in 0..2 {
            assert!(cache.judge(request("q", &[])).await.is_err());
        }
        assert_eq!(asked.0.load(Ordering::Relaxed), 2);
    }
}
