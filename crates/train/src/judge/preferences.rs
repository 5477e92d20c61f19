//! Preferences from judged groups, for methods that learn from pairs.
//!
//! Two samples of a scenario become a pair where the better one's reward is above the worse one's by
//! more than a margin. The prompt is what both conversations begin with; from there each goes its own
//! way. Samples without a reward take no part: a failed judge prefers nobody.

use serde::Serialize;
use stateset_core::{Message, MessageRecord, Role, Trajectory, TrajectoryGroup};
use stateset_env::judging::common_prefix;

/// Two ways in which a conversation went on, of which one is preferred.
#[derive(Clone, Debug, PartialEq)]
pub struct PreferencePair {
    /// What both begin with.
    pub prompt: Vec<Message>,
    /// How the better one goes on.
    pub chosen: Vec<Message>,
    /// How the worse one goes on.
    pub rejected: Vec<Message>,
    /// Reward of the chosen minus that of the rejected one; above 0.
    pub margin: f64,
}

/// Which samples of a group become pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreferenceSelection {
    /// The best with the worst only; every two otherwise.
    pub only_extremes: bool,
    /// Pairs must differ by more than this in reward; at least 0.
    pub min_margin: f64,
}

impl Default for PreferenceSelection {
    fn default() -> Self {
        PreferenceSelection { only_extremes: true, min_margin: 0.0 }
    }
}

/// A pair as a line of JSON.
#[derive(Serialize)]
pub(super) struct Line {
    prompt: Vec<MessageRecord>,
    chosen: Vec<MessageRecord>,
    rejected: Vec<MessageRecord>,
    margin: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Origin>,
}

/// Where a pair comes from.
#[derive(Serialize)]
struct Origin {
    step: u32,
}

/// A pair as a line, with the step of the run that played it.
pub(super) fn row(pair: &PreferencePair, step: Option<u32>) -> Line {
    let records = |messages: &[Message]| messages.iter().map(MessageRecord::from).collect();
    Line {
        prompt: records(&pair.prompt),
        chosen: records(&pair.chosen),
        rejected: records(&pair.rejected),
        margin: pair.margin,
        metadata: step.map(|step| Origin { step }),
    }
}

/// The pairs of all groups, in order. `system_prompt` is what the agent was told, which trajectories
/// do not hold; it begins every prompt.
pub fn preference_pairs(
    groups: &[TrajectoryGroup],
    selection: PreferenceSelection,
    system_prompt: Option<&str>,
) -> Vec<PreferencePair> {
    let mut pairs = Vec::new();
    for group in groups {
        let mut scored: Vec<(f64, &Trajectory)> =
            group.trajectories.iter().filter_map(|t| Some((t.reward()?, t))).collect();
        // Best first; equal ones stay in the order of their samples.
        scored.sort_by(|one, two| two.0.total_cmp(&one.0));
        let n = scored.len();
        for better in 0..n {
            for worse in better + 1..n {
                let is_extreme = better == 0 && worse == n - 1;
                let margin = scored[better].0 - scored[worse].0;
                if (selection.only_extremes && !is_extreme) || margin <= selection.min_margin {
                    continue;
                }
                let made = pair(scored[better].1, scored[worse].1, margin, system_prompt);
                pairs.extend(made);
            }
        }
    }
    pairs
}

/// One JSON object in each line: `{"prompt": [..], "chosen": [..], "rejected": [..], "margin": x}`,
/// with messages in OpenAI's layout.
///
/// # Errors
/// Where a margin is not finite, which JSON cannot hold.
pub fn preferences_to_jsonl(pairs: &[PreferencePair]) -> Result<String, serde_json::Error> {
    let mut lines = String::new();
    for pair in pairs {
        lines.push_str(&serde_json::to_string(&row(pair, None))?);
        lines.push('\n');
    }
    Ok(lines)
}

fn pair(
    better: &Trajectory,
    worse: &Trajectory,
    margin: f64,
    system_prompt: Option<&str>,
) -> Option<PreferencePair> {
    let said = |t: &Trajectory| -> Vec<Message> {
        t.turns.iter().map(|turn| turn.message.clone()).collect()
    };
    let (better, worse) = (said(better), said(worse));
    let n_common = common_prefix(&[better.iter().collect(), worse.iter().collect()]);
    let (chosen, rejected) = (better[n_common..].to_vec(), worse[n_common..].to_vec());
    let answers = |messages: &[Message]| messages.iter().any(|m| m.role == Role::Assistant);
    if !answers(&chosen) || !answers(&rejected) {
        // Nothing that the agent said tells the two apart.
        return None;
    }
    let mut prompt: Vec<Message> = system_prompt.map(Message::system).into_iter().collect();
    prompt.extend_from_slice(&better[..n_common]);
    Some(PreferencePair { prompt, chosen, rejected, margin })
}

#[cfg(test)]
mod tests {
    use super::super::samples::testing::answered;
    use super::*;
    use stateset_core::{RewardResult, Score};

    fn group(samples: &[(&str, Option<f64>)]) -> TrajectoryGroup {
        let judged = |(answer, reward): &(&str, Option<f64>)| {
            let score = reward.map_or(Score::unscorable("babble"), Score::of);
            Trajectory { reward: Some(RewardResult::single(score)), ..answered(answer) }
        };
        let trajectories = samples.iter().map(judged).collect();
        TrajectoryGroup { scenario_id: "s".into(), trajectories }
    }

    fn shown(pairs: &[PreferencePair]) -> Vec<(&str, &str)> {
        pairs
            .iter()
            .map(|p| (p.chosen[0].content.as_str(), p.rejected[0].content.as_str()))
            .collect()
    }

    #[test]
    fn the_best_is_preferred_to_the_worst() {
        let groups = [group(&[("a", Some(0.2)), ("b", Some(0.9)), ("x", None), ("c", Some(0.5))])];
        let selection = PreferenceSelection::default();
        let pairs = preference_pairs(&groups, selection, Some("Be kind."));
        assert_eq!(shown(&pairs), [("b", "a")]);
        assert!((pairs[0].margin - 0.7).abs() < 1e-12);
        assert_eq!(pairs[0].prompt, [Message::system("Be kind."), Message::user("Hi.")]);
        let all = PreferenceSelection { only_extremes: false, min_margin: 0.35 };
        assert_eq!(shown(&preference_pairs(&groups, all, None)), [("b", "c"), ("b", "a")]);
    }

    #[test]
    fn who_does_not_differ_is_no_pair() {
        let all = PreferenceSelection { only_extremes: false, min_margin: 0.0 };
        for samples in [
            vec![("a", Some(0.5)), ("b", Some(0.5))],
            vec![("a", Some(0.5)), ("a", Some(0.9))],
            vec![("a", Some(0.5)), ("b", None)],
            vec![("a", Some(0.5))],
            vec![],
        ] {
            assert_eq!(preference_pairs(&[group(&samples)], all, None), [], "{samples:?}");
        }
    }

    #[test]
    fn lines_are_json() {
        let groups = [group(&[("a \"b\"\n", Some(0.25)), ("b", Some(0.75))])];
        let pairs = preference_pairs(&groups, PreferenceSelection::default(), None);
        let lines = preferences_to_jsonl(&pairs).unwrap();
        assert_eq!(
            lines,
            "{\"prompt\":[{\"role\":\"user\",\"content\":\"Hi.\"}],\
             \"chosen\":[{\"role\":\"assistant\",\"content\":\"b\"}],\
             \"rejected\":[{\"role\":\"assistant\",\"content\":\"a \\\"b\\\"\\n\"}],\"margin\":0.5}\n"
        );
    }
}
