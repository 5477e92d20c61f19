//! Was a task over a database done, and how far?
//!
//! # What earns
//! `database`: 1 where everything holds that decides the task (the final database equals that of the expected
//! calls, required outputs were said; see [`crate::database::DatabaseReport`]), otherwise 0. Its parts are
//! listed beside the total.
//!
//! `tool_progress`: the share of the task's steps that were done, less one step for every row that was changed
//! wrongly. It leads learners that cannot do the whole yet; the whole is worth more by itself.
//!
//! # Cannot be scored
//! Episodes of other worlds, and for `database` tasks that only a judge can decide.
//!
//! # Known ways to cheat
//! Neither looks at how the agent talks. Reciting everything says every required output, unless the task lists
//! wrong answers, as those of the shop do.

use async_trait::async_trait;
use stateset_core::{Reward, RewardComponent, RewardContext, RewardResult, Score, Trajectory};

use crate::database::DatabaseReport;

/// Judges whether the task was done; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseReward;

/// Judges how far the task was done; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolProgressReward;

fn not_ours() -> Score {
    Score::unscorable("the episode was not played over a database")
}

impl DatabaseReward {
    /// The verdict with its parts. Parts that do not decide have weight 0.
    pub fn judge(&self, trajectory: &Trajectory) -> RewardResult {
        let Some(report) = DatabaseReport::read(trajectory) else {
            return RewardResult::single(not_ours());
        };
        let parts = report.parts().into_iter().filter(|(_, part)| part.counts || part.required > 0);
        let components = parts.map(|(name, part)| RewardComponent {
            name: name.to_owned(),
            weight: f64::from(u8::from(part.counts)),
            score: if name == "statements" && part.required > 0 {
                Score::unscorable("statements in natural language need a judge")
            } else {
                let evidence = format!("{} of {}", part.met, part.required);
                Score::with_evidence(f64::from(u8::from(part.holds())), evidence)
            },
        });
        RewardResult { total: report.score(), components: components.collect() }
    }
}

#[async_trait]
impl Reward for DatabaseReward {
    fn name(&self) -> &str {
        "database"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        self.judge(trajectory)
    }
}

#[async_trait]
impl Reward for ToolProgressReward {
    fn name(&self) -> &str {
        "tool_progress"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(match DatabaseReport::read(trajectory) {
            Some(report) => Score::of(report.progress),
            None => not_ours(),
        })
    }
}
