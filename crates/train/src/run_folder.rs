//! Where everything lies in a run folder.
//!
//! One type holds every path, so that writers, `--resume`, `evaluate` and `report` cannot disagree.
//!
//! | path | what | written by |
//! |---|---|---|
//! | `run.lock` | who runs here | [`crate::RunLock`] |
//! | `config.toml` | the resolved configuration | the trainer |
//! | `metrics.jsonl` | one line for each step | [`crate::MetricsFile`] |
//! | `events.jsonl` | one line for each event that is neither a step nor a rollout | [`crate::EventLog`] |
//! | `tensorboard/` | event files | [`crate::TensorBoardFile`] |
//! | `rollouts/<step>.journal` | finished trajectories | [`crate::Journal`] |
//! | `checkpoints/`, `LATEST`, `checkpoint/` | weights and trainer state | [`crate::CheckpointStore`] |
//! | `evaluations/<name>.jsonl` | held-out conversations as played | [`crate::write_conversations`] |
//! | `preferences.jsonl` | pairs of judged samples, where they are asked for | the trainer |
//! | `summary.json` | the run in figures | [`crate::RunSummary::write`] |
//! | `report.html` | the same for people | [`crate::write_report`] |

use std::fs;
use std::path::{Path, PathBuf};

use crate::RunError;

/// A run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Name of the evaluation before training, and of its file of conversations.
    pub const BEFORE: &str = "before";
    /// Name of the evaluation after training, and of its file of conversations.
    pub const AFTER: &str = "after";

    /// The folder at `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> RunFolder {
        RunFolder { root: root.into() }
    }

    /// Creates the folder and those in it that every run has.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn create(&self) -> Result<(), RunError> {
        for folder in [self.rollouts(), self.checkpoints(), self.evaluations()] {
            fs::create_dir_all(&folder).map_err(RunError::io("create", &folder))?;
        }
        Ok(())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `run.lock`.
    pub fn lock(&self) -> PathBuf {
        self.root.join("run.lock")
    }

    /// `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// `metrics.jsonl`.
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// `events.jsonl`.
    pub fn events(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }

    /// `tensorboard/`.
    pub fn tensorboard(&self) -> PathBuf {
        self.root.join("tensorboard")
    }

    /// `rollouts/`.
    pub fn rollouts(&self) -> PathBuf {
        self.root.join("rollouts")
    }

    /// The journal of one step.
    pub fn journal(&self, step: u32) -> PathBuf {
        self.rollouts().join(format!("{step:06}.journal"))
    }

    /// Steps whose journals are there, in order.
    pub fn journal_steps(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(self.rollouts()) else { return Vec::new() };
        let mut steps: Vec<u32> =
            entries.flatten().filter_map(|entry| journal_step(&entry.path())).collect();
        steps.sort_unstable();
        steps
    }

    /// `checkpoints/`.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// The best checkpoint so far; not there before the first evaluation.
    pub fn best_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("best")
    }

    /// `LATEST`, which holds the name of the newest checkpoint.
    pub fn latest(&self) -> PathBuf {
        self.root.join("LATEST")
    }

    /// The final model.
    pub fn final_checkpoint(&self) -> PathBuf {
        self.root.join("checkpoint")
    }

    /// `evaluations/`.
    pub fn evaluations(&self) -> PathBuf {
        self.root.join("evaluations")
    }

    /// The conversations of one evaluation.
    pub fn conversations(&self, name: &str) -> PathBuf {
        self.evaluations().join(format!("{name}.jsonl"))
    }

    /// `preferences.jsonl`.
    pub fn preferences(&self) -> PathBuf {
        self.root.join("preferences.jsonl")
    }

    /// `summary.json`.
    pub fn summary(&self) -> PathBuf {
        self.root.join("summary.json")
    }

    /// `report.html`.
    pub fn report(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// Removes the journals of steps up to `step`, once a checkpoint makes them needless. Gives the
    /// number removed.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn remove_journals_through(&self, step: u32) -> Result<usize, RunError> {
        let folder = self.rollouts();
        let mut n_removed = 0;
        for entry in fs::read_dir(&folder).map_err(RunError::io("list", &folder))? {
            let path = entry.map_err(RunError::io("list", &folder))?.path();
            if journal_step(&path).is_some_and(|found| found <= step) {
                fs::remove_file(&path).map_err(RunError::io("remove", &path))?;
                n_removed += 1;
            }
        }
        Ok(n_removed)
    }
}

fn journal_step(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_suffix(".journal")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_only_journals_up_to_the_step() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        run.create().unwrap();
        for step in [1, 2, 3] {
            fs::write(run.journal(step), "").unwrap();
        }
        fs::write(run.rollouts().join("notes.txt"), "").unwrap();
        assert_eq!(run.remove_journals_through(2).unwrap(), 2);
        assert!(!run.journal(2).exists());
        assert_eq!(run.journal_steps(), [3]);
        assert!(run.rollouts().join("notes.txt").exists());
    }

    #[test]
    fn journals_sort_by_step() {
        let run = RunFolder::new("runs/a");
        assert!(run.journal(7).ends_with("rollouts/000007.journal"));
        assert!(run.journal(1_000_000).ends_with("rollouts/1000000.journal"));
    }
}
