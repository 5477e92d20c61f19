//! All models of a server, by name; exchanged as wholes while they answer.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::ServedModel;
use crate::api_error::ApiError;
use crate::observe::AnswerMetrics;

/// The models of a server. A request holds the model it began with; its engine ends with the last of
/// them, so an exchange never changes an answer that has begun.
pub struct Models {
    all: ArcSwap<Vec<Arc<ServedModel>>>,
    metrics: AnswerMetrics,
    /// The first answers to every name.
    takes_any_name: bool,
}

impl Models {
    /// Serves these; the first answers requests that name none.
    pub fn new(models: Vec<ServedModel>) -> Models {
        let metrics = AnswerMetrics::default();
        let watched = |model| Arc::new(watched(model, &metrics));
        let all = ArcSwap::from_pointee(models.into_iter().map(watched).collect());
        Models { all, metrics, takes_any_name: false }
    }

    /// How they answer, in numbers.
    pub fn metrics(&self) -> &AnswerMetrics {
        &self.metrics
    }

    /// One model that answers whatever it is called, for clients that name the model they know.
    pub fn under_any_name(model: ServedModel) -> Models {
        Models { takes_any_name: true, ..Models::new(vec![model]) }
    }

    /// All of them.
    pub fn all(&self) -> Arc<Vec<Arc<ServedModel>>> {
        self.all.load_full()
    }

    /// The model of this name; the first where none is named.
    ///
    /// # Errors
    /// [`ApiError`] 404 that lists the names there are.
    pub fn find(&self, name: Option<&str>) -> Result<Arc<ServedModel>, ApiError> {
        let all = self.all.load();
        let found = match name {
            Some(name) if !self.takes_any_name => all.iter().find(|model| model.name == name),
            _ => all.first(),
        };
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|model| model.name.as_str()).collect();
            let error = ApiError::not_found("model", name.unwrap_or_default());
            let mut error = error.at("model").coded("model_not_found");
            error.message.push_str(&format!("; there are: {}", names.join(", ")));
            error
        })
    }

    /// Puts a model in the place of the one with its name, or beside the others.
    pub fn put(&self, model: ServedModel) {
        let model = Arc::new(watched(model, &self.metrics));
        self.all.rcu(|all| {
            let mut all = Vec::clone(all);
            match all.iter_mut().find(|old| old.name == model.name) {
                Some(old) => *old = Arc::clone(&model),
                None => all.push(Arc::clone(&model)),
            }
            all
        });
    }
}

fn watched(model: ServedModel, metrics: &AnswerMetrics) -> ServedModel {
    ServedModel { watch: metrics.watch(&model.name), ..model }
}
