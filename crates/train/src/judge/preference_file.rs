//! `preferences.jsonl` of a run folder: pairs made of the groups of each step, as they come.
//!
//! Each line says its step, so that a run that goes on writes what comes after its checkpoint anew.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use stateset_core::{Role, Scenario, TrajectoryGroup};

use super::preferences::{PreferenceSelection, preference_pairs, row};
use crate::RunError;
use crate::sinks::LineFile;

/// The file of a run under way.
#[derive(Debug)]
pub(crate) struct PreferenceFile {
    file: LineFile,
}

/// What is read of a line that was written before.
#[derive(Deserialize)]
struct Written {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    step: u32,
}

impl PreferenceFile {
    /// Opens `path`, with the lines up to `resumed_step`; with none where the run begins.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub(crate) fn open(path: &Path, resumed_step: Option<u32>) -> Result<PreferenceFile, RunError> {
        let is_before = |line: &str| {
            let written: Option<Written> = serde_json::from_str(line).ok();
            written.zip(resumed_step).is_some_and(|(line, step)| line.metadata.step <= step)
        };
        Ok(PreferenceFile { file: LineFile::open(path, is_before)? })
    }

    /// Adds the best and the worst sample of each group that has both. `instructions` are the agent's,
    /// where a scenario has none.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub(crate) fn add(
        &mut self,
        step: u32,
        groups: &[TrajectoryGroup],
        scenarios: &[Arc<Scenario>],
        instructions: Option<&str>,
    ) -> Result<(), RunError> {
        for group in groups {
            let first = group.trajectories.iter().find_map(|t| t.turns.first());
            let brings_own = first.is_some_and(|turn| turn.message.role == Role::System);
            let of_scenario = scenarios.iter().find(|s| s.id == group.scenario_id);
            let of_scenario = of_scenario.and_then(|s| s.system_prompt.as_deref());
            let told = of_scenario.or(instructions).filter(|_| !brings_own);
            let group = std::slice::from_ref(group);
            for pair in preference_pairs(group, PreferenceSelection::default(), told) {
                self.file.append(&row(&pair, Some(step)))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{RewardResult, Score, Trajectory};

    use super::super::samples::testing::answered;
    use super::*;
    use crate::read_pairs;

    fn groups() -> Vec<TrajectoryGroup> {
        let sample = |answer: &str, reward: f64| Trajectory {
            reward: Some(RewardResult::single(Score::of(reward))),
            ..answered(answer)
        };
        let trajectories = vec![sample("good", 1.0), sample("bad", 0.0), sample("fair", 0.5)];
        vec![TrajectoryGroup { scenario_id: "s".into(), trajectories }]
    }

    #[test]
    fn what_a_checkpoint_does_not_cover_is_written_anew() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("preferences.jsonl");
        let mut scenario = Scenario::new("s");
        let write = |file: &mut PreferenceFile, step, scenario: &Scenario| {
            let scenarios = [Arc::new(scenario.clone())];
            file.add(step, &groups(), &scenarios, Some("Agent.")).unwrap();
        };
        let mut file = PreferenceFile::open(&path, None).unwrap();
        (1..=3).for_each(|step| write(&mut file, step, &scenario));
        let whole = std::fs::read_to_string(&path).unwrap();
        assert!(whole.contains("Agent.") && whole.contains("\"metadata\":{\"step\":3}"), "{whole}");
        let pairs = read_pairs(&whole).unwrap();
        assert_eq!((pairs.len(), pairs[0].margin), (3, 1.0));

        let mut resumed = PreferenceFile::open(&path, Some(2)).unwrap();
        write(&mut resumed, 3, &scenario);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        let mut begun = PreferenceFile::open(&path, None).unwrap();
        scenario.system_prompt = Some("Scenario.".into());
        write(&mut begun, 1, &scenario);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("Scenario.") && !text.contains("Agent."), "{text}");
    }
}
