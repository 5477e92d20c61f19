//! The loop over steps: learn, evaluate, save.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use stateset_algo::{Algorithm, PreferenceMethod, Schedule};
use stateset_nn::{ChatFormat, OptimiserStep};

use super::batch::PreferenceBatch;
use super::checkpoint;
use super::evaluate::{self, AnswerRewards};
use super::order::ExampleOrder;
use super::run::{Divided, TrainedPreference};
use super::scale::RewardScale;
use super::settings::{PreferenceGoal, PreferenceSettings};
use super::state::PreferenceState;
use super::step::{self, PreferenceStep, StepRates};
use crate::engine::Engine;
use crate::events::EvaluationRecord;
use crate::online::{CheckpointWriter, Resume, files};
use crate::policy::LocalPolicy;
use crate::store::{Checkpoint, CheckpointStore, open_checkpoint};
use crate::{
    Callback, Dispatcher, EarlyStopping, EvaluationSummary, Event, Flow, Phase, RunFolder,
    RunStart, RunSummary, Sink, StopSignal, TrainError, metric, write_report,
};

/// Steps in a row that may come to nothing.
const MAX_FAILED_STEPS: usize = 3;
/// Examples that the scale of a reward model is measured on.
const SCALE_EXAMPLES: usize = 256;

/// What a run hands over.
pub(super) struct Parts {
    pub(super) settings: PreferenceSettings,
    pub(super) folder: RunFolder,
    pub(super) resume: Option<Resume>,
    pub(super) config_toml: String,
    pub(super) sinks: Vec<Box<dyn Sink>>,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) stop: StopSignal,
    pub(super) engine: Engine,
    pub(super) writer: CheckpointWriter,
    pub(super) format: ChatFormat,
    pub(super) data: Divided,
    pub(super) fingerprint: String,
    pub(super) start: RunStart,
    pub(super) warnings: Vec<String>,
}

/// One run under way.
pub(super) struct Trainer {
    settings: PreferenceSettings,
    algorithm: Arc<dyn Algorithm>,
    folder: RunFolder,
    engine: Engine,
    writer: CheckpointWriter,
    format: ChatFormat,
    data: Divided,
    order: ExampleOrder,
    n_steps: u32,
    schedule: Schedule,
    early_stopping: Option<EarlyStopping>,
    dispatcher: Dispatcher,
    stop: StopSignal,
    store: CheckpointStore,
    state: PreferenceState,
    /// The newest checkpoint, and the hash of its weights.
    saved: Option<(Checkpoint, String)>,
    scale: Option<RewardScale>,
    /// Of every held-out example, by the name of the evaluation.
    rewards: BTreeMap<String, Vec<AnswerRewards>>,
    session: Instant,
    secs_before_session: f64,
}

impl Trainer {
    /// Goes back to the newest checkpoint, where there is one, and opens the files of the run.
    pub(super) fn new(parts: Parts) -> Result<Trainer, TrainError> {
        let settings = parts.settings;
        let order =
            ExampleOrder { seed: settings.seed, n_examples: parts.data.learned.examples.len() };
        let n_steps = settings.n_steps(order.n_examples);
        let store = CheckpointStore::open(&parts.folder, settings.n_kept)?;
        let (found, warnings) = resumed(&store, parts.resume.as_ref())?;
        let (saved, state) = match found {
            Some(found) => {
                let state = checkpoint::restore(&parts.engine, &found.path)?;
                check_same_run(&state, &parts.fingerprint, &parts.folder)?;
                let sha256 = checkpoint::weights_sha256(&found.path)?;
                (Some((found, sha256)), state)
            }
            None => (None, PreferenceState::new(parts.fingerprint)),
        };
        let resumed_step = parts.resume.as_ref().map(|_| state.step);
        let sinks = files(&parts.folder, &parts.config_toml, resumed_step, parts.sinks)?;
        let mut dispatcher = Dispatcher::new(sinks, parts.callbacks);
        dispatcher.emit(&Event::RunStarted(RunStart { n_steps, resumed_step, ..parts.start }));
        let warnings = warnings.into_iter().chain(parts.warnings);
        for text in warnings.chain(data_warnings(&parts.data, &settings)) {
            dispatcher.emit(&Event::Warning { text });
        }
        let early_stopping = settings.patience.map(|patience| {
            let rule = EarlyStopping::new(patience, 0.0);
            EarlyStopping { state: state.early_stopping, ..rule }
        });
        Ok(Trainer {
            algorithm: settings.algorithm(),
            folder: parts.folder,
            engine: parts.engine,
            writer: parts.writer,
            format: parts.format,
            data: parts.data,
            order,
            n_steps,
            schedule: settings.schedule(n_steps),
            early_stopping,
            dispatcher,
            stop: parts.stop,
            store,
            secs_before_session: state.wall_secs,
            state,
            saved,
            scale: None,
            rewards: BTreeMap::new(),
            session: Instant::now(),
            settings,
        })
    }

