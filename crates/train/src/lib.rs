//! Rollouts, trainers, evaluation, events, journal, checkpoints and resume.

mod clock;
mod conversations;
mod events;
mod files;
mod format;
mod journal;
mod lock;
pub mod metric;
mod report;
mod run_error;
mod run_folder;
mod sinks;
mod store;

pub use conversations::{read_conversations, write_conversations};
pub use events::{
    Dispatcher, EVENT_SCHEMA_VERSION, EvaluationRecord, EvaluationSummary, Event, EventRecord,
    IntervalRecord, Phase, RolloutOutcome, RolloutRecord, RunStart, RunStartRecord, RunSummary,
    Sink, SummaryRecord,
};
pub use journal::{
    JOURNAL_SCHEMA_VERSION, Journal, JournalContents, JournalDamage, JournalKey, JournalStop,
    MAX_RECORD_BYTES, read_journal,
};
pub use lock::RunLock;
pub use report::{build_report, write_report};
pub use run_error::RunError;
pub use run_folder::RunFolder;
pub use sinks::{
    Callback, EarlyStopping, EarlyStoppingState, EventLine, EventLog, Flow, MetricsFile,
    MetricsRow, Progress, ProgressStyle, TensorBoardFile, read_events, read_metrics,
};
pub use store::{
    CHECKPOINT_SCHEMA_VERSION, Checkpoint, CheckpointStore, DamagedCheckpoint, FileRecord,
    MANIFEST_NAME, Manifest, NewestCheckpoint, open_checkpoint,
};
