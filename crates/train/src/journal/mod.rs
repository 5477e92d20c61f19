//! The append-only record of a step's finished trajectories.

mod contents;
mod format;
mod writer;

pub(crate) use contents::read_any_journal;
pub use contents::{JournalContents, JournalDamage, JournalStop, read_journal};
pub use format::{JOURNAL_SCHEMA_VERSION, JournalKey, MAX_RECORD_BYTES};
pub use writer::Journal;
