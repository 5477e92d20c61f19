//! Plays the rollouts of a step: what the journal holds is not played again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use stateset_algo::MAX_DISAGREEMENT;
use stateset_core::{PolicyVersion, Scenario, Trajectory, TrajectoryGroup};

use super::step_metrics;
use crate::journal::{Journal, JournalKey};
use crate::judge::ORDER_DISAGREEMENT;
use crate::rollout::{GroupJudge, GroupPlan, Stage, judge_groups, play_groups, settled};
use crate::{Dispatcher, Event, RolloutOutcome, RunError, RunFolder};

/// Plays rollouts of one run.
pub(super) struct Player {
    /// Agent, world, judge and limits.
    pub(super) stage: Stage,
    /// Judges groups once they are played.
    pub(super) judge: Option<GroupJudge>,
    /// A judge that looks at places too much has been warned of.
    pub(super) has_warned: AtomicBool,
    /// What is trained on.
    pub(super) scenarios: Vec<Arc<Scenario>>,
    /// Where journals lie.
    pub(super) folder: RunFolder,
    /// Name of the run in its journals.
    pub(super) run: String,
}

/// What a step's rollouts came to.
pub(super) struct Played {
    /// The rollouts.
    pub(super) groups: Vec<TrajectoryGroup>,
    /// Tokens sampled now, without those of the journal.
    pub(super) n_fresh_tokens: u64,
    /// Time it took.
    pub(super) secs: f64,
}

impl Player {
    /// Plays `n_samples` of each of the scenarios `chosen`.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub(super) async fn play(
        &self,
        step: u32,
        version: PolicyVersion,
        chosen: &[usize],
        n_samples: usize,
        dispatcher: &mut Dispatcher,
    ) -> Result<Played, RunError> {
        let start = Instant::now();
        let plans = plans(&self.scenarios, chosen, n_samples);
        let key = JournalKey { run: self.run.clone(), step, policy_version: version };
        let (mut journal, contents) = Journal::open(&self.folder.journal(step), &key)?;
        if let Some(stop) = &contents.stop {
            let text = format!("the journal of step {step} was damaged: {}", stop.damage);
            dispatcher.emit(&Event::Warning { text });
        }
        let known = settled(contents.trajectories, &plans);
        let (mut done, total) = (known.len(), chosen.len() * n_samples);
        let mut n_fresh_tokens = 0;
        let finished = |trajectory: &Trajectory| {
            journal.append(trajectory)?;
            let outcome = RolloutOutcome::from(trajectory);
            n_fresh_tokens += outcome.n_tokens as u64;
            done += 1;
            if self.judge.is_none() {
                dispatcher.emit(&Event::RolloutFinished(outcome));
            }
            dispatcher.emit(&Event::RolloutProgress { done, total });
            Ok::<(), RunError>(())
        };
        let mut groups = play_groups(&self.stage, step, &plans, known, finished).await?;
        if let Some(judge) = &self.judge {
            let judged = |trajectory: &Trajectory| {
                journal.append(trajectory)?;
                dispatcher.emit(&Event::RolloutFinished(RolloutOutcome::from(trajectory)));
                Ok::<(), RunError>(())
            };
            groups = judge_groups(judge, step, &plans, groups, judged).await?;
            self.warn_of_bias(&groups, dispatcher);
        }
        journal.sync()?;
        Ok(Played { groups, n_fresh_tokens, secs: start.elapsed().as_secs_f64() })
    }

    /// Warns once in a run of a judge whose word depends on the order of what it sees.
    fn warn_of_bias(&self, groups: &[TrajectoryGroup], dispatcher: &mut Dispatcher) {
        let metrics = step_metrics::of_rollouts(groups);
        let Some(share) = metrics.get(ORDER_DISAGREEMENT).copied() else { return };
        if share > MAX_DISAGREEMENT && !self.has_warned.swap(true, Ordering::Relaxed) {
            let percent = 100.0 * share;
            let text = format!(
                "with the order of the candidates exchanged the judge changed its mind in {percent:.0} % \
                 of the comparisons; its verdicts say little"
            );
            dispatcher.emit(&Event::Warning { text });
        }
    }
}

/// One group for each chosen scenario.
pub(super) fn plans(
    scenarios: &[Arc<Scenario>],
    chosen: &[usize],
    n_samples: usize,
) -> Vec<GroupPlan> {
    let plan = |(index, which): (usize, &usize)| GroupPlan {
        scenario: scenarios[*which].clone(),
        index: index as u32,
        n_samples,
    };
    chosen.iter().enumerate().map(plan).collect()
}
