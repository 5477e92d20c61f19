//! The loop over steps: play, improve, evaluate, save.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use stateset_core::{PolicyVersion, Trajectory, Weighing};

use super::dead::reason_to_skip;
use super::evaluation::Evaluator;
use super::health::Health;
use super::learner::{PolicyLearner, Saved};
use super::player::{Played, Player};
use super::run::{OnlineRun, Ready, Resume, TrainedRun};
use super::stagehands::{early_stopping, evaluator, files, player, setting_warnings};
use super::state::TrainerState;
use super::step_groups::learned_batch;
use super::{setup, step_metrics, weighing};
use crate::config::RunConfig;
use crate::judge::PreferenceFile;
use crate::store::CheckpointStore;
use crate::update::{Batch, UpdateLimits, UpdateReport};
use crate::{
    Dispatcher, EarlyStopping, EvaluationSummary, Event, Flow, Phase, RunFolder, RunSummary,
    StopSignal, TrainError, metric, write_report,
};

/// Updates in a row that may come to nothing.
const MAX_FAILED_UPDATES: usize = 3;
/// Time that the rollouts of the next step have for their first requests before an update begins. It
/// decides nothing but how well the two share the machine.
const HEAD_START: Duration = Duration::from_millis(5);

/// One run under way.
pub(super) struct Trainer {
    config: RunConfig,
    folder: RunFolder,
    player: Player,
    evaluator: Evaluator,
    /// Rollouts of the next step that were played during the last update.
    ahead: Option<Played>,
    /// `None` for canned answers, and while a checkpoint is being written.
    learner: Option<PolicyLearner>,
    early_stopping: Option<EarlyStopping>,
    health: Health,
    preferences: Option<PreferenceFile>,
    /// Changes the weights of the reward's parts, where they change.
    weighing: Option<Box<dyn Weighing>>,
    dispatcher: Dispatcher,
    stop: StopSignal,
    state: TrainerState,
    /// The newest checkpoint.
    saved: Option<Saved>,
    before: Option<EvaluationSummary>,
    ready: Ready,
    session: Instant,
    secs_before_session: f64,
}

impl Trainer {
    /// Goes back to the newest checkpoint, where there is one, and opens the files of the run.
    pub(super) async fn new(mut run: OnlineRun, ready: Ready) -> Result<Trainer, TrainError> {
        let settings = run.update_settings();
        let config = run.resolved.config.clone();
        let store = CheckpointStore::open(&run.folder, config.checkpoint.n_kept)?;
        let algorithm = setup::algorithm(&config)?;
        let mut learner = ready.engine.clone().map(|(engine, writer)| PolicyLearner {
            engine,
            algorithm,
            settings: settings.clone(),
            limits: UpdateLimits::default(),
            writer,
            store,
            seed: config.seed,
        });
        let (found, warnings) = match (&learner, &run.resume) {
            (Some(learner), Some(Resume::Newest)) => learner.resume().await?,
            (Some(learner), Some(Resume::From(path))) => {
                (Some(learner.open(path).await?), Vec::new())
            }
            _ => (None, Vec::new()),
        };
        let (saved, state) = match found {
            Some((saved, state)) => (Some(saved), state),
            None => (None, TrainerState::default()),
        };
        let health = Health::new(&config, settings, &state.health)?;
        if let Some(learner) = &mut learner {
            health.set_up(learner);
        }
        let weighing = weighing::open(&run, &state)?;
        let resumed_step = run.resume.as_ref().map(|_| state.step);
        let toml = run.resolved.to_toml();
        let sinks = files(&run.folder, &toml, resumed_step, std::mem::take(&mut run.sinks))?;
        let mut dispatcher = Dispatcher::new(sinks, std::mem::take(&mut run.callbacks));
        let start = crate::RunStart { resumed_step, ..ready.start.clone() };
        dispatcher.emit(&Event::RunStarted(start));
        for text in warnings.into_iter().chain(setting_warnings(&run)) {
            dispatcher.emit(&Event::Warning { text });
        }
        let early_stopping = early_stopping(&config, &state);
        let path = run.folder.preferences();
        let preferences = match config.reward.writes_preferences {
            true => Some(PreferenceFile::open(&path, resumed_step)?),
            false => None,
        };
        Ok(Trainer {
            preferences,
            weighing,
            player: player(&run, &ready),
            evaluator: evaluator(&run, &ready),
            ahead: None,
            learner,
            early_stopping,
            health,
            dispatcher,
            stop: run.stop.clone(),
            secs_before_session: state.wall_secs,
            state,
            saved,
            before: None,
            ready,
            session: Instant::now(),
            folder: run.folder,
            config,
        })
    }