    /// Everything up to the summary.
    pub(super) fn run(mut self) -> Result<TrainedPreference, TrainError> {
        self.evaluate_before()?;
        let mut after = None;
        while !self.is_complete() && !self.stop.is_set() {
            self.step()?;
            after = self.after_step()?;
        }
        if self.is_complete() && after.is_none() {
            after = self.evaluate_after()?;
        }
        self.finish(after)
    }

    fn is_complete(&self) -> bool {
        self.state.is_stopped || self.state.step >= self.n_steps
    }

    fn phase(&mut self, step: u32, phase: Phase) {
        self.dispatcher.emit(&Event::PhaseChanged { step, phase });
    }

    fn batch(
        &self,
        chosen: &[usize],
        of: &super::data::Prepared,
    ) -> Result<PreferenceBatch, TrainError> {
        let wants = self.algorithm.wants();
        let limit = self.max_tokens();
        let mismatched = wants.current_of_mismatched.then_some((&self.format, limit));
        of.batch(chosen, wants.values_only, mismatched)
    }

    /// Tokens of the longest row that an answer put to another prompt may have.
    fn max_tokens(&self) -> usize {
        self.settings.max_tokens.unwrap_or(usize::MAX).min(self.longest())
    }

    fn longest(&self) -> usize {
        self.data.learned.longest().max(self.data.held_out.longest())
    }

    /// One step; the state counts it once it is over.
    fn step(&mut self) -> Result<(), TrainError> {
        let start = Instant::now();
        let step = self.state.step + 1;
        self.phase(step, Phase::Training);
        let chosen = self.order.of_step(step, self.settings.examples_per_step);
        let batch = self.batch(&chosen, &self.data.learned)?;
        let n_tokens = batch.n_tokens();
        let rate = self.schedule.multiplier(u64::from(step - 1));
        let optimiser = OptimiserStep {
            learning_rate: self.settings.optimiser.learning_rate * rate,
            ..self.settings.optimiser
        };
        let head_rate = self.settings.head_learning_rate.map(|head| head * rate);
        let rates = StepRates { optimiser, head: head_rate };
        let algorithm = self.algorithm.clone();
        let job =
            move |engine: &mut _| step::preference_step(engine, algorithm.as_ref(), &batch, rates);
        let outcome = self.engine.run_blocking(job)??;
        let secs = start.elapsed().as_secs_f64();
        let mut metrics = self.count(step, outcome, optimiser.learning_rate)?;
        if secs > 0.0 {
            let speed = n_tokens as f64 / secs;
            metrics.insert(metric::TRAIN_TOKENS_PER_SEC.to_owned(), speed);
        }
        if let Some(bytes) = crate::peak_rss_bytes() {
            metrics.insert(metric::PEAK_MEMORY.to_owned(), bytes as f64);
        }
        self.state.step = step;
        self.state.n_examples += chosen.len() as u64;
        self.state.n_trained_tokens += n_tokens as u64;
        self.state.train_secs += secs;
        self.state.wall_secs = self.wall_secs();
        let of = self.n_steps;
        let flow = self.dispatcher.emit(&Event::StepFinished { step, of, metrics, secs });
        self.state.is_stopped |= flow == Flow::Stop;
        Ok(())
    }

    /// The numbers of a step. Several steps in a row that came to nothing end the run.
    fn count(
        &mut self,
        step: u32,
        outcome: PreferenceStep,
        learning_rate: f64,
    ) -> Result<BTreeMap<String, f64>, TrainError> {
        let named = outcome.diagnostics.finish().into_iter();
        let mut metrics: BTreeMap<String, f64> =
            named.map(|(name, value)| (name.to_owned(), value)).collect();
        metrics.insert(metric::LEARNING_RATE.to_owned(), learning_rate);
        let reason = match outcome.report {
            Some(report) if !report.is_skipped => {
                metrics.insert(metric::GRADIENT_NORM.to_owned(), report.grad_norm);
                self.state.policy_version += 1;
                self.state.n_failed_steps = 0;
                return Ok(metrics);
            }
            Some(_) => "the gradient was not finite",
            None => "the loss was not finite",
        };
        self.state.n_failed_steps += 1;
        if self.state.n_failed_steps >= MAX_FAILED_STEPS {
            let n_skipped = self.state.n_failed_steps;
            return Err(TrainError::Diverged { n_skipped, reason: reason.to_owned() });
        }
        let text = format!("step {step} was skipped because {reason}");
        self.dispatcher.emit(&Event::Warning { text });
        metrics.retain(|_, value| value.is_finite());
        Ok(metrics)
    }

