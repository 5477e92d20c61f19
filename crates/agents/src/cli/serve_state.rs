//! `serve`: what the server remembers and trains.

use std::path::{Path, PathBuf};

use clap::Args;
use stateset_serve::dashboard::{PreferenceFile, RunsFolder};
use stateset_serve::jobs::JobSettings;
use stateset_serve::store::{Clock, Place, Store, StoreError};
use stateset_serve::{Library, ServeConfig, Services};

use super::error::{CliError, Outcome};

/// Where a server keeps what it must not forget, and how it trains.
#[derive(Args, Clone, Debug)]
pub(crate) struct StateArgs {
    /// Folder for what the server must not forget: its database and the run folders of trainings
    #[arg(long, value_name = "DIR", default_value = "./stateset-data", env = "STATESET_DATA_DIR")]
    data_dir: PathBuf,
    /// Folder with the run folders that the dashboard shows, beside those of trainings
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    runs: PathBuf,
    /// A PostgreSQL database instead of a file in the data folder, such as postgres://user@host/name;
    /// several servers may share it
    #[arg(long, value_name = "URL", env = "STATESET_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
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
        &self.data_dir
    }

    /// Tells the dashboard what there is to see, and where people's comparisons go.
    pub(crate) fn show_to_people(&self, config: &mut ServeConfig) {
        config.runs = RunsFolder::new([self.runs.clone(), self.data_dir.join("runs")]);
        config.preferences = PreferenceFile::new(self.data_dir.join("preferences.jsonl"));
    }

    /// The database, and work on the trainings in it.
    pub(crate) async fn services(&self, library: Library) -> Outcome<Services> {
        let place =
            Place { folder: self.data_dir.clone(), database_url: self.database_url.clone() };
        let store = Store::open(&place, Clock::system()).await.map_err(of_store)?;
        let settings = JobSettings {
            max_running: usize::from(self.training_jobs),
            threads: self.training_threads.map(usize::from),
            max_prompts: usize::from(self.max_prompts),
            max_prompt_chars: self.max_prompt_chars as usize,
            max_iterations: self.max_iterations,
            ..JobSettings::new(self.data_dir.join("runs"))
        };
        Ok(Services::start(store, library, settings))
    }
}

/// A folder or address that cannot be used is the caller's; a database that is away is not.
fn of_store(error: StoreError) -> CliError {
    match error {
        StoreError::Locked { .. } | StoreError::Folder { .. } | StoreError::Address { .. } => {
            CliError::bad(error)
        }
        other => CliError::failed(other),
    }
}
