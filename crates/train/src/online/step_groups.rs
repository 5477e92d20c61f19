//! The groups of a step as they were played, with the credit that the method gives them: to look at.
//!
//! Rollouts are read from the step's journal, which lies there until a checkpoint makes it needless.
//! Advantages are not written down anywhere. They are a function of the rewards and the configuration,
//! so they are computed again by what the trainer computes them with. Where they also depend on what a
//! model said at the time (a critic, a penalty inside the reward), they are not known any more, and
//! that is said instead of a number.

use std::collections::BTreeMap;
use std::sync::Arc;

use stateset_core::{Scenario, Trajectory, TrajectoryGroup};

use super::dead::is_dead;
use super::setup;
use crate::config::{ConfigFile, ConfigSources, RunConfig, report, resolve};
use crate::journal::read_any_journal;
use crate::rollout::{GroupPlan, settled};
use crate::update::Batch;
use crate::{RunError, RunFolder, TrainError, read_metrics};

/// The groups of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepGroups {
    /// In the order in which they were planned.
    pub groups: Vec<CreditedGroup>,
    /// Why there are no advantages, where there are none.
    pub why_no_advantages: Option<String>,
}

/// The samples of one scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreditedGroup {
    /// Index of the group inside the step.
    pub index: u32,
    /// The scenario.
    pub scenario_id: String,
    /// In order of their sample index.
    pub samples: Vec<CreditedSample>,
}

/// A sample with its credit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreditedSample {
    /// What was played.
    pub trajectory: Trajectory,
    /// Advantage of each sampled token, in order; empty where nothing was learned from the sample or
    /// where it is not known.
    pub advantages: Vec<f64>,
}

impl CreditedSample {
    /// Mean advantage of its tokens; `None` without one.
    pub fn mean_advantage(&self) -> Option<f64> {
        let n = self.advantages.len();
        (n > 0).then(|| self.advantages.iter().sum::<f64>() / n as f64)
    }
}

impl StepGroups {
    /// Reads what `step` played; `None` where its journal is not there (any more).
    ///
    /// # Errors
    /// Where the file system refuses. Damage at the end of a journal is what a running step leaves.
    pub fn read(run: &RunFolder, step: u32) -> Result<Option<StepGroups>, RunError> {
        let path = run.journal(step);
        if !path.is_file() {
            return Ok(None);
        }
        let records = read_any_journal(&path)?.trajectories;
        let mut read = StepGroups { groups: grouped(records), why_no_advantages: None };
        let credited = config_of(run).and_then(|config| {
            check_is_over(run, step)?;
            credit(&mut read.groups, &config)
        });
        read.why_no_advantages = credited.err();
        Ok(Some(read))
    }
}

/// What a step learns from: its groups as arrays, rewards cut and long replies punished. The second
/// part is the mean punishment, where there is one.
pub(super) fn learned_batch(
    groups: &[TrajectoryGroup],
    config: &RunConfig,
) -> (Batch, Option<f64>) {
    let mut batch = Batch::new(groups);
    batch.clip_rewards(config.algorithm.reward_clip);
    // After the cut, which is about rewards that run away and would swallow the punishment.
    let overlong = &config.algorithm.rollouts.overlong;
    let punishment = overlong.as_ref().and_then(|rule| batch.punish_length(rule));
    (batch, punishment)
}

/// Records in any order to groups in order; where a judge looked at a whole group, its word counts.
fn grouped(records: Vec<Trajectory>) -> Vec<CreditedGroup> {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for record in &records {
        let size = sizes.entry(record.id.scenario).or_default();
        *size = (*size).max(usize::from(record.id.sample) + 1);
    }
    let scenario = Arc::new(Scenario::default());
    let plan = |(&index, &n_samples): (&u32, &usize)| GroupPlan {
        scenario: scenario.clone(),
        index,
        n_samples,
    };
    let plans: Vec<GroupPlan> = sizes.iter().map(plan).collect();
    let mut played = settled(records, &plans);
    played.sort_by_key(|trajectory| trajectory.id);
    let mut groups: BTreeMap<u32, CreditedGroup> = BTreeMap::new();
    for trajectory in played {
        let index = trajectory.id.scenario;
        let scenario_id = trajectory.scenario_id.clone();
        let new = || CreditedGroup { index, scenario_id, samples: Vec::new() };
        let group = groups.entry(index).or_insert_with(new);
        group.samples.push(CreditedSample { trajectory, advantages: Vec::new() });
    }
    groups.into_values().collect()
}

fn config_of(run: &RunFolder) -> Result<RunConfig, String> {
    let unreadable = |text: String| format!("the run's configuration cannot be read: {text}");
    let file = ConfigFile::read(&run.config()).map_err(|problem| unreadable(report(&[problem])))?;
    let sources = ConfigSources { file: Some(file), ..ConfigSources::default() };
    let resolved = resolve(&sources).map_err(|problems| unreadable(report(&problems)))?;
    Ok(resolved.config)
}