    /// Evaluates and saves where it is time to. Gives the evaluation after the last step, once it is over.
    fn after_step(&mut self) -> Result<Option<EvaluationSummary>, TrainError> {
        let step = self.state.step;
        let is_due = |every: Option<u32>| every.is_some_and(|n| n > 0 && step.is_multiple_of(n));
        let mut evaluation = if self.is_complete() {
            self.evaluate_after()?
        } else if is_due(self.settings.evaluate_every_n_steps) {
            self.evaluate(&format!("step-{step:06}"))?
        } else {
            None
        };
        let accuracy = evaluation.as_ref().and_then(|e| e.reward).map(|r| r.estimate);
        let is_best =
            accuracy.is_some_and(|a| self.state.best_accuracy.is_none_or(|best| a > best));
        if is_best {
            self.state.best_accuracy = accuracy;
        }
        if evaluation.is_some() && !self.is_complete() && self.ends_early(accuracy) {
            let text = "evaluations no longer get better, so the run ends here".to_owned();
            self.dispatcher.emit(&Event::Warning { text });
            evaluation = self.evaluate_after()?;
        }
        let must_save = self.is_complete() || self.stop.is_set() || is_best;
        if must_save || is_due(self.settings.save_every_n_steps) {
            self.save(is_best)?;
        }
        Ok(evaluation.filter(|_| self.is_complete()))
    }

    /// Takes in an evaluation and says whether it was one too many without a gain.
    fn ends_early(&mut self, accuracy: Option<f64>) -> bool {
        let Some(rule) = &mut self.early_stopping else { return false };
        self.state.is_stopped |= rule.observe(accuracy) == Flow::Stop;
        self.state.early_stopping = rule.state;
        self.state.is_stopped
    }

    fn evaluate_after(&mut self) -> Result<Option<EvaluationSummary>, TrainError> {
        match self.settings.evaluates_after {
            true => self.evaluate(RunFolder::AFTER),
            false => Ok(None),
        }
    }

    /// Measures the held-out examples; `None` without any.
    fn evaluate(&mut self, name: &str) -> Result<Option<EvaluationSummary>, TrainError> {
        if self.data.held_out.examples.is_empty() {
            return Ok(None);
        }
        let step = self.state.step;
        self.phase(step, Phase::Evaluating);
        let all: Vec<usize> = (0..self.data.held_out.examples.len()).collect();
        let batch = self.batch(&all, &self.data.held_out)?;
        let algorithm = self.algorithm.clone();
        let job = move |engine: &mut _| step::measure(engine, algorithm.as_ref(), &batch);
        let measured = self.engine.run_blocking(job)??;
        self.rewards.insert(name.to_owned(), measured.iter().map(AnswerRewards::from).collect());
        let summary = evaluate::summary(&measured, self.settings.seed, step)?;
        self.tell(name, &summary);
        Ok(Some(summary))
    }

    fn tell(&mut self, name: &str, summary: &EvaluationSummary) {
        let (name, step, summary) = (name.to_owned(), self.state.step, summary.clone());
        let event = Event::EvaluationFinished { name, step, summary };
        self.state.is_stopped |= self.dispatcher.emit(&event) == Flow::Stop;
    }

    fn evaluate_before(&mut self) -> Result<(), TrainError> {
        if self.state.step == 0 && self.settings.evaluates_before {
            let summary = self.evaluate(RunFolder::BEFORE)?;
            self.state.before = summary.as_ref().map(EvaluationRecord::from);
        }
        Ok(())
    }

    fn save(&mut self, is_best: bool) -> Result<(), TrainError> {
        let step = self.state.step;
        self.phase(step, Phase::Saving);
        self.state.wall_secs = self.wall_secs();
        self.scale = self.measured_scale()?;
        let mut sha256 = String::new();
        let (writer, engine, state, scale) = (&self.writer, &self.engine, &self.state, self.scale);
        let write = |folder: &Path| -> Result<(), TrainError> {
            sha256 = checkpoint::write(writer, engine, folder, state, scale)?;
            Ok(())
        };
        let saved = self.store.save(step, is_best, write)?;
        let path = saved.path.clone();
        self.saved = Some((saved, sha256));
        self.dispatcher.emit(&Event::CheckpointSaved { path, step, is_best });
        Ok(())
    }

