//! Rollouts, trainers, evaluation, events, journal, checkpoints and resume.

mod agent;
mod clock;
pub mod config;
mod conversations;
mod engine;
mod error;
mod events;
mod files;
mod format;
mod journal;
mod judge;
mod lock;
mod machine;
pub mod metric;
mod model;
mod online;
mod policy;
mod preference;
mod report;
mod rewards;
mod rollout;
mod run_error;
mod run_folder;
mod sft;
mod sinks;
mod slot;
mod stop;
mod store;
mod update;

pub use agent::{MultiTurnAgent, Team, TeamMember, ToolAgent, token_counter};
pub use conversations::{read_conversations, write_conversations};
pub use engine::{Engine, EngineState, Ongoing, Sampled, SampledToken, Started};
pub use error::TrainError;
pub use events::{
    AdjustmentRecord, Dispatcher, EVENT_SCHEMA_VERSION, EvaluationRecord, EvaluationSummary, Event,
    EventRecord, HealthRecord, IntervalRecord, Phase, RolloutOutcome, RolloutRecord, RunStart,
    RunStartRecord, RunSummary, Sink, SummaryRecord,
};
pub use journal::{
    JOURNAL_SCHEMA_VERSION, Journal, JournalContents, JournalDamage, JournalKey, JournalStop,
    MAX_RECORD_BYTES, read_journal,
};
pub use judge::{
    DirectJudging, JudgeMeasure, JudgeModel, LocalJudge, LocalJudgeSettings, ORDER_DISAGREEMENT,
    PairReward, PairwiseJudging, PolicyJudge, PreferencePair, PreferenceSelection, RelativeJudging,
    Ruler, compare, judging_figures, measure_judge, preference_pairs, preferences_to_jsonl,
    start_asker,
};
pub use lock::RunLock;
pub use machine::peak_rss_bytes;
pub use model::{
    AgentConfig, EngineSpec, Fetch, MemoryPart, MemoryPlan, ModelSource, TrainingSpec,
    builtin_models, chat_format,
};
pub use online::{
    BaselineSize, Cast, CheckpointWriter, CreditedGroup, CreditedSample, OnlineRun, Resume,
    StepGroups, TrainedRun, new_run_folder, play_baseline, run_format,
};
pub use policy::{LocalPolicy, StubPolicy, engine_error, stop_check};
pub use preference::{
    AnswerRewards, Chat, Dialogue, JudgedExample, Judgments, PairExample, PreferenceBatch,
    PreferenceData, PreferenceGoal, PreferenceOutline, PreferenceRun, PreferenceSettings,
    PreferenceStep, RewardScale, StepRates, SyntheticPairs, TrainedPreference, preference_step,
    read_judged, read_judgments, read_pairs,
};
pub use report::{REPORT_STYLE, RunChart, RunFigures, build_report, compared_charts, write_report};
pub use rewards::{NeuralReward, reward_in_words, reward_with_judge};
pub use rollout::{
    AGENT_NOTES, EpisodeLimits, GroupJudge, GroupPlan, JUDGED, Players, RESTARTED, Stage,
    TASK_PART, judge_groups, play, play_groups, settled,
};
pub use run_error::RunError;
pub use run_folder::RunFolder;
pub use sft::{SftExample, SftOrder, SftReport, SftRow, read_examples, sft_loss, sft_step};
pub use sinks::{
    Callback, EarlyStopping, EarlyStoppingState, EventLine, EventLog, Flow, MetricsFile,
    MetricsRow, Progress, ProgressStyle, TensorBoardFile, read_events, read_metrics,
};
pub use slot::{JudgeSlot, PolicySlot, Slot};
pub use stop::StopSignal;
pub use store::{
    CHECKPOINT_SCHEMA_VERSION, Checkpoint, CheckpointStore, DamagedCheckpoint, FileRecord,
    MANIFEST_NAME, Manifest, NewestCheckpoint, open_checkpoint,
};
pub use update::{
    Batch, BatchRow, BatchTrajectory, UpdateLimits, UpdatePlace, UpdateReport, UpdateSettings,
    update,
};
