//! Events, evaluations and summaries as JSON, for files, streams and `--json`.
//!
//! The domain types carry no serde; these do, so that a rename in the code cannot change a file by
//! accident. Numbers that are not finite become null, because JSON has no other word for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stateset_algo::{Adjustment, Interval};

use super::{EvaluationSummary, Event, RolloutOutcome, RunStart, RunSummary};

/// Version of the layouts written here. Readers refuse a newer one.
pub const EVENT_SCHEMA_VERSION: u32 = 1;

/// An event as JSON; its `kind` is the name of the variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventRecord {
    /// See [`Event::RunStarted`].
    RunStarted(RunStartRecord),
    /// See [`Event::PhaseChanged`].
    PhaseChanged {
        /// The step under way.
        step: u32,
        /// `sampling`, `training`, `evaluating` or `saving`.
        phase: String,
    },
    /// See [`Event::RolloutProgress`].
    RolloutProgress {
        /// Done so far.
        done: usize,
        /// In the batch.
        total: usize,
    },
    /// See [`Event::RolloutFinished`].
    RolloutFinished(RolloutRecord),
    /// See [`Event::StepFinished`].
    StepFinished {
        /// The step.
        step: u32,
        /// Steps of the run.
        of: u32,
        /// Numbers by name.
        metrics: BTreeMap<String, Option<f64>>,
        /// Wall time.
        secs: f64,
    },
    /// See [`Event::EvaluationFinished`].
    EvaluationFinished {
        /// Which evaluation.
        name: String,
        /// Steps trained so far.
        step: u32,
        /// What came out.
        summary: EvaluationRecord,
    },
    /// See [`Event::CheckpointSaved`].
    CheckpointSaved {
        /// Its folder.
        path: String,
        /// Steps trained so far.
        step: u32,
        /// Best so far.
        is_best: bool,
    },
    /// See [`Event::Warning`].
    Warning {
        /// A sentence.
        text: String,
    },
    /// See [`Event::HealthFound`].
    HealthFound(HealthRecord),
    /// See [`Event::SettingAdjusted`].
    SettingAdjusted(AdjustmentRecord),
    /// See [`Event::RunFinished`].
    RunFinished(SummaryRecord),
}

/// [`RunStart`] as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStartRecord {
    /// Name of the run.
    pub run_name: String,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Name or path of the model.
    pub model: String,
    /// Name of the environment.
    pub environment: String,
    /// Steps of the run.
    pub n_steps: u32,
    /// Step of the checkpoint it goes on from.
    pub resumed_step: Option<u32>,
    /// The run's seed.
    pub seed: u64,
    /// Parameters of the model.
    pub n_parameters: u64,
    /// Parameters that are trained.
    pub n_trained_parameters: u64,
    /// Memory plan in words.
    pub memory_plan: String,
}

/// A finding as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthRecord {
    /// The step it was found in.
    pub step: u32,
    /// What was watched.
    pub signal: String,
    /// `warn` or `act`.
    pub level: String,
    /// What was measured.
    pub value: Option<f64>,
    /// The limit that was crossed.
    pub threshold: Option<f64>,
    /// What the number says.
    pub meaning: String,
    /// What to do.
    pub advice: String,
    /// The warning that told of it.
    pub text: String,
}

/// [`Adjustment`] as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdjustmentRecord {
    /// The step after which it was made.
    pub step: u64,
    /// The setting.
    pub key: String,
    /// Its value before.
    pub from: f64,
    /// Its value from the next step on.
    pub to: f64,
    /// The signal that asked for it.
    pub signal: String,
    /// What was measured.
    pub value: Option<f64>,
    /// The limit it crossed.
    pub threshold: Option<f64>,
    /// All of it in words.
    pub text: String,
}