    /// Where the scores of a reward model lie, on the first of the examples that it learns from.
    fn measured_scale(&self) -> Result<Option<RewardScale>, TrainError> {
        if !self.settings.is_reward_model() {
            return Ok(None);
        }
        let n = self.data.learned.examples.len().min(SCALE_EXAMPLES);
        let first: Vec<usize> = (0..n).collect();
        let batch = self.batch(&first, &self.data.learned)?;
        let scores = self.engine.run_blocking(move |engine| step::end_scores(engine, &batch))??;
        Ok(Some(RewardScale::of(&scores)))
    }

    fn wall_secs(&self) -> f64 {
        self.secs_before_session + self.session.elapsed().as_secs_f64()
    }

    fn finish(mut self, after: Option<EvaluationSummary>) -> Result<TrainedPreference, TrainError> {
        let is_complete = self.is_complete();
        if let Some((saved, _)) = &self.saved {
            self.store.save_final(saved)?;
        }
        let before: Option<EvaluationSummary> = self.state.before.clone().map(Into::into);
        let summary = self.summary(before.as_ref(), after.as_ref());
        summary.write(&self.folder)?;
        self.dispatcher.emit(&Event::RunFinished(summary.clone()));
        write_report(&self.folder)?;
        let scale = match self.scale {
            Some(scale) => Some(scale),
            None => self.measured_scale()?,
        };
        let mut rewards = |name: &str| self.rewards.remove(name).unwrap_or_default();
        Ok(TrainedPreference {
            rewards_before: rewards(RunFolder::BEFORE),
            rewards_after: rewards(RunFolder::AFTER),
            policy: LocalPolicy::new(self.engine.clone(), self.format),
            folder: self.folder,
            summary,
            before,
            after,
            is_complete,
            engine: self.engine,
            writer: self.writer,
            scale,
        })
    }

    fn summary(
        &self,
        before: Option<&EvaluationSummary>,
        after: Option<&EvaluationSummary>,
    ) -> RunSummary {
        let state = &self.state;
        let speed = state.n_trained_tokens as f64 / state.train_secs;
        let mut summary = RunSummary {
            n_steps: state.step,
            n_episodes: state.n_examples,
            n_trained_tokens: state.n_trained_tokens,
            train_tokens_per_sec: Some(speed).filter(|speed| speed.is_finite()),
            wall_secs: self.wall_secs(),
            peak_rss_bytes: crate::peak_rss_bytes(),
            model_sha256: self.saved.as_ref().map(|(_, sha256)| sha256.clone()),
            run_dir: self.folder.root().to_owned(),
            ..RunSummary::default()
        };
        before.into_iter().for_each(|before| summary.set_before(before));
        after.into_iter().for_each(|after| summary.set_after(after));
        summary
    }
}

/// The checkpoint to go on from, and sentences about those found damaged.
fn resumed(
    store: &CheckpointStore,
    resume: Option<&Resume>,
) -> Result<(Option<Checkpoint>, Vec<String>), TrainError> {
    match resume {
        None => Ok((None, Vec::new())),
        Some(Resume::From(path)) => Ok((Some(open_checkpoint(path)?), Vec::new())),
        Some(Resume::Newest) => {
            let newest = store.open_newest()?;
            let warn = |damaged: &crate::DamagedCheckpoint| {
                format!("passed over {}: {}", damaged.name, damaged.reason)
            };
            let warnings = newest.damaged.iter().map(warn).collect();
            Ok((newest.checkpoint, warnings))
        }
    }
}

/// A run that goes on must be told the same as when it began.
fn check_same_run(
    state: &PreferenceState,
    fingerprint: &str,
    folder: &RunFolder,
) -> Result<(), TrainError> {
    if state.fingerprint == fingerprint {
        return Ok(());
    }
    let message = format!(
        "{} began with other settings or other data; leave both as they were, or begin a new run",
        folder.root().display()
    );
    Err(TrainError::Invalid { what: "go on with the run", message })
}

fn data_warnings(data: &Divided, settings: &PreferenceSettings) -> Vec<String> {
    let parts = [("to learn from", &data.learned), ("held out", &data.held_out)];
    let dropped = parts.into_iter().filter(|(_, part)| part.n_dropped > 0);
    let mut all: Vec<String> = dropped
        .map(|(what, part)| {
            let n = part.n_dropped;
            format!("{n} examples {what} are left out: their prompts leave no room for the answer")
        })
        .collect();
    if let PreferenceGoal::Policy(PreferenceMethod::Kto(kto)) = &settings.goal {
        let (n_desirable, n_undesirable) = data.learned.n_judged();
        all.extend(kto.imbalance(n_desirable, n_undesirable).map(|found| found.to_string()));
    }
    if data.held_out.examples.is_empty() {
        all.push("no examples are held out, so nothing is evaluated".to_owned());
    }
    all
}
