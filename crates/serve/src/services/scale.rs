//! `POST /api/scale`: more or fewer answers and rollouts at the same time.
//!
//! The factor is of the size that a model was first loaded with. A model gets a new engine of the new
//! size, if that fits into memory beside the old one, which ends with its last answer. Jobs that begin
//! or go on afterwards play that many times their rollouts at once; what they learn is the same.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::unusable;
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::jobs::put;
use crate::models::{Library, Loaded};

/// The documented limit.
const MAX_FACTOR: f64 = 10.0;

/// Answers at the same time at most, as on the command line.
const MAX_SLOTS: f64 = 1024.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scale {
    scale_factor: f64,
    #[serde(default)]
    apply_to_all: bool,
    model: Option<String>,
}

pub(super) async fn scale(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<Scale>,
) -> Result<Json<Value>, ApiError> {
    let factor = asked.scale_factor;
    if !(factor > 0.0 && factor <= MAX_FACTOR) {
        let message = format!("it is {factor}; allowed is a number above 0, at most {MAX_FACTOR}");
        return Err(unusable("invalid_value", "scale_factor", message));
    }
    let services = app.services()?;
    let _one = services.exchanging().await;
    let library = services.library();
    let mut sizes = Vec::new();
    for (name, loaded) in chosen(&app, library, &asked)? {
        let base = services.base_slots(&name, loaded.options.slots);
        let slots = (base as f64 * factor).round().clamp(1.0, MAX_SLOTS) as usize;
        let before = loaded.options.slots;
        if slots != before {
            let mut loaded = loaded;
            loaded.options.slots = slots;
            put(&app, &name, loaded).await?;
        }
        sizes.push(json!({"model": name, "slots_before": before, "slots": slots}));
    }
    services.jobs().set_scale(factor);
    Ok(Json(json!({
        "status": "scaled", "scale_factor": factor, "models": sizes,
        "rollouts": "jobs that begin or go on from now",
    })))
}

fn chosen(app: &App, library: &Library, asked: &Scale) -> Result<Vec<(String, Loaded)>, ApiError> {
    if asked.apply_to_all {
        return Ok(library.all().into_iter().collect());
    }
    let model = app.models().find(asked.model.as_deref())?;
    let loaded = library.loaded(&model.name).ok_or_else(|| {
        let message = format!("{} says canned sentences and has no slots", model.name);
        unusable("not_supported", "model", message)
    })?;
    Ok(vec![(model.name.clone(), loaded)])
}