    /// Everything up to the summary.
    pub(super) async fn run(mut self) -> Result<TrainedRun, TrainError> {
        self.before = self.evaluate_before().await?;
        let mut after = None;
        while !self.is_complete() && !self.stop.is_set() {
            self.step().await?;
            after = self.after_step().await?;
        }
        if self.is_complete() && after.is_none() {
            self.keep_best().await?;
            after = self.evaluate_after().await?;
        }
        if self.is_complete() {
            self.warn_if_worse();
        }
        self.finish(after).await
    }

    fn n_steps(&self) -> u32 {
        self.config.steps.n_steps as u32
    }

    fn is_complete(&self) -> bool {
        self.state.is_stopped || self.state.step >= self.n_steps()
    }

    fn phase(&mut self, step: u32, phase: Phase) {
        self.dispatcher.emit(&Event::PhaseChanged { step, phase });
    }

    fn warn(&mut self, text: String) {
        self.dispatcher.emit(&Event::Warning { text });
    }

    /// One step; the state counts it once it is over.
    async fn step(&mut self) -> Result<(), TrainError> {
        let start = Instant::now();
        let step = self.state.step + 1;
        self.phase(step, Phase::Sampling);
        let mut played = match self.ahead.take() {
            Some(played) => played,
            None => {
                let version = self.sampling_version(step).await?;
                self.player.play(step, version, &mut self.dispatcher).await?
            }
        };
        let mut metrics = step_metrics::of_rollouts(played.all());
        if let Some(weighing) = &mut self.weighing {
            weighing::settle(weighing.as_mut(), &mut played, &mut metrics);
            self.state.weighing = Some(weighing.state());
        }
        self.count_rollouts(&played, step, &mut metrics);
        self.write_preferences(step, &played)?;
        if self.learner.is_some() {
            self.phase(step, Phase::Training);
            let batch = self.batch(&played, step, &mut metrics)?;
            self.improve(batch, step, &mut metrics).await?;
        }
        if let Some(bytes) = crate::peak_rss_bytes() {
            metrics.insert(metric::PEAK_MEMORY.to_owned(), bytes as f64);
        }
        self.state.step = step;
        let secs = start.elapsed().as_secs_f64();
        self.state.wall_secs = self.wall_secs();
        let found = self.health.observe(step, &mut metrics);
        let of = self.n_steps();
        let flow = self.dispatcher.emit(&Event::StepFinished { step, of, metrics, secs });
        self.state.is_stopped |= flow == Flow::Stop;
        self.take_health(&found);
        Ok(())
    }

    fn write_preferences(&mut self, step: u32, played: &Played) -> Result<(), TrainError> {
        let Some(file) = &mut self.preferences else { return Ok(()) };
        let instructions = self.ready.agent.system_prompt.as_deref();
        Ok(file.add(step, &played.groups, &self.player.scenarios, instructions)?)
    }

    /// Steps by which the weights that sample are older than the newest.
    fn staleness(&self) -> usize {
        if self.learner.is_some() { self.config.algorithm.rollouts.staleness } else { 0 }
    }

    /// Lets the engine sample from the weights that `step` is played with: with a staleness of S those
    /// after `step` - 1 - S steps, or those of the start. Gives their version.
    async fn sampling_version(&mut self, step: u32) -> Result<PolicyVersion, TrainError> {
        match &self.learner {
            Some(learner) => learner.sample_from(sampled_from(step, self.staleness())).await,
            None => Ok(PolicyVersion(self.state.policy_version)),
        }
    }

    /// Tells what watching found, and lets the next step be trained accordingly.
    fn take_health(&mut self, found: &[Event]) {
        for event in found {
            self.dispatcher.emit(event);
        }
        self.state.health = self.health.record();
        if let Some(learner) = &mut self.learner {
            self.health.set_up(learner);
        }
    }

