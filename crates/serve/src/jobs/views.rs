//! Jobs as they are shown: one body with the names of all documents.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::jobs::has_model;
use crate::store::{EventRow, JobRow, JobState};

/// A training. All times are whole seconds since 1970.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Training {
    /// Its id.
    id: String,
    /// The same.
    job_id: String,
    /// The same.
    training_id: String,
    /// Always `training`.
    object: &'static str,
    /// Where it stands.
    #[schema(value_type = TrainingStatus)]
    status: &'static str,
    /// The model it began with: a name, or the training it comes from.
    model: String,
    /// How far it is.
    progress: TrainingProgress,
    /// Steps done.
    #[schema(minimum = 0)]
    iterations_completed: i64,
    /// Episodes played.
    #[schema(minimum = 0)]
    total_trajectories: i64,
    /// Mean reward of the last step.
    #[schema(required)]
    average_reward: Option<f64>,
    /// Figures of the last step, by name.
    #[schema(value_type = Object)]
    metrics: Value,
    /// What it cost.
    computation_used: ComputationUsed,
    /// What came out, with the hash of the weights; null before the end.
    #[schema(value_type = Option<Object>, required)]
    result: Option<Value>,
    /// Whether its model can be served.
    has_checkpoint: bool,
    /// Why it failed.
    #[schema(required)]
    error: Option<String>,
    /// What was asked for.
    #[schema(value_type = Object)]
    request: Value,
    /// When it was asked for.
    created_at: i64,
    /// When it was begun.
    #[schema(required)]
    started_at: Option<i64>,
    /// When it ended.
    #[schema(required)]
    completed_at: Option<i64>,
    /// When anything about it last changed.
    updated_at: i64,
    /// Always null: how long it takes is known only after the first step, and guesses are not told.
    #[schema(required)]
    estimated_time: Option<f64>,
    /// What to do next, where a training was just asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    message: Option<String>,
}

/// Where a training stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is never made: only its description is used")]
pub(super) enum TrainingStatus {
    Queued,
    Running,
    Cancelling,
    Completed,
    Failed,
    Cancelled,
}

/// How far a training is: figures of its last step.
#[derive(Debug, Serialize, ToSchema)]
struct TrainingProgress {
    /// Steps done.
    #[schema(minimum = 0)]
    step: i64,
    /// Steps of the whole.
    #[schema(minimum = 0)]
    of: i64,
    /// The same, in a hundred.
    #[schema(minimum = 0, maximum = 100)]
    percent: f64,
    /// Mean reward.
    #[schema(required)]
    reward: Option<f64>,
    /// How far the step led away from the policy before it.
    #[schema(required)]
    kl: Option<f64>,
    /// How far the policy is from the one it is held to.
    #[schema(required)]
    reference_kl: Option<f64>,
    /// Mean entropy of the policy's next tokens.
    #[schema(required)]
    entropy: Option<f64>,
    /// The loss.
    #[schema(required)]
    loss: Option<f64>,
}

/// What a training cost; null before its end.
#[derive(Debug, Serialize, ToSchema)]
struct ComputationUsed {
    /// Tokens that were drawn.
    #[schema(required)]
    sampled_tokens: Option<u64>,
    /// Tokens that were learned from.
    #[schema(required)]
    trained_tokens: Option<u64>,
    /// Seconds.
    #[schema(required)]
    wall_secs: Option<f64>,
}

/// Something that happened in a training.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrainingEvent {
    /// Its place, from 1.
    #[schema(minimum = 1)]
    place: i64,
    /// The step it belongs to.
    #[schema(minimum = 0)]
    step: i64,
    /// `started`, `step`, `evaluation`, `checkpoint`, `warning` or `finished`.
    #[serde(rename = "type")]
    kind: String,
    /// What happened.
    data: Value,
    /// When.
    created_at: i64,
}

/// Events of a training, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrainingEvents {
    /// Always `list`.
    object: &'static str,
    /// The events.
    data: Vec<TrainingEvent>,
    /// What to ask for next as `after`; null where there is no more.
    #[schema(required)]
    next_cursor: Option<i64>,
}

impl Training {
    /// A training as it is shown.
    pub(super) fn of(job: &JobRow) -> Training {
        let figure = |name: &str| job.metrics.get(name).and_then(Value::as_f64);
        let has_ended = job.result.as_object().is_some_and(|result| !result.is_empty());
        Training {
            id: job.id.clone(),
            job_id: job.id.clone(),
            training_id: job.id.clone(),
            object: "training",
            status: job_status(job),
            model: job_model(job).to_owned(),
            progress: TrainingProgress {
                step: job.step,
                of: job.n_steps,
                percent: job_percent(job),
                reward: figure("reward/mean"),
                kl: figure("drift/k3"),
                reference_kl: figure("reference_kl"),
                entropy: figure("entropy"),
                loss: figure("loss"),
            },
            iterations_completed: job.step,
            total_trajectories: job.n_episodes,
            average_reward: figure("reward/mean"),
            metrics: job.metrics.clone(),
            computation_used: ComputationUsed {
                sampled_tokens: job.result.get("sampled_tokens").and_then(Value::as_u64),
                trained_tokens: job.result.get("trained_tokens").and_then(Value::as_u64),
                wall_secs: job.result.get("wall_secs").and_then(Value::as_f64),
            },
            result: has_ended.then(|| job.result.clone()),
            has_checkpoint: has_model(job).is_some(),
            error: job.error.clone(),
            request: job.asked.clone(),
            created_at: secs(job.created_at),
            started_at: job.started_at.map(secs),
            completed_at: job.finished_at.map(secs),
            updated_at: secs(job.updated_at),
            estimated_time: None,
            message: None,
        }
    }

    /// What a client who asked for a training is told.
    pub(super) fn accepted(job: &JobRow) -> Training {
        let message = format!("GET /training/{} tells how far it is", job.id);
        Training { message: Some(message), ..Training::of(job) }
    }
}

impl TrainingEvents {
    /// Events as they are shown; where there are `most` of them, more may follow.
    pub(super) fn of(events: &[EventRow], most: usize) -> TrainingEvents {
        let one = |event: &EventRow| TrainingEvent {
            place: event.place,
            step: event.step,
            kind: event.kind.clone(),
            data: event.body.clone(),
            created_at: secs(event.created_at),
        };
        let last = events.last().filter(|_| events.len() == most);
        TrainingEvents {
            object: "list",
            data: events.iter().map(one).collect(),
            next_cursor: last.map(|last| last.place),
        }
    }
}

/// Where a job stands, in one word.
pub(crate) fn job_status(job: &JobRow) -> &'static str {
    match job.state {
        JobState::Running if job.is_cancel_asked => "cancelling",
        state => state.as_str(),
    }
}

/// The model it began with: a name, or the training it comes from. Places on the server are not shown.
pub(crate) fn job_model(job: &JobRow) -> &str {
    match Path::new(&job.model).is_absolute() {
        true => Path::new(&job.model).file_name().and_then(|name| name.to_str()).unwrap_or(""),
        false => &job.model,
    }
}

/// How much of a job is done, 0 to 100.
pub(crate) fn job_percent(job: &JobRow) -> f64 {
    match (job.state, job.n_steps) {
        (JobState::Completed, _) => 100.0,
        (_, 0) => 0.0,
        (_, n_steps) => 100.0 * job.step as f64 / n_steps as f64,
    }
}

fn secs(millis: i64) -> i64 {
    millis.div_euclid(1000)
}
