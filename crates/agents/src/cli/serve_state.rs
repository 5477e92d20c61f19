//! `serve`: what the server remembers and trains.

use std::path::{Path, PathBuf};

use clap::Args;
use stateset_serve::dashboard::{PreferenceFile, RunsFolder};
use stateset_serve::jobs::JobSettings;
use stateset_serve::store::{Store, StoreError};
use stateset_serve::{Library, ServeConfig, Services};

use super::error::CliError;
use super::serve_keys::PlaceArgs;

/// Where a server keeps what it must not forget, and how it trains.
#[derive(Args, Clone, Debug)]
pub(crate) struct StateArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Folder with the run folders that the dashboard shows, beside those of trainings
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    runs: PathBuf,
    /// Trainings that run at the same time; 0 leaves them to other servers of the same database
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=64))]
    training_jobs: u16,
    /// Threads that one training computes with; half of the machine where absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    training_threads: Option<u16>,
    /// Prompts of one request to /api/train
    #[arg(long, value_name = "N", default_value_t = 8, env = "GRPO_MAX_PROMPTS", value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_prompts: u16,
    /// Characters of one such prompt
    #[arg(long, value_name = "N", default_value_t = 4000, env = "GRPO_MAX_PROMPT_CHARS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_prompt_chars: u32,
    /// Iterations of one request to /api/train
    #[arg(long, value_name = "N", default_value_t = 50, env = "GRPO_MAX_ITERATIONS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    max_iterations: u64,
}

impl StateArgs {
    /// What the server must not forget lies here.
    pub(crate) fn folder(&self) -> &Path {
        &self.place.data_dir
    }

    /// Tells the dashboard what there is to see, and where people's comparisons go.
    pub(crate) fn show_to_people(&self, config: &mut ServeConfig) {
        config.runs = RunsFolder::new([self.runs.clone(), self.folder().join("runs")]);
        config.preferences = PreferenceFile::new(self.folder().join("preferences.jsonl"));
    }

    /// Work on the trainings in a database. Needs a runtime.
    pub(crate) fn services(&self, store: Store, library: Library) -> Services {
        let settings = JobSettings {
            max_running: usize::from(self.training_jobs),
            threads: self.training_threads.map(usize::from),
            max_prompts: usize::from(self.max_prompts),
            max_prompt_chars: self.max_prompt_chars as usize,
            max_iterations: self.max_iterations,
            ..JobSettings::new(self.folder().join("runs"))
        };
        Services::start(store, library, settings)
    }
}

/// A folder or address that cannot be used is the caller's; a database that is away is not.
pub(crate) fn of_store(error: StoreError) -> CliError {
    match error {
        StoreError::Locked { .. } | StoreError::Folder { .. } | StoreError::Address { .. } => {
            CliError::bad(error)
        }
        other => CliError::failed(other),
    }
}
