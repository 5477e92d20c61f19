//! `POST /api/scale`: more or fewer answers and rollouts at the same time.
//!
//! The factor is of the size that a model was first loaded with. A model gets a new engine of the new
//! size, if that fits into memory beside the old one, which ends with its last answer. Jobs that begin
//! or go on afterwards play that many times their rollouts at once; what they learn is the same.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::unusable;
use crate::App;
use crate::api_error::{ApiError, OwnError};
use crate::body::OptionalJson;
use crate::jobs::put;
use crate::models::{Library, Loaded};

/// The documented limit.
const MAX_FACTOR: f64 = 10.0;

/// Answers at the same time at most, as on the command line.
const MAX_SLOTS: f64 = 1024.0;

/// Another size.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scale {
    /// Times the size that a model was first loaded with.
    #[schema(exclusive_minimum = 0, maximum = 10)]
    scale_factor: f64,
    /// All models, not one.
    #[serde(default)]
    apply_to_all: bool,
    /// The model; the server's first where absent.
    model: Option<String>,
}

/// The size that models have now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Scaled {
    /// Always `scaled`.
    status: &'static str,
    /// The factor that was asked for.
    scale_factor: f64,
    /// The models that were changed.
    models: Vec<ScaledModel>,
    /// Which trainings it is for.
    rollouts: &'static str,
}

/// The size of a model.
#[derive(Debug, Serialize, ToSchema)]
struct ScaledModel {
    /// Its name.
    model: String,
    /// Answers at the same time before.
    slots_before: usize,
    /// Answers at the same time now.
    slots: usize,
}

/// More or fewer answers and rollouts at the same time
#[utoipa::path(
    post,
    path = "/api/scale",
    tag = "operations",
    request_body = Scale,
    responses(
        (status = 200, description = "The new sizes", body = Scaled),
        (status = 404, description = "No model has this name", body = OwnError),
        (status = 409, description = "There is not enough memory", body = OwnError),
    )
)]
pub(super) async fn scale(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<Scale>,
) -> Result<Json<Scaled>, ApiError> {
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
        sizes.push(ScaledModel { model: name, slots_before: before, slots });
    }
    services.jobs().set_scale(factor);
    Ok(Json(Scaled {
        status: "scaled",
        scale_factor: factor,
        models: sizes,
        rollouts: "jobs that begin or go on from now",
    }))
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