/// [`RolloutOutcome`] as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutRecord {
    /// `[step, scenario, sample]`.
    pub id: (u32, u32, u16),
    /// The scenario played.
    pub scenario_id: String,
    /// Total reward.
    pub reward: Option<f64>,
    /// Turns the agent took.
    pub turns: usize,
    /// Tokens it sampled.
    pub tokens: usize,
    /// `[border, message]` where it ended early.
    pub error: Option<(String, String)>,
}

/// An estimate with its interval as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalRecord {
    /// The estimate.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// [`EvaluationSummary`] as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// Mean reward.
    pub reward: Option<IntervalRecord>,
    /// Mean of each part.
    pub components: BTreeMap<String, IntervalRecord>,
    /// Share of users who reached their goal.
    pub goal: Option<IntervalRecord>,
    /// Episodes played.
    pub episodes: usize,
    /// Mean turns of the agent.
    pub mean_turns: f64,
    /// Mean sampled tokens.
    pub mean_tokens: f64,
    /// Episodes that failed.
    pub failed: usize,
    /// Episodes that could not be scored.
    pub unscorable: usize,
}

/// [`RunSummary`] as JSON: the layout of `summary.json` and `train --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    /// Layout of this record.
    pub schema_version: u32,
    /// Mean reward before training.
    pub reward_before: Option<f64>,
    /// Its 95 % interval.
    pub reward_before_ci: Option<(f64, f64)>,
    /// Mean reward after training.
    pub reward_after: Option<f64>,
    /// Its 95 % interval.
    pub reward_after_ci: Option<(f64, f64)>,
    /// Mean of each part before.
    pub components_before: BTreeMap<String, f64>,
    /// Mean of each part after.
    pub components_after: BTreeMap<String, f64>,
    /// Goal share before.
    pub goal_before: Option<f64>,
    /// Goal share after.
    pub goal_after: Option<f64>,
    /// Steps done.
    pub steps: u32,
    /// Training episodes played.
    pub episodes: u64,
    /// Tokens sampled.
    pub sampled_tokens: u64,
    /// Tokens trained.
    pub trained_tokens: u64,
    /// Speed of sampling.
    pub rollout_tokens_per_sec: Option<f64>,
    /// Speed of training.
    pub train_tokens_per_sec: Option<f64>,
    /// Wall time.
    pub wall_secs: f64,
    /// Most memory held.
    pub peak_rss_bytes: Option<u64>,
    /// SHA-256 of the final weights.
    pub model_sha256: Option<String>,
    /// The run folder.
    pub run_dir: String,
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        match event {
            Event::RunStarted(start) => EventRecord::RunStarted(start.into()),
            &Event::PhaseChanged { step, phase } => {
                EventRecord::PhaseChanged { step, phase: phase.as_str().to_owned() }
            }
            &Event::RolloutProgress { done, total } => EventRecord::RolloutProgress { done, total },
            Event::RolloutFinished(outcome) => EventRecord::RolloutFinished(outcome.into()),
            Event::StepFinished { step, of, metrics, secs } => EventRecord::StepFinished {
                step: *step,
                of: *of,
                metrics: metrics
                    .iter()
                    .map(|(name, value)| (name.clone(), finite(*value)))
                    .collect(),
                secs: *secs,
            },
            Event::EvaluationFinished { name, step, summary } => EventRecord::EvaluationFinished {
                name: name.clone(),
                step: *step,
                summary: summary.into(),
            },
            Event::CheckpointSaved { path, step, is_best } => EventRecord::CheckpointSaved {
                path: path.to_string_lossy().into_owned(),
                step: *step,
                is_best: *is_best,
            },
            Event::Warning { text } => EventRecord::Warning { text: text.clone() },
            Event::HealthFound { step, finding } => {
                let text = match event.as_warning() {
                    Some(Event::Warning { text }) => text,
                    _ => String::new(),
                };
                EventRecord::HealthFound(HealthRecord {
                    step: *step,
                    signal: finding.signal.name().to_owned(),
                    level: finding.level.name().to_owned(),
                    value: finite(finding.value),
                    threshold: finite(finding.threshold),
                    meaning: finding.meaning.to_owned(),
                    advice: finding.advice.to_owned(),
                    text,
                })
            }
            Event::SettingAdjusted(adjustment) => EventRecord::SettingAdjusted(adjustment.into()),
            Event::RunFinished(summary) => EventRecord::RunFinished(summary.into()),
        }
    }
}