    fn count_rollouts(&mut self, played: &Played, step: u32, metrics: &mut BTreeMap<String, f64>) {
        let all = || played.all().flat_map(|group| &group.trajectories);
        self.state.n_episodes += all().count() as u64;
        let tokens: usize = all().flat_map(|t| &t.turns).map(|turn| turn.n_tokens).sum();
        self.state.n_sampled_tokens += tokens as u64;
        self.state.n_timed_tokens += played.n_fresh_tokens;
        self.state.rollout_secs += played.secs;
        if let Some(speed) = rate(played.n_fresh_tokens, played.secs) {
            metrics.insert(metric::ROLLOUT_TOKENS_PER_SEC.to_owned(), speed);
        }
        if self.staleness() > 0 {
            let age = step - 1 - sampled_from(step, self.staleness());
            metrics.insert(metric::STALENESS.to_owned(), f64::from(age));
        }
        if self.player.refill_rounds == 0 {
            return;
        }
        metrics.insert(metric::REFILL_ROUNDS.to_owned(), played.n_refills as f64);
        metrics.insert(metric::DROPPED_GROUPS.to_owned(), played.dropped.len() as f64);
        let rewards: Vec<f64> = all().filter_map(Trajectory::reward).collect();
        if !rewards.is_empty() {
            let mean = rewards.iter().sum::<f64>() / rewards.len() as f64;
            metrics.insert(metric::PLAYED_REWARD.to_owned(), mean);
        }
        let (n_left, n_wanted) = (played.groups.len(), self.player.n_groups);
        if n_left > 0 && n_left < n_wanted {
            let n_refills = played.n_refills;
            self.warn(format!(
                "step {step} learns from {n_left} of {n_wanted} groups, for {n_refills} further rounds \
                 did not find enough in which rewards differ"
            ));
        }
    }

    /// What the step learns from; `None` where it is left out, which has been said then.
    fn batch(
        &mut self,
        played: &Played,
        step: u32,
        metrics: &mut BTreeMap<String, f64>,
    ) -> Result<Option<Batch>, TrainError> {
        let (batch, punishment) = learned_batch(&played.groups, &self.config);
        if let Some(mean) = punishment {
            metrics.insert(metric::OVERLONG.to_owned(), mean);
        }
        if batch.n_sampled() > 0 {
            return Ok(Some(batch));
        }
        if let Some(reason) = reason_to_skip(&played.dropped) {
            // Nothing is wrong with the model, so this does not count as a failure.
            self.warn(format!("the update of step {step} was left out because {reason}"));
            return Ok(None);
        }
        let failure = played.all().flat_map(|group| &group.trajectories);
        let failure = failure.filter_map(|t| t.error.as_ref()).next();
        let reason = failure.map_or("no rollout could be scored".to_owned(), |error| {
            format!("no rollout could be used; the first said: {error}")
        });
        self.count_failure(reason, step)?;
        Ok(None)
    }

    /// Improves the policy, and plays the next step meanwhile where its weights are known already.
    async fn improve(
        &mut self,
        batch: Option<Batch>,
        step: u32,
        metrics: &mut BTreeMap<String, f64>,
    ) -> Result<(), TrainError> {
        let n_sampled = batch.as_ref().map_or(0, |batch| batch.n_sampled() as u64);
        let plays_ahead = self.staleness() > 0 && step < self.n_steps() && !self.stop.is_set();
        let ahead = match plays_ahead {
            true => Some(self.sampling_version(step + 1).await?),
            false => None,
        };
        let controls = self.state.controls.into();
        let Trainer { player, dispatcher, learner: Some(learner), .. } = &mut *self else {
            return Ok(());
        };
        let update = async {
            let Some(batch) = batch else { return Ok(None) };
            if plays_ahead {
                tokio::time::sleep(HEAD_START).await;
            }
            learner.improve(batch, step, controls).await.map(Some)
        };
        let play = async {
            let Some(version) = ahead else { return Ok(None) };
            player.play(step + 1, version, dispatcher).await.map(Some)
        };
        let (report, ahead) = tokio::join!(update, play);
        let report = report?;
        learner.remember(step).await?;
        self.ahead = ahead?;
        match report {
            Some(report) => self.count_update(report, n_sampled, step, metrics),
            None => Ok(()),
        }
    }

    fn count_update(
        &mut self,
        report: UpdateReport,
        n_sampled: u64,
        step: u32,
        metrics: &mut BTreeMap<String, f64>,
    ) -> Result<(), TrainError> {
        self.state.controls = report.controls.into();
        self.state.policy_version += report.n_taken as u64;
        let trained = n_sampled * self.config.steps.n_iterations as u64;
        self.state.n_trained_tokens += trained;
        self.state.train_secs += report.secs;
        if let Some(speed) = rate(trained, report.secs) {
            metrics.insert(metric::TRAIN_TOKENS_PER_SEC.to_owned(), speed);
        }
        metrics.extend(report.metrics);
        match report.skipped_because {
            Some(reason) if report.n_taken == 0 && report.is_on_purpose => {
                self.warn(format!("the update of step {step} was left out because {reason}"));
                Ok(())
            }
            Some(reason) if report.n_taken == 0 => self.count_failure(reason, step),
            Some(reason) => {
                self.state.n_failed_updates = 0;
                self.warn(format!(
                    "{} of the optimiser steps of step {step} were skipped because {reason}",
                    report.n_skipped
                ));
                Ok(())
            }
            None => {
                self.state.n_failed_updates = 0;
                Ok(())
            }
        }
    }

