//! Judging groups once all their samples are played.
//!
//! The judge's word becomes the reward that is trained on. What the episode's own reward said stays
//! beside it: its total as the part [`TASK_PART`] and its parts, all with weight 0, so that metrics show
//! both. Episodes that failed have no reward and are not shown to the judge.
//!
//! A judged sample carries a note under [`JUDGED`] in its metadata and goes into the journal a second
//! time. After a crash a group is taken as judged if every sample of it has the note; otherwise all
//! of it is judged anew from the records without it. A judge need not be deterministic for a resumed
//! run to have the same rewards, as long as it was asked to the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use stateset_core::{
    GroupJudgement, GroupReward, Purpose, RewardComponent, RewardContext, RewardResult, RunSeed,
    Scenario, Score, StreamKey, Trajectory, TrajectoryGroup,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::batch::GroupPlan;

/// Key of the note in a judged trajectory's metadata: how judging its group went, by name.
pub const JUDGED: &str = "judged";

/// Name under which the episode's own reward is kept.
pub const TASK_PART: &str = "task";

/// A judge of groups with its limits.
#[derive(Clone)]
pub struct GroupJudge {
    /// Who judges.
    pub reward: Arc<dyn GroupReward>,
    /// Time a group may take for each of its samples.
    pub timeout: Duration,
    /// Groups that are judged at the same time.
    pub concurrency: usize,
    /// The run's randomness.
    pub seed: RunSeed,
}

/// Judges every group that is not judged yet. `judged` sees each sample of such a group after it was
/// judged, failed ones too, group by group in the order in which the judge finished.
///
/// # Errors
/// What `judged` returns; the rest is dropped then.
pub async fn judge_groups<E>(
    judge: &GroupJudge,
    step: u32,
    plans: &[GroupPlan],
    groups: Vec<TrajectoryGroup>,
    mut judged: impl FnMut(&Trajectory) -> Result<(), E>,
) -> Result<Vec<TrajectoryGroup>, E> {
    let places = Arc::new(Semaphore::new(judge.concurrency.max(1)));
    let mut tasks = JoinSet::new();
    let mut names = HashMap::new();
    let mut done = groups;
    for (place, (group, plan)) in done.iter().zip(plans).enumerate() {
        if group.trajectories.iter().all(is_judged) {
            continue;
        }
        let (judge, places, scenario) = (judge.clone(), places.clone(), plan.scenario.clone());
        let key = StreamKey { step, scenario: plan.index, sample: u16::MAX, turn: 0 };
        let group = group.clone();
        let task = async move {
            // The semaphore is never closed; without a place the judgement would still be right.
            let _place = places.acquire().await;
            asked(&judge, key, &scenario, &group).await
        };
        names.insert(tasks.spawn(task).id(), place);
    }
    while let Some(result) = tasks.join_next_with_id().await {
        let (id, judgement) = match result {
            Ok((id, judgement)) => (id, judgement),
            Err(error) => (error.id(), Err(format!("the judge panicked: {error}"))),
        };
        let Some(group) = names.remove(&id).and_then(|place| done.get_mut(place)) else { continue };
        note(judge.reward.name(), group, judgement);
        for trajectory in &group.trajectories {
            judged(trajectory)?;
        }
    }
    Ok(done)
}

/// The records of a journal that count, one for each sample: judged ones of groups that are judged
/// whole, and those from before for the others.
pub fn settled(records: Vec<Trajectory>, plans: &[GroupPlan]) -> Vec<Trajectory> {
    let (judged, played): (Vec<Trajectory>, Vec<Trajectory>) =
        records.into_iter().partition(is_judged);
    let is_whole = |index: u32| {
        let wanted = plans.iter().find(|plan| plan.index == index).map(|plan| plan.n_samples);
        let mut samples: Vec<u16> =
            judged.iter().filter(|t| t.id.scenario == index).map(|t| t.id.sample).collect();
        samples.sort_unstable();
        samples.dedup();
        wanted == Some(samples.len())
    };
    let whole: Vec<u32> = plans.iter().map(|plan| plan.index).filter(|i| is_whole(*i)).collect();
    let mut kept: Vec<Trajectory> = Vec::new();
    let of_whole = judged.into_iter().filter(|t| whole.contains(&t.id.scenario));
    let of_others = played.into_iter().filter(|t| !whole.contains(&t.id.scenario));
    for trajectory in of_whole.chain(of_others) {
        match kept.iter_mut().find(|known| known.id == trajectory.id) {
            Some(known) => *known = trajectory,
            None => kept.push(trajectory),
        }
    }
    kept
}

