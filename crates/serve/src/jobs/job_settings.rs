//! How a process works on jobs.

use std::path::PathBuf;
use std::time::Duration;

use crate::DataDisk;
use crate::store::millis;

/// How a process works on jobs.
#[derive(Clone, Debug)]
pub struct JobSettings {
    /// Folder in which every job has its run folder. Processes that share jobs need to share it too.
    pub runs: PathBuf,
    /// The disk of that folder, to which checkpoints go.
    pub disk: DataDisk,
    /// Jobs that train at the same time; 0 leaves them to other processes.
    pub max_running: usize,
    /// Threads that each one computes with; half of the machine where absent.
    pub threads: Option<usize>,
    /// Jobs that may wait or train; more are refused.
    pub max_unfinished: usize,
    /// How long a job stays with a process that no longer says that it is alive.
    pub lease: Duration,
    /// How often a process looks for jobs that others left.
    pub poll: Duration,
    /// How long a job whose disk is full waits before it is tried again.
    pub pause: Duration,
    /// Prompts of one `/api/train` request.
    pub max_prompts: usize,
    /// Characters of one prompt.
    pub max_prompt_chars: usize,
    /// Steps of one `/api/train` request.
    pub max_iterations: u64,
    /// Steps of one `/v1/training` request.
    pub max_iterations_v1: u64,
    /// Episodes of one `/training` request.
    pub max_episodes: u64,
}

impl JobSettings {
    /// The documented limits, with run folders in `runs`.
    pub fn new(runs: impl Into<PathBuf>) -> JobSettings {
        JobSettings {
            runs: runs.into(),
            disk: DataDisk::default(),
            max_running: 1,
            threads: None,
            max_unfinished: 64,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(2),
            pause: Duration::from_secs(10),
            max_prompts: 8,
            max_prompt_chars: 4000,
            max_iterations: 50,
            max_iterations_v1: 1000,
            max_episodes: 10_000,
        }
    }

    /// Threads of one job.
    pub(super) fn n_threads(&self) -> usize {
        let of_machine = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or((of_machine / 2).max(1))
    }

    pub(super) fn lease_millis(&self) -> i64 {
        millis(self.lease)
    }

    pub(super) fn pause_millis(&self) -> i64 {
        millis(self.pause)
    }
}
