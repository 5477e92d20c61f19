//! Reward models: on synthetic pairs, and on people's judgments of replies in Taskmaster-4.
//!
//! Judgments of one dialogue, told apart by what its user says first, are learned from or held out
//! together. Which dialogues are held out does not depend on the run's seed, so that the seeds can be
//! compared item by item.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use stateset_core::RunSeed;
use stateset_train::{Judgments, read_judgments};

use super::outcome::Outcome;
use super::preference::{Data, synthetic, train_on};
use super::row::{Row, Work};
use crate::command::root;

/// Messages before a reply that the model reads.
const N_MESSAGES: usize = 4;
/// Of the judgments.
const HELD_OUT_SHARE: f64 = 0.2;
/// Chooses the dialogues that are held out.
const DIVISION: RunSeed = RunSeed(1);

impl Work {
    /// False where it needs data that is not on this machine.
    pub(super) fn has_data(self) -> bool {
        self != Work::Judgments || judgments_folder().is_dir()
    }
}

/// Trains `row` with `seed` on synthetic pairs.
pub(super) fn train_on_pairs(row: &Row, seed: u64) -> Result<Outcome> {
    train_on(row, seed, &synthetic(seed, true))
}

/// Trains `row` with `seed` on people's judgments.
pub(super) fn train_on_judgments(row: &Row, seed: u64) -> Result<Outcome> {
    let (learned, held_out) = judgments(&judgments_folder())?.divided(HELD_OUT_SHARE, DIVISION);
    let mut outcome = train_on(row, seed, &Data { learned, held_out })?;
    // The mean of what good answers are worth is the AUROC.
    let auroc = outcome.figure("accuracy");
    outcome.figures.insert("auroc".to_owned(), auroc);
    Ok(outcome)
}

/// Where test data lies: under `STATESET_TEST_DATA`, or beside the workspace.
fn judgments_folder() -> PathBuf {
    let beside = || root().join("../shared/data");
    let data = std::env::var_os("STATESET_TEST_DATA").map_or_else(beside, PathBuf::from);
    data.join("taskmaster-4/reward")
}

fn judgments(folder: &Path) -> Result<Judgments> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut all = Judgments::default();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let read = read_judgments(&fs::read_to_string(path)?, N_MESSAGES);
        all.add(read.map_err(|problems| anyhow!("{}: {problems:?}", path.display()))?);
    }
    Ok(all)
}
