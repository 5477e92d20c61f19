//! What all handlers share.

use std::sync::Arc;

use crate::models::Models;
use crate::server::ServeConfig;

/// Handed to every handler; clones share everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

struct Parts {
    config: ServeConfig,
    models: Models,
}

impl App {
    /// Puts the parts together.
    pub fn new(config: ServeConfig, models: Models) -> App {
        App { parts: Arc::new(Parts { config, models }) }
    }

    /// Settings of the server.
    pub fn config(&self) -> &ServeConfig {
        &self.parts.config
    }

    /// The models that answer.
    pub fn models(&self) -> &Models {
        &self.parts.models
    }
}
