//! The whole run in figures: what `summary.json` holds and `train --json` prints.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::record::newer_schema;
use super::{EVENT_SCHEMA_VERSION, EvaluationSummary, SummaryRecord};
use crate::files::write_atomically;
use crate::{RunError, RunFolder};

/// Figures of a finished run. What was not measured is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSummary {
    /// Mean reward of the held-out conversations before training.
    pub reward_before: Option<f64>,
    /// 95 % interval of it, low and high.
    pub reward_before_ci: Option<(f64, f64)>,
    /// Mean reward of the held-out conversations after training.
    pub reward_after: Option<f64>,
    /// 95 % interval of it, low and high.
    pub reward_after_ci: Option<(f64, f64)>,
    /// Mean of each part of the reward before training.
    pub components_before: BTreeMap<String, f64>,
    /// Mean of each part of the reward after training.
    pub components_after: BTreeMap<String, f64>,
    /// Share of users who reached their goal before training.
    pub goal_before: Option<f64>,
    /// Share of users who reached their goal after training.
    pub goal_after: Option<f64>,
    /// Optimisation steps done.
    pub n_steps: u32,
    /// Training episodes played.
    pub n_episodes: u64,
    /// Tokens sampled in them.
    pub n_sampled_tokens: u64,
    /// Tokens that had a part in a loss, counted once for each pass.
    pub n_trained_tokens: u64,
    /// Sampled tokens per second of the sampling phases.
    pub rollout_tokens_per_sec: Option<f64>,
    /// Trained tokens per second of the training phases.
    pub train_tokens_per_sec: Option<f64>,
    /// Wall time of the run, of all its sessions.
    pub wall_secs: f64,
    /// Most memory the process held.
    pub peak_rss_bytes: Option<u64>,
    /// SHA-256 of the final weights, in lower-case hexadecimal.
    pub model_sha256: Option<String>,
    /// The run folder.
    pub run_dir: PathBuf,
}

impl RunSummary {
    /// Takes the figures of the evaluation before training.
    pub fn set_before(&mut self, evaluation: &EvaluationSummary) {
        self.reward_before = evaluation.reward.map(|reward| reward.estimate);
        self.reward_before_ci = evaluation.reward.map(|reward| (reward.low, reward.high));
        self.components_before = component_means(evaluation);
        self.goal_before = evaluation.goal.map(|goal| goal.estimate);
    }

    /// Takes the figures of the evaluation after training.
    pub fn set_after(&mut self, evaluation: &EvaluationSummary) {
        self.reward_after = evaluation.reward.map(|reward| reward.estimate);
        self.reward_after_ci = evaluation.reward.map(|reward| (reward.low, reward.high));
        self.components_after = component_means(evaluation);
        self.goal_after = evaluation.goal.map(|goal| goal.estimate);
    }

    /// The JSON object of `summary.json` and `train --json`, over several lines.
    pub fn to_json(&self) -> String {
        let record = SummaryRecord::from(self);
        // Strings, numbers and maps with text keys: nothing that JSON cannot hold.
        serde_json::to_string_pretty(&record).expect("a summary record is plain JSON")
    }

    /// Writes `summary.json` of `run`.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn write(&self, run: &RunFolder) -> Result<(), RunError> {
        write_atomically(&run.summary(), format!("{}\n", self.to_json()).as_bytes())
    }

    /// Reads `summary.json` of `run`; `None` where the run has none yet.
    ///
    /// # Errors
    /// Where the file cannot be read, or is newer than this program.
    pub fn read(run: &RunFolder) -> Result<Option<RunSummary>, RunError> {
        let path = run.summary();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RunError::io("read", &path)(error)),
        };
        let line = |error: &serde_json::Error| error.line();
        let record: SummaryRecord = serde_json::from_str(&text).map_err(|error| {
            RunError::Line { path: path.clone(), line: line(&error), reason: error.to_string() }
        })?;
        if record.schema_version > EVENT_SCHEMA_VERSION {
            let reason = newer_schema(record.schema_version);
            return Err(RunError::Line { path, line: 1, reason });
        }
        Ok(Some(record.into()))
    }
}

fn component_means(evaluation: &EvaluationSummary) -> BTreeMap<String, f64> {
    evaluation.components.iter().map(|(name, value)| (name.clone(), value.estimate)).collect()
}

#[cfg(test)]
mod tests {
    use stateset_algo::Interval;

    use super::*;

    fn example() -> RunSummary {
        let interval =
            |estimate: f64| Interval { low: estimate - 0.05, estimate, high: estimate + 0.05 };
        let evaluation = |reward: f64| EvaluationSummary {
            reward: Some(interval(reward)),
            components: [("tone".to_owned(), interval(reward / 2.0))].into(),
            goal: Some(interval(reward)),
            ..EvaluationSummary::default()
        };
        let mut summary = RunSummary {
            n_steps: 200,
            n_episodes: 12_800,
            n_sampled_tokens: 1_638_400,
            n_trained_tokens: 1_638_000,
            rollout_tokens_per_sec: Some(5_321.5),
            wall_secs: 612.25,
            peak_rss_bytes: Some(734_003_200),
            model_sha256: Some("ab".repeat(32)),
            run_dir: "runs/demo".into(),
            ..RunSummary::default()
        };
        summary.set_before(&evaluation(0.25));
        summary.set_after(&evaluation(0.75));
        summary
    }

    #[test]
    fn the_json_of_a_summary() {
        insta::assert_snapshot!(example().to_json());
    }

    #[test]
    fn survives_the_disk() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        assert_eq!(RunSummary::read(&run).unwrap(), None);
        example().write(&run).unwrap();
        assert_eq!(RunSummary::read(&run).unwrap(), Some(example()));
    }

    #[test]
    fn a_newer_or_broken_file_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        let newer =
            example().to_json().replacen("\"schema_version\": 1", "\"schema_version\": 9", 1);
        fs::write(run.summary(), newer).unwrap();
        let error = RunSummary::read(&run).unwrap_err().to_string();
        assert!(error.contains("summary.json") && error.contains("schema 9"), "{error}");
        fs::write(run.summary(), "{\n\"schema_version\": ").unwrap();
        let error = RunSummary::read(&run).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
