//! What happens in a run, as values, and who hears of it.

mod dispatcher;
mod evaluation;
mod event;
mod record;
mod summary;

pub use dispatcher::{Dispatcher, Sink};
pub use evaluation::EvaluationSummary;
pub(crate) use evaluation::goal_reached;
pub use event::{Event, Phase, RolloutOutcome, RunStart};
pub(crate) use record::newer_schema;
pub use record::{
    AdjustmentRecord, EVENT_SCHEMA_VERSION, EvaluationRecord, EventRecord, HealthRecord,
    IntervalRecord, RolloutRecord, RunStartRecord, SummaryRecord,
};
pub use summary::RunSummary;
