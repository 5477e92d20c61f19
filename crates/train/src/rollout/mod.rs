//! Playing episodes.

mod batch;
mod episode;
mod group_judge;

pub use batch::{GroupPlan, Stage, play_groups};
pub(crate) use episode::append_tokens;
pub use episode::{AGENT_NOTES, EpisodeLimits, Players, RESTARTED, play};
pub use group_judge::{GroupJudge, JUDGED, TASK_PART, judge_groups, settled};