impl From<&Adjustment> for AdjustmentRecord {
    fn from(adjustment: &Adjustment) -> Self {
        let trigger = adjustment.trigger;
        AdjustmentRecord {
            step: adjustment.step,
            key: adjustment.key.name().to_owned(),
            from: adjustment.from,
            to: adjustment.to,
            signal: trigger.signal.name().to_owned(),
            value: finite(trigger.value),
            threshold: finite(trigger.threshold),
            text: adjustment.to_string(),
        }
    }
}

impl From<&RunStart> for RunStartRecord {
    fn from(start: &RunStart) -> Self {
        RunStartRecord {
            run_name: start.run_name.clone(),
            algorithm: start.algorithm.clone(),
            model: start.model.clone(),
            environment: start.environment.clone(),
            n_steps: start.n_steps,
            resumed_step: start.resumed_step,
            seed: start.seed,
            n_parameters: start.n_parameters,
            n_trained_parameters: start.n_trained_parameters,
            memory_plan: start.memory_plan.clone(),
        }
    }
}

impl From<&RolloutOutcome> for RolloutRecord {
    fn from(outcome: &RolloutOutcome) -> Self {
        let id = outcome.id;
        let error = outcome.error.as_ref();
        RolloutRecord {
            id: (id.step, id.scenario, id.sample),
            scenario_id: outcome.scenario_id.clone(),
            reward: outcome.reward.and_then(finite),
            turns: outcome.n_turns,
            tokens: outcome.n_tokens,
            error: error.map(|e| (e.border.as_str().to_owned(), e.message.clone())),
        }
    }
}

impl From<Interval> for IntervalRecord {
    fn from(interval: Interval) -> Self {
        IntervalRecord { mean: interval.estimate, low: interval.low, high: interval.high }
    }
}

impl From<IntervalRecord> for Interval {
    fn from(record: IntervalRecord) -> Self {
        Interval { low: record.low, estimate: record.mean, high: record.high }
    }
}

impl From<&EvaluationSummary> for EvaluationRecord {
    fn from(summary: &EvaluationSummary) -> Self {
        let components = summary.components.iter();
        EvaluationRecord {
            reward: summary.reward.map(IntervalRecord::from),
            components: components.map(|(name, value)| (name.clone(), (*value).into())).collect(),
            goal: summary.goal.map(IntervalRecord::from),
            episodes: summary.n_episodes,
            mean_turns: summary.mean_turns,
            mean_tokens: summary.mean_tokens,
            failed: summary.n_failed,
            unscorable: summary.n_unscorable,
        }
    }
}

impl From<EvaluationRecord> for EvaluationSummary {
    fn from(record: EvaluationRecord) -> Self {
        let components = record.components.into_iter();
        EvaluationSummary {
            reward: record.reward.map(Interval::from),
            components: components.map(|(name, value)| (name, value.into())).collect(),
            goal: record.goal.map(Interval::from),
            n_episodes: record.episodes,
            mean_turns: record.mean_turns,
            mean_tokens: record.mean_tokens,
            n_failed: record.failed,
            n_unscorable: record.unscorable,
        }
    }
}