/// That the step was learned from, and with the weights that the reward has in the journal.
fn check_is_over(run: &RunFolder, step: u32) -> Result<(), String> {
    let rows = read_metrics(&run.metrics()).unwrap_or_default();
    let row = rows.iter().rev().find(|row| row.step == step);
    let row = row.ok_or("the step is not over")?;
    match row.metrics.keys().any(|name| name.starts_with("weight/")) {
        true => Err("the weights of the reward's parts changed from step to step".to_owned()),
        false => Ok(()),
    }
}

/// Gives each sample its advantages.
fn credit(groups: &mut [CreditedGroup], config: &RunConfig) -> Result<(), String> {
    let unknown = |error: TrainError| format!("failed to {error}");
    let algorithm = setup::algorithm(config).map_err(unknown)?;
    let drops_dead = config.algorithm.rollouts.refill_rounds > 0;
    let mut places = Vec::new();
    let mut learned = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let trajectories = group.samples.iter().map(|sample| sample.trajectory.clone()).collect();
        let plain = TrajectoryGroup { scenario_id: group.scenario_id.clone(), trajectories };
        if drops_dead && is_dead(&plain) {
            continue;
        }
        places.extend((0..plain.trajectories.len()).map(|sample| (index, sample)));
        learned.push(plain);
    }
    let (batch, _) = learned_batch(&learned, config);
    let data = batch.step_data(config.reward.success_threshold);
    let credit = algorithm.credit(&data).map_err(|error| {
        format!("they depend on what models said at the time (failed to {error})")
    })?;
    for (row, credit) in batch.rows.iter().zip(credit.rows) {
        let (group, sample) = places[row.trajectory];
        groups[group].samples[sample].advantages.extend(credit.advantages);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use stateset_core::{PolicyVersion, RewardResult, Score, TokenTrace, TrajectoryId};

    use super::*;
    use crate::journal::{Journal, JournalKey};

    fn played(scenario: u32, sample: u16, reward: f64) -> Trajectory {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1]);
        trace.append_sampled(&[2, 3], &[-0.5, -0.5], PolicyVersion(0)).unwrap();
        Trajectory {
            id: TrajectoryId { step: 1, scenario, sample },
            scenario_id: format!("s{scenario}"),
            trace,
            reward: Some(RewardResult::single(Score::of(reward))),
            ..Trajectory::default()
        }
    }

    fn run(config: &str, metrics: &str) -> (tempfile::TempDir, RunFolder) {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        run.create().unwrap();
        fs::write(run.config(), config).unwrap();
        fs::write(run.metrics(), metrics).unwrap();
        let key = JournalKey { run: "r".to_owned(), step: 1, policy_version: PolicyVersion(0) };
        let (mut journal, _) = Journal::open(&run.journal(1), &key).unwrap();
        for (scenario, sample, reward) in
            [(1, 0, 0.5), (0, 1, 1.0), (1, 1, 0.5), (0, 0, 0.0), (0, 2, 0.5)]
        {
            journal.append(&played(scenario, sample, reward)).unwrap();
        }
        (temp, run)
    }

    const OVER: &str = "{\"schema_version\":1,\"step\":1,\"wall_secs\":1.0,\"step_secs\":1.0}\n";

    /// By hand: rewards 0, 1 and 0.5 about their mean, without a division by their deviation.
    #[test]
    fn samples_have_the_advantages_that_they_were_learned_with() {
        let config = "algorithm = \"grpo\"\n[training]\nscale_rewards = \"none\"\n";
        let (_temp, run) = run(config, OVER);
        let read = StepGroups::read(&run, 1).unwrap().unwrap();
        assert_eq!(read.why_no_advantages, None);
        let names: Vec<&str> = read.groups.iter().map(|g| g.scenario_id.as_str()).collect();
        assert_eq!(names, ["s0", "s1"]);
        let of = |group: usize| -> Vec<Option<f64>> {
            read.groups[group].samples.iter().map(CreditedSample::mean_advantage).collect()
        };
        assert_eq!(of(0), [Some(-0.5), Some(0.5), Some(0.0)]);
        assert_eq!(of(1), [Some(0.0), Some(0.0)]);
        assert_eq!(read.groups[0].samples[0].advantages, [-0.5, -0.5]);
        assert_eq!(StepGroups::read(&run, 2).unwrap(), None);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let grpo = "algorithm = \"grpo\"\n";
        let weighed = OVER.replace("}", ",\"weight/safety\":0.5}");
        for (config, metrics, words) in [
            (grpo, "", "not over"),
            (grpo, weighed.as_str(), "changed from step to step"),
            ("algorithm = \"ppo\"\n", OVER, "what models said"),
            ("nonsense = 1\n", OVER, "nonsense"),
        ] {
            let (_temp, run) = run(config, metrics);
            let read = StepGroups::read(&run, 1).unwrap().unwrap();
            assert_eq!(read.groups.len(), 2);
            assert_eq!(read.groups[0].samples[0].mean_advantage(), None);
            let why = read.why_no_advantages.unwrap_or_default();
            assert!(why.contains(words), "{config}: {why}");
        }
    }
}
