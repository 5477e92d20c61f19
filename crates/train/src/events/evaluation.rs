//! What held-out conversations came to, with how sure one can be of it.
//!
//! Intervals are percentile bootstraps over episodes ([`stateset_algo::Bootstrap`]). Several episodes of
//! one scenario count as independent, so play each scenario once where the interval matters.

use std::collections::BTreeMap;

use serde_json::Value;
use stateset_algo::{AlgoError, Bootstrap, Interval};
use stateset_core::{Stream, Trajectory};

/// Key of [`stateset_core::EnvironmentState::metadata`] under which an environment says whether the
/// user got what they came for.
const GOAL_REACHED: &str = "goal_reached";

/// Figures of one evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvaluationSummary {
    /// Mean total reward with its interval; `None` where no episode could be scored.
    pub reward: Option<Interval>,
    /// The same for each part of the reward that was scored at least once.
    pub components: BTreeMap<String, Interval>,
    /// Share of users who reached their goal, among the episodes whose environment can tell; `None`
    /// where none can.
    pub goal: Option<Interval>,
    /// Episodes played, failed ones included.
    pub n_episodes: usize,
    /// Agent's turns of an episode, mean over all; 0 without episodes.
    pub mean_turns: f64,
    /// Tokens sampled in an episode, mean over all; 0 without episodes.
    pub mean_tokens: f64,
    /// Episodes that ended early by an error.
    pub n_failed: usize,
    /// Episodes that ended well and could not be scored.
    pub n_unscorable: usize,
}

impl EvaluationSummary {
    /// Sums up `trajectories`. The intervals depend on `stream` and on the order of the trajectories,
    /// nothing else.
    ///
    /// # Errors
    /// Where the settings of `bootstrap` are invalid.
    pub fn of(
        trajectories: &[Trajectory],
        bootstrap: &Bootstrap,
        stream: &mut Stream,
    ) -> Result<EvaluationSummary, AlgoError> {
        let rewards: Vec<f64> =
            trajectories.iter().filter_map(Trajectory::reward).filter(|r| r.is_finite()).collect();
        let goals: Vec<f64> = trajectories.iter().filter_map(goal_reached).collect();
        let mut interval = |values: &[f64]| match values {
            [] => Ok(None),
            values => bootstrap.mean(values, stream).map(Some),
        };
        let reward = interval(&rewards)?;
        let goal = interval(&goals)?;
        let mut components = BTreeMap::new();
        for (name, values) in component_values(trajectories) {
            if let Some(found) = interval(&values)? {
                components.insert(name.to_owned(), found);
            }
        }
        let n_failed = trajectories.iter().filter(|t| t.error.is_some()).count();
        Ok(EvaluationSummary {
            reward,
            components,
            goal,
            n_episodes: trajectories.len(),
            mean_turns: mean_of(trajectories, |t| t.assistant_texts().count()),
            mean_tokens: mean_of(trajectories, |t| t.turns.iter().map(|turn| turn.n_tokens).sum()),
            n_failed,
            n_unscorable: trajectories.len() - n_failed - rewards.len(),
        })
    }
}

/// 1 or 0; `None` where the episode failed or its environment does not know.
pub(crate) fn goal_reached(trajectory: &Trajectory) -> Option<f64> {
    if trajectory.error.is_some() {
        return None;
    }
    let state = trajectory.final_state.as_ref()?;
    state
        .metadata
        .get(GOAL_REACHED)
        .and_then(Value::as_bool)
        .map(|reached| f64::from(u8::from(reached)))
}

/// Values of each component in the order of the trajectories; failed episodes have none.
fn component_values(trajectories: &[Trajectory]) -> BTreeMap<&str, Vec<f64>> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let judged = trajectories.iter().filter(|t| t.error.is_none());
    for component in judged.filter_map(|t| t.reward.as_ref()).flat_map(|r| &r.components) {
        if let Some(value) = component.score.value().filter(|value| value.is_finite()) {
            values.entry(&component.name).or_default().push(value);
        }
    }
    values
}

fn mean_of(trajectories: &[Trajectory], count: impl Fn(&Trajectory) -> usize) -> f64 {
    let total: usize = trajectories.iter().map(count).sum();
    total as f64 / trajectories.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stateset_core::{
        Border, ConversationTurn, EnvironmentState, Message, Purpose, RewardComponent,
        RewardResult, RolloutError, RunSeed, Score, StreamKey,
    };

    use super::*;

    fn episode(score: Score, goal: Option<bool>, n_tokens: usize) -> Trajectory {
        let mut state = EnvironmentState::new("e");
        if let Some(goal) = goal {
            state.metadata.insert(GOAL_REACHED.into(), json!(goal));
        }
        let says = |message| ConversationTurn { n_tokens, ..ConversationTurn::new(message) };
        Trajectory {
            turns: vec![
                ConversationTurn::new(Message::user("hello")),
                says(Message::assistant("hi")),
            ],
            reward: Some(RewardResult {
                components: vec![RewardComponent {
                    name: "tone".into(),
                    weight: 1.0,
                    score: score.clone(),
                }],
                total: score,
            }),
            final_state: Some(state),
            ..Trajectory::default()
        }
    }

    fn stream() -> Stream {
        RunSeed(7).stream(Purpose::Bootstrap, StreamKey::default())
    }

    #[test]
    fn counts_what_can_be_counted() {
        let mut failed = episode(Score::of(0.9), Some(true), 50);
        failed.error = Some(RolloutError::new(Border::Tool, "gone"));
        let trajectories = [
            episode(Score::of(1.0), Some(true), 10),
            episode(Score::of(0.0), Some(false), 20),
            episode(Score::of(0.5), None, 30),
            episode(Score::unscorable("no judge"), Some(true), 40),
            failed,
        ];
        let bootstrap = Bootstrap { n_resamples: 200, ..Bootstrap::default() };
        let summary = EvaluationSummary::of(&trajectories, &bootstrap, &mut stream()).unwrap();
        let reward = summary.reward.unwrap();
        assert_eq!(reward.estimate, 0.5);
        assert!(reward.low < 0.5 && reward.high > 0.5 && reward.low >= 0.0 && reward.high <= 1.0);
        assert_eq!(summary.components["tone"].estimate, 0.5);
        assert!((summary.goal.unwrap().estimate - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((summary.n_episodes, summary.n_failed, summary.n_unscorable), (5, 1, 1));
        assert_eq!((summary.mean_turns, summary.mean_tokens), (1.0, 30.0));

        let again = EvaluationSummary::of(&trajectories, &bootstrap, &mut stream()).unwrap();
        assert_eq!(again, summary);
    }

    #[test]
    fn nothing_played_is_nothing_known() {
        let summary = EvaluationSummary::of(&[], &Bootstrap::default(), &mut stream()).unwrap();
        assert_eq!(summary, EvaluationSummary::default());
    }
}
