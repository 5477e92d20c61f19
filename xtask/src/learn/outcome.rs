//! What one run of a row came to, as it is kept on disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize};

use super::row::Row;
use super::settings::folder;

/// What one row with one seed came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    /// Name of the row.
    pub(super) row: String,
    /// The run's seed.
    pub(super) seed: u64,
    /// The keys it was trained with; where they have changed since, it is trained anew.
    pub(super) keys: BTreeMap<String, String>,
    /// What it ran on.
    pub(super) machine: String,
    /// The day, such as 2026-01-31.
    pub(super) day: String,
    /// Time it took, evaluations included.
    pub(super) wall_secs: f64,
    /// Time of all processors together.
    pub(super) cpu_secs: f64,
    /// What each held-out item is worth before training: a reward, or 1 for a pair told rightly.
    pub(super) before: Vec<f64>,
    /// The same items after training.
    pub(super) after: Vec<f64>,
    /// Everything else that was measured.
    pub(super) figures: BTreeMap<String, f64>,
    /// What is drawn over the steps, from the first; NaN where a step had nothing to measure.
    #[serde(deserialize_with = "gaps_as_nan")]
    pub(super) curve: Vec<f64>,
}

/// JSON has no NaN, so gaps are written as null.
fn gaps_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let values = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

impl Outcome {
    /// A figure, or NaN where it was not measured.
    pub(super) fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(f64::NAN)
    }

    /// The outcome of `row` with `seed`, if it was trained with the settings it has now.
    pub(super) fn read(row: &Row, seed: u64) -> Result<Option<Outcome>> {
        let path = path(row.name, seed);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read {}", path.display()));
            }
        };
        // One of an older layout is trained anew.
        let found: Option<Outcome> = serde_json::from_str(&text).ok();
        Ok(found.filter(|outcome| outcome.keys == keys(row)))
    }

    /// Keeps it.
    pub(super) fn write(&self) -> Result<()> {
        let path = path(&self.row, self.seed);
        fs::create_dir_all(folder().join("results"))?;
        // A run that is stopped while it writes leaves no half file.
        let beside = path.with_extension("part");
        fs::write(&beside, serde_json::to_string_pretty(self)? + "\n")?;
        fs::rename(&beside, &path).with_context(|| format!("failed to write {}", path.display()))
    }
}

/// The settings of a row, in order of their names.
pub(super) fn keys(row: &Row) -> BTreeMap<String, String> {
    row.keys.iter().cloned().collect()
}

fn path(name: &str, seed: u64) -> PathBuf {
    folder().join("results").join(format!("{name}-{seed}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_in_a_curve_are_read_again() {
        let outcome = Outcome { curve: vec![0.5, f64::NAN, 0.25], ..Outcome::default() };
        let text = serde_json::to_string(&outcome).expect("it can be written");
        let read: Outcome = serde_json::from_str(&text).expect("it can be read");
        assert!(read.curve[1].is_nan());
        assert_eq!((read.curve[0], read.curve[2]), (0.5, 0.25));
    }
}
