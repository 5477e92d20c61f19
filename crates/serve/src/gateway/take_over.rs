//! Programs in the place of a run's environments.

use std::sync::Arc;

use stateset_core::Environment;
use stateset_train::Cast;

use super::{HarnessEnvironment, HarnessReward};

/// Lets programs play all episodes of a run. `playing` gives the environment of its `training` or
/// `evaluation` samples around the run's own, whose user stays there for programs to ask.
pub fn take_over(
    cast: &mut Cast,
    playing: impl Fn(&'static str, Arc<dyn Environment>) -> HarnessEnvironment,
) {
    cast.environment = Arc::new(playing("training", cast.environment.clone()));
    cast.evaluation_environment =
        Arc::new(playing("evaluation", cast.evaluation_environment.clone()));
    cast.reward = Arc::new(HarnessReward::new(cast.reward.clone()));
}