    /// One more update came to nothing; several in a row end the run.
    fn count_failure(&mut self, reason: String, step: u32) -> Result<(), TrainError> {
        self.state.n_failed_updates += 1;
        if self.state.n_failed_updates >= MAX_FAILED_UPDATES {
            return Err(TrainError::Diverged { n_skipped: self.state.n_failed_updates, reason });
        }
        self.warn(format!("the update of step {step} was skipped because {reason}"));
        Ok(())
    }

    /// Evaluates and saves where it is time to. Gives the evaluation after the last step, once it is
    /// over.
    async fn after_step(&mut self) -> Result<Option<EvaluationSummary>, TrainError> {
        let step = self.state.step;
        let is_due = |every: Option<u64>| every.is_some_and(|n| u64::from(step).is_multiple_of(n));
        let mut evaluation = None;
        if self.is_complete() {
            evaluation = self.evaluate_after().await?;
        } else if is_due(self.config.evaluation.every_n_steps) {
            let name = format!("step-{step:06}");
            evaluation = Some(self.evaluate(&name).await?);
        }
        let reward = evaluation.as_ref().and_then(|e| e.reward).map(|reward| reward.estimate);
        let is_best = reward.is_some_and(|r| self.state.best_reward.is_none_or(|best| r > best));
        if is_best {
            self.state.best_reward = reward;
            self.state.best_step = Some(step);
        }
        if let Some(reward) = reward {
            let found = self.health.observe_evaluation(step, reward);
            self.take_health(&found);
        }
        if evaluation.is_some() && !self.is_complete() && self.ends_early(reward) {
            self.warn("evaluations no longer get better, so the run ends here".to_owned());
            // The best model is evaluated once it has been put back.
            evaluation = None;
        }
        let must_save = self.is_complete() || self.stop.is_set() || is_best;
        if must_save || is_due(self.config.checkpoint.every_n_steps) {
            self.save(is_best).await?;
        }
        Ok(evaluation.filter(|_| self.is_complete()))
    }

    /// Takes in an evaluation and says whether it was one too many without a gain.
    fn ends_early(&mut self, reward: Option<f64>) -> bool {
        let Some(rule) = &mut self.early_stopping else { return false };
        self.state.ended_early = rule.observe(reward) == Flow::Stop;
        self.state.is_stopped |= self.state.ended_early;
        self.state.early_stopping = rule.state;
        self.state.is_stopped
    }

    /// After an early stop the best model is the one that is kept.
    async fn keep_best(&mut self) -> Result<(), TrainError> {
        let (true, Some(step)) = (self.state.ended_early, self.state.best_step) else {
            return Ok(());
        };
        let Some(learner) = &self.learner else { return Ok(()) };
        if self.saved.as_ref().is_some_and(|saved| saved.checkpoint.step == step) {
            return Ok(());
        }
        match learner.open_best(&self.folder.best_checkpoint(), step).await? {
            Some(best) => {
                self.saved = Some(best);
                self.warn(format!("the model of step {step} is kept, whose evaluation was the best"));
            }
            None => self.warn(format!(
                "the best evaluation was that of step {step}, but its checkpoint cannot be used; the last \
                 model is kept"
            )),
        }
        Ok(())
    }

    /// The model that a run began with is none of its checkpoints, so no better one can be kept.
    fn warn_if_worse(&mut self) {
        let before = self.before.as_ref().and_then(|before| before.reward);
        let before = before.map(|reward| reward.estimate);
        let Some((before, best)) = before.zip(self.state.best_reward) else { return };
        if best < before {
            self.warn(format!(
                "the run did not make the model better: the best evaluation after it began was \
                 {best:.3}, the one before training {before:.3}; the model it began with is not among \
                 its checkpoints"
            ));
        }
    }

    async fn evaluate(&mut self, name: &str) -> Result<EvaluationSummary, TrainError> {
        let step = self.state.step;
        self.phase(step, Phase::Evaluating);
        self.sample_newest().await?;
        let summary = self.evaluator.evaluate(name, &mut self.dispatcher).await?;
        self.tell(name, &summary);
        Ok(summary)
    }