fn is_judged(trajectory: &Trajectory) -> bool {
    trajectory.metadata.contains_key(JUDGED)
}

/// The judgement, or why there is none.
async fn asked(
    judge: &GroupJudge,
    key: StreamKey,
    scenario: &Scenario,
    group: &TrajectoryGroup,
) -> Result<GroupJudgement, String> {
    let shown: Vec<&Trajectory> = group.trajectories.iter().filter(|t| t.error.is_none()).collect();
    if shown.is_empty() {
        return Ok(GroupJudgement::default());
    }
    let limit = judge.timeout.saturating_mul(shown.len() as u32);
    let stream = judge.seed.stream(Purpose::Reward, key);
    let work = judge.reward.judge_group(&shown, RewardContext { scenario }, stream);
    let judgement = tokio::time::timeout(limit, work)
        .await
        .map_err(|_| format!("the judge gave no answer within {} s", limit.as_secs_f64()))?;
    let (found, n) = (judgement.results.len(), shown.len());
    if found == n {
        Ok(judgement)
    } else {
        Err(format!("the judge gave {found} results for {n} samples"))
    }
}

/// Writes the judgement on the samples.
fn note(name: &str, group: &mut TrajectoryGroup, judgement: Result<GroupJudgement, String>) {
    let (results, figures) = match judgement {
        Ok(judgement) => (Ok(judgement.results), judgement.figures),
        Err(why) => (Err(why), BTreeMap::new()),
    };
    let figures: Map<String, Value> =
        figures.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let mut shown = 0;
    for trajectory in &mut group.trajectories {
        trajectory.metadata.insert(JUDGED.to_owned(), Value::Object(figures.clone()));
        if trajectory.error.is_some() {
            continue;
        }
        let result = match &results {
            Ok(results) => results[shown].clone(),
            Err(why) => RewardResult::single(Score::unscorable(why)),
        };
        shown += 1;
        let task = trajectory.reward.take();
        trajectory.reward = Some(beside(name, result, task));
    }
}

