//! A short training of the embedded model.

use std::path::{Path, PathBuf};

use stateset_train::config::{ConfigSources, Flag, ModelOverlay, report, resolve};
use stateset_train::{ModelSource, OnlineRun, TrainError};

const MODEL: &str = "builtin:tiny";

fn no_hub(id: &str) -> Result<PathBuf, TrainError> {
    Err(TrainError::Invalid { what: "find the model", message: id.to_owned() })
}

/// The run called `name` in `folder`, with these settings.
pub(crate) fn tiny_run(folder: &Path, name: &str, settings: &[(&str, &str)]) -> OnlineRun {
    let model = ModelSource::open(MODEL, &no_hub).unwrap();
    let place = folder.display().to_string();
    let common = [
        ("agent.model_name", MODEL),
        ("training.output_dir", place.as_str()),
        ("training.run_name", name),
        ("training.prompts_per_step", "2"),
        ("training.threads", "1"),
    ];
    let flag = |(path, value): (&str, &str)| Flag {
        flag: path.to_owned(),
        path: path.to_owned(),
        value: value.to_owned(),
    };
    let sources = ConfigSources {
        overlay: model
            .overlay
            .map(|toml| ModelOverlay { model: MODEL.to_owned(), toml: toml.to_owned() }),
        flags: common.into_iter().chain(settings.iter().copied()).map(flag).collect(),
        ..ConfigSources::default()
    };
    let resolved = resolve(&sources).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    OnlineRun::new(resolved, Some(model)).unwrap()
}
