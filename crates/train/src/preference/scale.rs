//! Where a reward model's scores lie: mean and deviation over answers it learned from, stored beside it.
//!
//! A Bradley-Terry loss sees differences only, so its scores have no zero and no unit of their own;
//! (score - mean) / deviation has.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stateset_algo::Moments;

use crate::TrainError;

/// Layout written here.
const SCHEMA_VERSION: u32 = 1;
const FILE: &str = "reward_scale.json";

/// Mean and deviation of scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardScale {
    /// Layout of the file.
    pub schema_version: u32,
    /// Mean score.
    pub mean: f64,
    /// Population deviation of the scores, above 0.
    pub deviation: f64,
    /// Answers behind both.
    pub n_answers: u64,
}

impl Default for RewardScale {
    /// Leaves scores as they are.
    fn default() -> RewardScale {
        RewardScale { schema_version: SCHEMA_VERSION, mean: 0.0, deviation: 1.0, n_answers: 0 }
    }
}

impl RewardScale {
    /// The scale of these scores; one without spread keeps its unit.
    pub fn of(scores: &[f64]) -> RewardScale {
        if scores.is_empty() {
            return RewardScale::default();
        }
        let moments: Moments = scores.iter().copied().collect();
        let deviation = moments.population_std();
        RewardScale {
            mean: moments.mean(),
            deviation: if deviation > 0.0 { deviation } else { 1.0 },
            n_answers: moments.count(),
            ..RewardScale::default()
        }
    }

    /// A score as so many deviations from the mean.
    pub fn apply(&self, score: f64) -> f64 {
        (score - self.mean) / self.deviation
    }

    /// Name of the file beside a model, and its text.
    pub fn file(&self) -> (&'static str, String) {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        (FILE, format!("{text}\n"))
    }

    /// The scale beside a model; that which changes nothing where there is none.
    ///
    /// # Errors
    /// [`TrainError`] where the file cannot be read or holds no scale.
    pub fn read(folder: &Path) -> Result<RewardScale, TrainError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(RewardScale::default());
        }
        let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io("read", &path, e))?;
        let invalid = |message: String| TrainError::Invalid {
            what: "read the scale of a reward model",
            message: format!("{}: {message}", path.display()),
        };
        let scale: RewardScale =
            serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        let is_sound = scale.mean.is_finite() && scale.deviation.is_finite();
        if !is_sound || scale.deviation <= 0.0 || scale.schema_version > SCHEMA_VERSION {
            return Err(invalid("mean, deviation or schema are out of range".to_owned()));
        }
        Ok(scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_counted_in_deviations() {
        let scale = RewardScale::of(&[1.0, 3.0]);
        assert_eq!((scale.mean, scale.deviation, scale.n_answers), (2.0, 1.0, 2));
        assert_eq!(scale.apply(4.5), 2.5);
        assert_eq!(RewardScale::of(&[2.0, 2.0]).apply(3.0), 1.0);
        assert_eq!(RewardScale::of(&[]).apply(3.0), 3.0);
    }

    #[test]
    fn it_survives_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RewardScale::read(folder.path()).unwrap(), RewardScale::default());
        let scale = RewardScale::of(&[0.1, 0.7, -0.3]);
        let (name, text) = scale.file();
        std::fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(RewardScale::read(folder.path()).unwrap(), scale);
        let bad = RewardScale { deviation: 0.0, ..scale }.file().1;
        std::fs::write(folder.path().join(name), bad).unwrap();
        assert!(RewardScale::read(folder.path()).is_err());
    }
}