    /// Evaluations, and whoever uses the agent after the run, meet the newest weights.
    async fn sample_newest(&mut self) -> Result<(), TrainError> {
        match &self.learner {
            Some(learner) => learner.sample_newest().await,
            None => Ok(()),
        }
    }

    fn tell(&mut self, name: &str, summary: &EvaluationSummary) {
        let (name, step, summary) = (name.to_owned(), self.state.step, summary.clone());
        let event = Event::EvaluationFinished { name, step, summary };
        self.state.is_stopped |= self.dispatcher.emit(&event) == Flow::Stop;
    }

    /// The evaluation of the model the run began with. A run that goes on finds it where it was
    /// written; it cannot be played again, for the weights are others.
    async fn evaluate_before(&mut self) -> Result<Option<EvaluationSummary>, TrainError> {
        if !self.config.evaluation.before_training || self.evaluator.scenarios.is_empty() {
            return Ok(None);
        }
        if self.state.step > 0 {
            return self.evaluator.recall(RunFolder::BEFORE);
        }
        match self.evaluator.recall(RunFolder::BEFORE)? {
            Some(summary) => {
                self.tell(RunFolder::BEFORE, &summary);
                Ok(Some(summary))
            }
            None => Ok(Some(self.evaluate(RunFolder::BEFORE).await?)),
        }
    }

    async fn evaluate_after(&mut self) -> Result<Option<EvaluationSummary>, TrainError> {
        if !self.config.evaluation.after_training || self.evaluator.scenarios.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.evaluate(RunFolder::AFTER).await?))
    }

    async fn save(&mut self, is_best: bool) -> Result<(), TrainError> {
        let Some(learner) = self.learner.take() else { return Ok(()) };
        let step = self.state.step;
        self.phase(step, Phase::Saving);
        self.state.wall_secs = self.wall_secs();
        let (learner, saved) = learner.save(self.state.clone(), is_best).await?;
        if let Some(oldest) = learner.store.oldest_step()? {
            // Going back to the oldest checkpoint needs no journal up to it.
            self.folder.remove_journals_through(oldest)?;
        }
        self.learner = Some(learner);
        let path = saved.checkpoint.path.clone();
        self.saved = Some(saved);
        self.dispatcher.emit(&Event::CheckpointSaved { path, step, is_best });
        Ok(())
    }

    fn wall_secs(&self) -> f64 {
        self.secs_before_session + self.session.elapsed().as_secs_f64()
    }

    async fn finish(mut self, after: Option<EvaluationSummary>) -> Result<TrainedRun, TrainError> {
        let is_complete = self.is_complete();
        self.sample_newest().await?;
        if let (Some(learner), Some(saved)) = (&mut self.learner, &self.saved) {
            learner.finish(&saved.checkpoint)?;
        }
        let summary = self.summary(after.as_ref());
        summary.write(&self.folder)?;
        self.dispatcher.emit(&Event::RunFinished(summary.clone()));
        write_report(&self.folder)?;
        Ok(TrainedRun {
            folder: self.folder,
            summary,
            before: self.before,
            after,
            is_complete,
            agent: self.ready.agent,
            policy: self.ready.policy,
            engine: self.ready.engine,
        })
    }

    fn summary(&self, after: Option<&EvaluationSummary>) -> RunSummary {
        let state = &self.state;
        let mut summary = RunSummary {
            n_steps: state.step,
            n_episodes: state.n_episodes,
            n_sampled_tokens: state.n_sampled_tokens,
            n_trained_tokens: state.n_trained_tokens,
            rollout_tokens_per_sec: rate(state.n_timed_tokens, state.rollout_secs),
            train_tokens_per_sec: rate(state.n_trained_tokens, state.train_secs),
            wall_secs: self.wall_secs(),
            peak_rss_bytes: crate::peak_rss_bytes(),
            model_sha256: self.saved.as_ref().map(|saved| saved.sha256.clone()),
            run_dir: self.folder.root().to_owned(),
            ..RunSummary::default()
        };
        self.before.iter().for_each(|before| summary.set_before(before));
        after.into_iter().for_each(|after| summary.set_after(after));
        summary
    }
}

/// Steps done by the weights that `step` is sampled from.
fn sampled_from(step: u32, staleness: usize) -> u32 {
    let staleness = u32::try_from(staleness).unwrap_or(u32::MAX);
    (step - 1).saturating_sub(staleness)
}

/// A rate; `None` where there is nothing to divide.
fn rate(n: u64, secs: f64) -> Option<f64> {
    (n > 0 && secs > 0.0).then(|| n as f64 / secs)
}