impl From<&RunSummary> for SummaryRecord {
    fn from(summary: &RunSummary) -> Self {
        SummaryRecord {
            schema_version: EVENT_SCHEMA_VERSION,
            reward_before: summary.reward_before,
            reward_before_ci: summary.reward_before_ci,
            reward_after: summary.reward_after,
            reward_after_ci: summary.reward_after_ci,
            components_before: summary.components_before.clone(),
            components_after: summary.components_after.clone(),
            goal_before: summary.goal_before,
            goal_after: summary.goal_after,
            steps: summary.n_steps,
            episodes: summary.n_episodes,
            sampled_tokens: summary.n_sampled_tokens,
            trained_tokens: summary.n_trained_tokens,
            rollout_tokens_per_sec: summary.rollout_tokens_per_sec.and_then(finite),
            train_tokens_per_sec: summary.train_tokens_per_sec.and_then(finite),
            wall_secs: summary.wall_secs,
            peak_rss_bytes: summary.peak_rss_bytes,
            model_sha256: summary.model_sha256.clone(),
            run_dir: summary.run_dir.to_string_lossy().into_owned(),
        }
    }
}

impl From<SummaryRecord> for RunSummary {
    fn from(record: SummaryRecord) -> Self {
        RunSummary {
            reward_before: record.reward_before,
            reward_before_ci: record.reward_before_ci,
            reward_after: record.reward_after,
            reward_after_ci: record.reward_after_ci,
            components_before: record.components_before,
            components_after: record.components_after,
            goal_before: record.goal_before,
            goal_after: record.goal_after,
            n_steps: record.steps,
            n_episodes: record.episodes,
            n_sampled_tokens: record.sampled_tokens,
            n_trained_tokens: record.trained_tokens,
            rollout_tokens_per_sec: record.rollout_tokens_per_sec,
            train_tokens_per_sec: record.train_tokens_per_sec,
            wall_secs: record.wall_secs,
            peak_rss_bytes: record.peak_rss_bytes,
            model_sha256: record.model_sha256,
            run_dir: record.run_dir.into(),
        }
    }
}

/// What a reader says of a record from a later version of this program.
pub(crate) fn newer_schema(found: u32) -> String {
    format!(
        "it follows schema {found}, and this version knows schemas up to {EVENT_SCHEMA_VERSION}"
    )
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of event, as a dashboard receives it.
    #[test]
    fn the_json_of_events() {
        let interval = Interval { low: 0.25, estimate: 0.5, high: 0.75 };
        let events = [
            Event::RunStarted(RunStart {
                run_name: "demo".into(),
                n_steps: 2,
                ..RunStart::default()
            }),
            Event::PhaseChanged { step: 1, phase: crate::Phase::Sampling },
            Event::RolloutProgress { done: 3, total: 8 },
            Event::RolloutFinished(RolloutOutcome {
                scenario_id: "refund".into(),
                error: Some(stateset_core::RolloutError::new(stateset_core::Border::Tool, "gone")),
                ..RolloutOutcome::default()
            }),
            Event::StepFinished {
                step: 1,
                of: 2,
                metrics: [("loss".to_owned(), 0.5), ("ratio/max".to_owned(), f64::NAN)].into(),
                secs: 1.5,
            },
            Event::EvaluationFinished {
                name: "held_out".into(),
                step: 1,
                summary: EvaluationSummary { goal: Some(interval), ..EvaluationSummary::default() },
            },
            Event::CheckpointSaved { path: "runs/a".into(), step: 1, is_best: true },
            Event::Warning { text: "slow".into() },
            Event::RunFinished(RunSummary::default()),
        ];
        let lines: Vec<String> = events
            .iter()
            .map(|event| serde_json::to_string(&EventRecord::from(event)).unwrap())
            .collect();
        for line in &lines {
            let back: EventRecord = serde_json::from_str(line).unwrap();
            assert_eq!(&serde_json::to_string(&back).unwrap(), line);
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn evaluations_survive_the_disk() {
        let interval = Interval { low: 0.1, estimate: 0.2, high: 0.3 };
        let summary = EvaluationSummary {
            reward: Some(interval),
            components: [("tone".to_owned(), interval)].into(),
            goal: None,
            n_episodes: 4,
            mean_turns: 2.5,
            mean_tokens: 31.25,
            n_failed: 1,
            n_unscorable: 2,
        };
        assert_eq!(EvaluationSummary::from(EvaluationRecord::from(&summary)), summary);
    }
}
