//! Where the models of a server come from, so that they can be loaded again: in another size, or to train.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use stateset_train::{ModelSource, TrainError};

use super::LoadOptions;

/// Opens a model by its name: `builtin:tiny`, a folder, or a name on the model hub.
pub type OpenModel = Arc<dyn Fn(&str) -> Result<ModelSource, TrainError> + Send + Sync>;

/// How a served model was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What was opened.
    pub source: String,
    /// In which size.
    pub options: LoadOptions,
}

/// Where the models of a server come from.
pub struct Library {
    open: OpenModel,
    first: String,
    loaded: Mutex<BTreeMap<String, Loaded>>,
}

impl Library {
    /// A library whose models `open` finds; `first` is the served name of the one that answers requests
    /// without a model.
    pub fn new(first: impl Into<String>, open: OpenModel) -> Library {
        Library { open, first: first.into(), loaded: Mutex::new(BTreeMap::new()) }
    }

    /// The served name of the model that answers requests without one.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// Remembers how the model served by `name` was loaded.
    pub fn remember(&self, name: &str, loaded: Loaded) {
        let mut all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), loaded);
    }

    /// How the model served by `name` was loaded; `None` for canned sentences and unknown names.
    pub fn loaded(&self, name: &str) -> Option<Loaded> {
        self.all().remove(name)
    }

    /// All that were loaded, by their served names.
    pub fn all(&self) -> BTreeMap<String, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a model. May read files and the network, so it must not be called from a task.
    ///
    /// # Errors
    /// [`TrainError`] that says what was looked for and where.
    pub fn open(&self, source: &str) -> Result<ModelSource, TrainError> {
        (self.open)(source)
    }
}
