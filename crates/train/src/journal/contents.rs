//! Reading a journal, whatever state it is in.
//!
//! Reading goes from the start to the first thing that is not whole and says where and why it stopped.
//! Nothing after that place is trusted, because the records have no other way to be found again.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use stateset_core::{Trajectory, TrajectoryRecord};

use super::format::{Header, MAGIC, unframe};
use super::{JOURNAL_SCHEMA_VERSION, JournalKey, MAX_RECORD_BYTES};
use crate::RunError;

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalContents {
    /// The trajectories of all whole records, in the order in which they finished.
    pub trajectories: Vec<Trajectory>,
    /// Bytes up to the end of the last whole record; 0 where the header is not this run's.
    pub n_whole_bytes: u64,
    /// Why reading ended before the end of the file, if it did.
    pub stop: Option<JournalStop>,
}

/// Where and why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalStop {
    /// Byte at which the first record begins that is not whole.
    pub offset: u64,
    /// Bytes from there to the end of the file.
    pub n_lost_bytes: u64,
    /// What is wrong there.
    pub damage: JournalDamage,
}

/// What can be wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalDamage {
    /// The file ends inside the magic bytes, the header or a record: its writer was stopped there.
    Torn,
    /// The bytes of a record are not those that were written.
    Checksum,
    /// A record says that it has no bytes, or more than [`MAX_RECORD_BYTES`].
    Length {
        /// What it says.
        found: usize,
    },
    /// A record is whole but holds no trajectory that this version can read.
    Record {
        /// What is wrong with it.
        reason: String,
    },
    /// The file does not begin like a journal.
    NotAJournal,
    /// The file is newer than this program.
    NewerSchema {
        /// Its version.
        found: u32,
    },
    /// The journal belongs to something else.
    Foreign {
        /// What it belongs to.
        found: Box<JournalKey>,
    },
}

impl JournalDamage {
    /// True where the file is whole but not this run's to use.
    pub fn is_foreign(&self) -> bool {
        matches!(self, JournalDamage::NewerSchema { .. } | JournalDamage::Foreign { .. })
    }
}

impl fmt::Display for JournalDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalDamage::Torn => f.write_str("the file ends in the middle of a record"),
            JournalDamage::Checksum => f.write_str("the bytes of a record do not fit its checksum"),
            JournalDamage::Length { found } => write!(
                f,
                "a record claims {found} bytes, where 1 to {MAX_RECORD_BYTES} are allowed"
            ),
            JournalDamage::Record { reason } => write!(f, "a record cannot be read: {reason}"),
            JournalDamage::NotAJournal => f.write_str("the file does not begin like a journal"),
            JournalDamage::NewerSchema { found } => write!(
                f,
                "it follows schema {found}, and this version knows schemas up to \
                 {JOURNAL_SCHEMA_VERSION}"
            ),
            JournalDamage::Foreign { found } => write!(
                f,
                "it belongs to step {} of run {:?}, sampled by policy version {}",
                found.step, found.run, found.policy_version.0
            ),
        }
    }
}

impl fmt::Display for JournalStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JournalStop { offset, n_lost_bytes, damage } = self;
        write!(f, "{damage}, at byte {offset}; {n_lost_bytes} bytes from there on are not used")
    }
}

/// Reads the journal at `path` for the run and step of `key`. A file that is not there holds nothing.
///
/// # Errors
/// Only where the file system refuses; damage is part of the contents.
pub fn read_journal(path: &Path, key: &JournalKey) -> Result<JournalContents, RunError> {
    read(path, Some(key))
}

/// Reads the journal at `path`, whatever it belongs to: to look at, not to go on with.
///
/// # Errors
/// As [`read_journal`].
pub(crate) fn read_any_journal(path: &Path) -> Result<JournalContents, RunError> {
    read(path, None)
}

fn read(path: &Path, key: Option<&JournalKey>) -> Result<JournalContents, RunError> {
    match fs::read(path) {
        Ok(bytes) => Ok(parse(&bytes, key)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(JournalContents::default()),
        Err(error) => Err(RunError::io("read", path)(error)),
    }
}

pub(super) fn parse(bytes: &[u8], key: Option<&JournalKey>) -> JournalContents {
    let mut contents = JournalContents::default();
    if bytes.is_empty() {
        return contents;
    }
    let offset_of = |rest: &[u8]| (bytes.len() - rest.len()) as u64;
    let stop = |rest: &[u8], damage| {
        Some(JournalStop { offset: offset_of(rest), n_lost_bytes: rest.len() as u64, damage })
    };
    let mut rest = match header(bytes, key) {
        Ok(rest) => rest,
        Err(damage) => {
            contents.stop = stop(bytes, damage);
            return contents;
        }
    };
    while !rest.is_empty() {
        match trajectory(rest) {
            Ok((trajectory, after)) => {
                contents.trajectories.push(trajectory);
                rest = after;
            }
            Err(damage) => {
                contents.stop = stop(rest, damage);
                break;
            }
        }
    }
    contents.n_whole_bytes = offset_of(rest);
    contents
}

/// What follows the header, if it is the one of `key`, or of anything where there is none.
fn header<'a>(bytes: &'a [u8], key: Option<&JournalKey>) -> Result<&'a [u8], JournalDamage> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        let is_beginning = MAGIC.starts_with(bytes);
        return Err(if is_beginning { JournalDamage::Torn } else { JournalDamage::NotAJournal });
    };
    let (json, rest) = unframe(rest)?;
    let schema = |value: &serde_json::Value| value.get("schema_version")?.as_u64();
    let value: serde_json::Value = serde_json::from_slice(json).map_err(record_damage)?;
    // Looked at before anything else, because a newer header may hold anything else.
    if let Some(found) = schema(&value).filter(|found| *found > u64::from(JOURNAL_SCHEMA_VERSION)) {
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        return Err(JournalDamage::NewerSchema { found });
    }
    let header: Header = serde_json::from_value(value).map_err(record_damage)?;
    if key.is_some_and(|key| header.key != *key) {
        return Err(JournalDamage::Foreign { found: Box::new(header.key) });
    }
    Ok(rest)
}

fn trajectory(rest: &[u8]) -> Result<(Trajectory, &[u8]), JournalDamage> {
    let (json, after) = unframe(rest)?;
    let record: TrajectoryRecord = serde_json::from_slice(json).map_err(record_damage)?;
    let trajectory = Trajectory::try_from(record).map_err(record_damage)?;
    Ok((trajectory, after))
}

fn record_damage(error: impl fmt::Display) -> JournalDamage {
    JournalDamage::Record { reason: error.to_string() }
}
