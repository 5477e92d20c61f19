//! Keys of a configuration to a run that can begin, or go on.

use std::path::Path;

use axum::http::StatusCode;
use stateset_train::config::{
    ConfigFile, ConfigProblem, ConfigSources, Flag, ModelOverlay, report, resolve,
};
use stateset_train::{JudgeModel, OnlineRun, RunFolder, TrainError};

use super::gateway_wish::GatewayWish;
use super::wish::Wish;
use crate::DataDisk;
use crate::api_error::ApiError;
use crate::models::Library;
use crate::services::unusable;

/// What a run is made of.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) settings: Vec<(String, String)>,
    /// What to open.
    pub(super) model: String,
    pub(super) run: RunFolder,
    /// Where its checkpoints go.
    pub(super) disk: DataDisk,
    pub(super) threads: usize,
    /// Who plays, where that are programs.
    pub(super) gateway: Option<GatewayWish>,
}

/// Why a run cannot begin.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Its settings make no sense.
    Settings(Vec<ConfigProblem>),
    /// Its model, scenarios or reward do not fit.
    Run(TrainError),
}

/// What jobs are given where the client says nothing.
const USUAL: [(&str, &str); 1] = [("training.save_steps", "5")];

impl Described {
    /// The run: a new one, or the one that the folder holds. Reads files, so it must not be called from a
    /// task.
    pub(super) fn prepare(&self, library: &Library) -> Result<OnlineRun, Refusal> {
        let model = library.open(&self.model).map_err(Refusal::Run)?;
        let overlay = model
            .overlay
            .map(|toml| ModelOverlay { model: self.model.clone(), toml: toml.to_owned() });
        let sources = ConfigSources {
            overlay,
            file: self.file()?,
            flags: self.flags(),
            ..ConfigSources::default()
        };
        let resolved = resolve(&sources).map_err(Refusal::Settings)?;
        let judge = resolved.config.reward.judge.as_ref();
        let judge = judge.map(|judge| library.open(&judge.model)).transpose();
        let judge = judge.map_err(Refusal::Run)?.map(|model| JudgeModel::Local(Box::new(model)));
        let mut run = OnlineRun::new(resolved, Some(model)).map_err(Refusal::Run)?;
        run.judge = judge;
        run.disk = self.disk.shared();
        Ok(run)
    }

    /// Name of the run, which is the id of its job.
    pub(super) fn name(&self) -> String {
        let name = self.run.root().file_name();
        name.map_or(String::new(), |name| name.to_string_lossy().into_owned())
    }

    /// A run goes on with the settings it began with.
    fn file(&self) -> Result<Option<ConfigFile>, Refusal> {
        let path = self.run.config();
        if !path.is_file() {
            return Ok(None);
        }
        ConfigFile::read(&path).map(Some).map_err(|problem| Refusal::Settings(vec![problem]))
    }

    fn flags(&self) -> Vec<Flag> {
        let root = self.run.root();
        let parent = root.parent().unwrap_or(Path::new("."));
        let mut flags: Vec<Flag> = USUAL.iter().map(|(path, value)| flag(path, value)).collect();
        if let Some(gateway) = &self.gateway {
            let keys = gateway.keys(self.threads);
            flags.extend(keys.iter().map(|(path, value)| flag(path, value)));
        }
        flags.extend(self.settings.iter().map(|(path, value)| flag(path, value)));
        flags.push(flag("agent.model_name", &self.model));
        flags.push(flag("training.output_dir", &parent.display().to_string()));
        flags.push(flag("training.run_name", &self.name()));
        flags.push(flag("training.threads", &self.threads.to_string()));
        if self.run.config().is_file() {
            let path = root.display().to_string();
            flags.push(flag("training.resume_from_checkpoint", &path));
        }
        flags
    }
}

fn flag(path: &str, value: &str) -> Flag {
    Flag { flag: path.to_owned(), path: path.to_owned(), value: value.to_owned() }
}

impl Refusal {
    /// For a job's row.
    pub(super) fn text(&self) -> String {
        match self {
            Refusal::Settings(problems) => report(problems),
            Refusal::Run(error) => format!("failed to {error}"),
        }
    }

    /// For the client who asked for it.
    pub(super) fn to_api(&self, wish: &Wish) -> ApiError {
        let Refusal::Settings(problems) = self else {
            return unusable("invalid_training", "body", self.text());
        };
        let key = problems.iter().flat_map(|problem| &problem.keys).next();
        let field = key.map(|key| wish.field_of(key).unwrap_or(key));
        let mut error =
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_config", self.text());
        error.field = field.map(str::to_owned);
        error
    }
}