/// The judge's result with what the episode's own reward said.
fn beside(name: &str, judged: RewardResult, task: Option<RewardResult>) -> RewardResult {
    let part = |name: &str, weight: f64, score: Score| RewardComponent {
        name: name.to_owned(),
        weight,
        score,
    };
    let mut components = vec![part(name, 1.0, judged.total.clone())];
    components.extend(judged.components.into_iter().map(|c| part(&c.name, 0.0, c.score)));
    if let Some(task) = task {
        components.push(part(TASK_PART, 0.0, task.total));
        components.extend(task.components.into_iter().map(|c| part(&c.name, 0.0, c.score)));
    }
    RewardResult { total: judged.total, components }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use stateset_core::{Border, RolloutError, Stream, TrajectoryId};

    use super::*;

    /// Rewards samples by their index; what it does beside that is in its name.
    struct Fake(&'static str);

    #[async_trait]
    impl GroupReward for Fake {
        fn name(&self) -> &str {
            self.0
        }

        async fn judge_group(
            &self,
            group: &[&Trajectory],
            _: RewardContext<'_>,
            mut stream: Stream,
        ) -> GroupJudgement {
            match self.0 {
                "slow" => tokio::time::sleep(Duration::from_secs(3600)).await,
                "panics" => panic!("no"),
                _ => {}
            }
            let n = group.len() - usize::from(self.0 == "short");
            let value = |t: &&Trajectory| f64::from(t.id.sample) + stream.unit();
            let result = |value| RewardResult::single(Score::of(value));
            let values: Vec<f64> = group[..n].iter().map(value).collect();
            GroupJudgement {
                results: values.into_iter().map(result).collect(),
                figures: [("judge/asked".to_owned(), 3.0)].into(),
            }
        }
    }

    fn judge(name: &'static str) -> GroupJudge {
        GroupJudge {
            reward: Arc::new(Fake(name)),
            timeout: Duration::from_millis(5),
            concurrency: 2,
            seed: RunSeed(1),
        }
    }

    fn plans(n: u32) -> Vec<GroupPlan> {
        let scenario = |index| Arc::new(Scenario::new(format!("s{index}")));
        (0..n).map(|index| GroupPlan { scenario: scenario(index), index, n_samples: 3 }).collect()
    }

    /// Groups of three, of which the second sample failed.
    fn groups(n: u32) -> Vec<TrajectoryGroup> {
        let sample = |scenario, sample| Trajectory {
            id: TrajectoryId { step: 1, scenario, sample },
            reward: (sample != 1).then(|| RewardResult {
                total: Score::of(0.5),
                components: vec![RewardComponent {
                    name: "safety".into(),
                    weight: 1.0,
                    score: Score::of(0.5),
                }],
            }),
            error: (sample == 1).then(|| RolloutError::new(Border::Model, "broken")),
            ..Trajectory::default()
        };
        let group = |scenario| TrajectoryGroup {
            scenario_id: format!("s{scenario}"),
            trajectories: (0..3).map(|index| sample(scenario, index)).collect(),
        };
        (0..n).map(group).collect()
    }

    async fn judged(name: &'static str) -> (Vec<TrajectoryGroup>, Vec<Trajectory>) {
        let mut seen = Vec::new();
        let see = |trajectory: &Trajectory| {
            seen.push(trajectory.clone());
            Ok::<(), ()>(())
        };
        let groups = judge_groups(&judge(name), 1, &plans(2), groups(2), see).await.unwrap();
        (groups, seen)
    }

    #[tokio::test]
    async fn the_judge_decides_and_the_task_stays() {
        let (groups, seen) = judged("fair").await;
        assert_eq!(seen.len(), 6);
        for group in &groups {
            let rewards = group.rewards();
            assert!(rewards[0].unwrap() < 1.0 && rewards[1].is_none() && rewards[2].unwrap() > 2.0);
            let reward = group.trajectories[2].reward.as_ref().unwrap();
            let names: Vec<&str> = reward.components.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, ["fair", "task", "safety"]);
            let weights: Vec<f64> = reward.components.iter().map(|c| c.weight).collect();
            assert_eq!(weights, [1.0, 0.0, 0.0]);
            assert_eq!(reward.component(TASK_PART).unwrap().score, Score::of(0.5));
            assert!(group.trajectories.iter().all(|t| t.metadata[JUDGED]["judge/asked"] == 3.0));
        }
        // Groups have randomness of their own, the same every time.
        assert_ne!(groups[0].rewards(), groups[1].rewards());
        assert_eq!(judged("fair").await.0, groups);
    }

    #[tokio::test]
    async fn a_judge_that_fails_scores_nothing() {
        for (name, reason) in [
            ("slow", "the judge gave no answer within 0.01 s"),
            ("panics", "the judge panicked"),
            ("short", "the judge gave 1 results for 2 samples"),
        ] {
            let (groups, _) = judged(name).await;
            for trajectory in groups.iter().flat_map(|group| &group.trajectories) {
                assert_eq!(trajectory.reward(), None, "{name}");
                let Some(reward) = &trajectory.reward else { continue };
                let Score::Unscorable { why } = &reward.total else { panic!("{name}") };
                assert!(why.starts_with(reason), "{why}");
                assert_eq!(reward.component(TASK_PART).unwrap().score, Score::of(0.5));
            }
        }
    }

    #[tokio::test]
    async fn what_is_judged_is_not_judged_again() {
        let (first, _) = judged("fair").await;
        let refuse = |_: &Trajectory| Err("judged again");
        let again = judge_groups(&judge("panics"), 1, &plans(2), first.clone(), refuse).await;
        assert_eq!(again.unwrap(), first);
    }

    #[tokio::test]
    async fn a_journal_that_ends_early_is_judged_anew() {
        let played: Vec<Trajectory> =
            groups(2).into_iter().flat_map(|group| group.trajectories).collect();
        let (_, seen) = judged("fair").await;
        for n_seen in 0..=6 {
            let records = [&played[..], &seen[..n_seen]].concat();
            let kept = settled(records, &plans(2));
            assert_eq!(kept.len(), 6);
            for index in 0..2 {
                let of = |t: &&Trajectory| t.id.scenario == index;
                let n_judged = kept.iter().filter(of).filter(|t| is_judged(t)).count();
                let n_written = seen[..n_seen].iter().filter(of).count();
                assert_eq!(n_judged, if n_written == 3 { 3 } else { 0 }, "{n_seen}");
            }
        }
        assert_eq!(settled(played[..2].to_vec(), &plans(2)), played[..2]);
    }
}
