//! What all handlers share.

use std::sync::Arc;

use crate::limits::Gate;
use crate::models::Models;
use crate::observe::Observed;
use crate::server::ServeConfig;

/// Handed to every handler; clones share everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

struct Parts {
    config: ServeConfig,
    models: Models,
    gate: Gate,
    observed: Observed,
}

impl App {
    /// Puts the parts together.
    pub fn new(config: ServeConfig, models: Models) -> App {
        let (gate, observed) = (Gate::new(&config.limits), Observed::new(&config, &models));
        App { parts: Arc::new(Parts { config, models, gate, observed }) }
    }

    /// Settings of the server.
    pub fn config(&self) -> &ServeConfig {
        &self.parts.config
    }

    /// The models that answer.
    pub fn models(&self) -> &Models {
        &self.parts.models
    }

    /// The limits that count.
    pub fn gate(&self) -> &Gate {
        &self.parts.gate
    }

    /// Measurements and health.
    pub fn observed(&self) -> &Observed {
        &self.parts.observed
    }
}
