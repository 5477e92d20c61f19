//! What these tests share.

use std::path::Path;

use stateset_core::RunSeed;
use stateset_train::{
    ModelSource, PreferenceData, PreferenceGoal, PreferenceRun, PreferenceSettings, RunFolder,
    SyntheticPairs,
};

/// The model that is part of the program.
pub(crate) fn tiny() -> ModelSource {
    let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
    ModelSource::open("builtin:tiny", &fetch).expect("it is part of the program")
}

/// Settings of a run of seconds.
pub(crate) fn settings(goal: PreferenceGoal) -> PreferenceSettings {
    let mut settings = PreferenceSettings::new(goal);
    settings.optimiser.learning_rate = 2e-4;
    settings.examples_per_step = 4;
    settings.max_tokens_per_microbatch = 256;
    settings.evaluation_share = 0.25;
    settings
}

/// Pairs with a known truth.
pub(crate) fn pairs(n: usize) -> PreferenceData {
    SyntheticPairs { seed: RunSeed(11), noise: 0.0 }.pairs(n)
}

/// A run into `folder`/run.
pub(crate) fn run(
    settings: PreferenceSettings,
    data: PreferenceData,
    folder: &Path,
) -> PreferenceRun {
    PreferenceRun::new(settings, tiny(), data, RunFolder::new(folder.join("run")))
}
