//! Models that are part of the program.

use super::source::ModelSource;
use crate::TrainError;

/// Names of all of them, as they are asked for.
pub fn names() -> Vec<&'static str> {
    vec!["builtin:tiny"]
}

pub(super) fn open(name: &str) -> Result<ModelSource, TrainError> {
    let message = format!("there is no built-in model {name:?}; there is {}", names().join(", "));
    Err(TrainError::Invalid { what: "find the model", message })
}
