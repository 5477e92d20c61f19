//! Jobs as they are shown: one body with the names of all documents.

use std::path::Path;

use serde_json::{Value, json};

use super::jobs::has_model;
use crate::store::{EventRow, JobRow, JobState};

/// A job. All times are whole seconds since 1970.
pub(super) fn job_body(job: &JobRow) -> Value {
    let figure = |name: &str| job.metrics.get(name).cloned().unwrap_or(Value::Null);
    let reward = figure("reward/mean");
    json!({
        "id": job.id, "job_id": job.id, "training_id": job.id, "object": "training",
        "status": status(job), "model": model(job),
        "progress": {
            "step": job.step, "of": job.n_steps, "percent": percent(job),
            "reward": reward, "kl": figure("drift/k3"), "reference_kl": figure("reference_kl"),
            "entropy": figure("entropy"), "loss": figure("loss"),
        },
        "iterations_completed": job.step, "total_trajectories": job.n_episodes,
        "average_reward": reward, "metrics": job.metrics,
        "computation_used": {
            "sampled_tokens": job.result.get("sampled_tokens"),
            "trained_tokens": job.result.get("trained_tokens"),
            "wall_secs": job.result.get("wall_secs"),
        },
        "result": (job.result.as_object().is_some_and(|result| !result.is_empty()))
            .then_some(&job.result),
        "has_checkpoint": has_model(job).is_some(), "error": job.error, "request": job.asked,
        "created_at": secs(job.created_at), "started_at": job.started_at.map(secs),
        "completed_at": job.finished_at.map(secs), "updated_at": secs(job.updated_at),
    })
}

/// What a client who asked for a training is told.
pub(super) fn accepted_body(job: &JobRow) -> Value {
    let mut body = job_body(job);
    // How long it takes is known only after the first step, and guesses are not told.
    body["estimated_time"] = Value::Null;
    body["message"] = format!("GET /training/{} tells how far it is", job.id).into();
    body
}

/// Something that happened in a job.
pub(super) fn event_body(event: &EventRow) -> Value {
    json!({
        "place": event.place, "step": event.step, "type": event.kind, "data": event.body,
        "created_at": secs(event.created_at),
    })
}

/// How it stands, in a word.
pub(super) fn status(job: &JobRow) -> &'static str {
    match job.state {
        JobState::Running if job.is_cancel_asked => "cancelling",
        state => state.as_str(),
    }
}

/// The model it began with: a name, or the training it comes from. Places on the server are not shown.
fn model(job: &JobRow) -> &str {
    match Path::new(&job.model).is_absolute() {
        true => Path::new(&job.model).file_name().and_then(|name| name.to_str()).unwrap_or(""),
        false => &job.model,
    }
}

fn percent(job: &JobRow) -> f64 {
    match (job.state, job.n_steps) {
        (JobState::Completed, _) => 100.0,
        (_, 0) => 0.0,
        (_, n_steps) => 100.0 * job.step as f64 / n_steps as f64,
    }
}

fn secs(millis: i64) -> i64 {
    millis.div_euclid(1000)
}
