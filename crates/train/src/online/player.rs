//! Plays the rollouts of a step: what the journal holds is not played again.
//!
//! Where groups without any difference in reward are replaced, a step has several rounds. Each round
//! goes on counting the groups where the one before it stopped, so that every rollout of a step has an
//! address, random numbers and a place in the journal of its own, and a step that is played again comes
//! out the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use stateset_algo::MAX_DISAGREEMENT;
use stateset_core::{PolicyVersion, Scenario, Trajectory, TrajectoryGroup};

use super::dead::is_dead;
use super::order::ScenarioOrder;
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
    /// Which of it a step plays.
    pub(super) order: ScenarioOrder,
    /// Groups of a step.
    pub(super) n_groups: usize,
    /// Samples of each group.
    pub(super) n_samples: usize,
    /// Further rounds in which dead groups are replaced; 0 where they are kept.
    pub(super) refill_rounds: usize,
    /// Where journals lie.
    pub(super) folder: RunFolder,
    /// Name of the run in its journals.
    pub(super) run: String,
}

/// What a step's rollouts came to.
#[derive(Default)]
pub(super) struct Played {
    /// The rollouts to learn from.
    pub(super) groups: Vec<TrajectoryGroup>,
    /// Groups that were left out because nothing can be learned from them.
    pub(super) dropped: Vec<TrajectoryGroup>,
    /// Rounds that replaced such groups.
    pub(super) n_refills: usize,
    /// Tokens sampled now, without those of the journal.
    pub(super) n_fresh_tokens: u64,
    /// Time it took.
    pub(super) secs: f64,
}

impl Played {
    /// Every group that was played.
    pub(super) fn all(&self) -> impl Iterator<Item = &TrajectoryGroup> {
        self.groups.iter().chain(&self.dropped)
    }
}

/// A step under way.
struct Round<'a> {
    player: &'a Player,
    step: u32,
    journal: Journal,
    /// What the journal held.
    known: Vec<Trajectory>,
    dispatcher: &'a mut Dispatcher,
    done: usize,
    total: usize,
    n_fresh_tokens: u64,
}

impl Player {
    /// Plays the scenarios of `step` with the weights of `version`.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub(super) async fn play(
        &self,
        step: u32,
        version: PolicyVersion,
        dispatcher: &mut Dispatcher,
    ) -> Result<Played, RunError> {
        let start = Instant::now();
        let mut round = self.open(step, version, dispatcher)?;
        let mut chosen = self.order.of_step(step, self.n_groups);
        let mut used = chosen.clone();
        let mut played = Played::default();
        loop {
            let first = used.len() - chosen.len();
            for group in round.play(&chosen, first).await? {
                let place = if self.refill_rounds > 0 && is_dead(&group) {
                    &mut played.dropped
                } else {
                    &mut played.groups
                };
                place.push(group);
            }
            let n_missing = self.n_groups - played.groups.len();
            if n_missing == 0 || played.n_refills == self.refill_rounds {
                break;
            }
            played.n_refills += 1;
            chosen = self.order.of_refill(step, played.n_refills as u32, n_missing, &used);
            used.extend_from_slice(&chosen);
        }
        round.journal.sync()?;
        played.n_fresh_tokens = round.n_fresh_tokens;
        played.secs = start.elapsed().as_secs_f64();
        Ok(played)
    }

    fn open<'a>(
        &'a self,
        step: u32,
        version: PolicyVersion,
        dispatcher: &'a mut Dispatcher,
    ) -> Result<Round<'a>, RunError> {
        let key = JournalKey { run: self.run.clone(), step, policy_version: version };
        let (journal, contents) = Journal::open(&self.folder.journal(step), &key)?;
        if let Some(stop) = &contents.stop {
            let text = format!("the journal of step {step} was damaged: {}", stop.damage);
            dispatcher.emit(&Event::Warning { text });
        }
        Ok(Round {
            player: self,
            step,
            journal,
            known: contents.trajectories,
            dispatcher,
            done: 0,
            total: 0,
            n_fresh_tokens: 0,
        })
    }
}

impl Round<'_> {
    /// Plays the scenarios `chosen` as the groups from `first` on.
    async fn play(
        &mut self,
        chosen: &[usize],
        first: usize,
    ) -> Result<Vec<TrajectoryGroup>, RunError> {
        let player = self.player;
        let mut plans = plans(&player.scenarios, chosen, player.n_samples);
        plans.iter_mut().for_each(|plan| plan.index += first as u32);
        let indices = first as u32..(first + chosen.len()) as u32;
        let (known, others) = std::mem::take(&mut self.known)
            .into_iter()
            .partition(|trajectory| indices.contains(&trajectory.id.scenario));
        self.known = others;
        let known: Vec<Trajectory> = settled(known, &plans);
        self.done += known.len();
        self.total += chosen.len() * player.n_samples;
        let finished = |trajectory: &Trajectory| {
            self.journal.append(trajectory)?;
            let outcome = RolloutOutcome::from(trajectory);
            self.n_fresh_tokens += outcome.n_tokens as u64;
            self.done += 1;
            if player.judge.is_none() {
                self.dispatcher.emit(&Event::RolloutFinished(outcome));
            }
            let (done, total) = (self.done, self.total);
            self.dispatcher.emit(&Event::RolloutProgress { done, total });
            Ok::<(), RunError>(())
        };
        let groups = play_groups(&player.stage, self.step, &plans, known, finished).await?;
        let Some(judge) = &player.judge else { return Ok(groups) };
        let judged = |trajectory: &Trajectory| {
            self.journal.append(trajectory)?;
            self.dispatcher.emit(&Event::RolloutFinished(RolloutOutcome::from(trajectory)));
            Ok::<(), RunError>(())
        };
        let groups = judge_groups(judge, self.step, &plans, groups, judged).await?;
        player.warn_of_bias(&groups, self.dispatcher);
        Ok(groups)
    }
}

impl Player {
    /// Warns once in a run of a judge whose word depends on the order of what it sees.
    fn warn_of_bias(&self, groups: &[TrajectoryGroup], dispatcher: &mut Dispatcher) {
        let metrics = step_metrics::of_rollouts(groups.iter());
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
