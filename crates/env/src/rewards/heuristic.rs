//! What the rewards that look at wording have in common.
//!
//! Such a reward gives each turn of the agent credits, each for one thing that a reader would want and
//! with the words that earned it as evidence. Saying a thing twice earns nothing more: the documents'
//! rewards count matches, which pays for stuffing.
//!
//! The credits of a turn add up to at most 1 and are multiplied by the turn's soundness (unreadable,
//! repeated, echoed or cut-off turns 0; salad and endless turns little). Over a conversation there are two
//! ways, and each reward says which is its own: [`Over::Mean`], for what every turn should do; and
//! [`Over::Once`], for what a good conversation does somewhere: each credit is taken from the turn that
//! earns most of it, and the sum is multiplied by the share of sound turns. With the mean, a conversation
//! that asks first and solves afterwards would earn half for each.

use stateset_core::{Scenario, Score, Trajectory};

use super::agent_turns::{AgentTurn, agent_turns, nothing_said};

/// One thing that earns, or costs.
#[derive(Debug)]
pub(super) struct Credit {
    /// What for.
    pub(super) name: &'static str,
    /// How much; negative where it costs.
    pub(super) worth: f64,
    /// The words that earned it; may be empty.
    pub(super) evidence: String,
}

/// How the turns of a conversation become one value; see the rules above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The mean over the turns.
    Mean,
    /// Each credit once in a conversation.
    Once,
}

/// A reward that looks at the wording of single turns.
pub(super) trait Heuristic {
    /// How turns become one value.
    const OVER: Over;

    /// What the turn `turns[index]` earns, before its soundness is looked at.
    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, scenario: &Scenario) -> Vec<Credit>;

    /// How far a turn's wording can be trusted, from 0 to 1.
    fn soundness(&self, turn: &AgentTurn<'_>) -> f64 {
        turn.soundness()
    }

    /// Why this conversation cannot be scored, if so.
    fn obstacle(&self, _: &[AgentTurn<'_>], _: &Scenario) -> Option<String> {
        None
    }
}

/// `worth` for something that was found; nothing where it was not.
pub(super) fn credit(name: &'static str, worth: f64, evidence: Option<String>) -> Option<Credit> {
    evidence.map(|evidence| Credit { name, worth, evidence })
}

/// The same for something without words to show.
pub(super) fn credit_if(name: &'static str, worth: f64, is_earned: bool) -> Option<Credit> {
    credit(name, worth, is_earned.then(String::new))
}

/// The score of each turn.
pub(super) fn judge_turns(
    reward: &impl Heuristic,
    trajectory: &Trajectory,
    scenario: &Scenario,
) -> Vec<Score> {
    let turns = agent_turns(trajectory);
    if let Some(why) = reward.obstacle(&turns, scenario) {
        return turns.iter().map(|_| Score::unscorable(why.clone())).collect();
    }
    let judged = turns.iter().enumerate().map(|(index, turn)| {
        let credits = reward.credits(&turns, index, scenario);
        let soundness = reward.soundness(turn);
        Score::with_evidence(sum(&credits) * soundness, shown(&credits, soundness))
    });
    judged.collect()
}

/// The score of a whole conversation.
pub(super) fn judge(
    reward: &impl Heuristic,
    trajectory: &Trajectory,
    scenario: &Scenario,
) -> Score {
    let turns = agent_turns(trajectory);
    if turns.is_empty() {
        return nothing_said();
    }
    if let Some(why) = reward.obstacle(&turns, scenario) {
        return Score::unscorable(why);
    }
    let mut evidence = String::new();
    let mut total = Total::new();
    for (index, turn) in turns.iter().enumerate() {
        let credits = reward.credits(&turns, index, scenario);
        let soundness = reward.soundness(turn);
        if index > 0 {
            evidence.push_str("; ");
        }
        evidence.push_str("turn ");
        evidence.push_str(&(index + 1).to_string());
        evidence.push_str(": ");
        evidence.push_str(&shown(&credits, soundness));
        total.add(&credits, soundness);
    }
    Score::with_evidence(total.value(reward_over(reward), turns.len()), evidence)
}

fn reward_over<H: Heuristic>(_: &H) -> Over {
    H::OVER
}

/// Sums over turns, for both ways.
struct Total {
    mean: f64,
    n_sound: usize,
    best: Vec<(&'static str, f64)>,
}

impl Total {
    fn new() -> Total {
        Total { mean: 0.0, n_sound: 0, best: Vec::new() }
    }

    fn add(&mut self, credits: &[Credit], soundness: f64) {
        self.mean += sum(credits) * soundness;
        self.n_sound += usize::from(soundness > 0.0);
        for credit in credits {
            let worth = credit.worth * if credit.worth > 0.0 { soundness } else { 1.0 };
            match self.best.iter_mut().find(|(name, _)| *name == credit.name) {
                // What costs is remembered where it cost most.
                Some((_, best)) if worth < 0.0 => *best = best.min(worth),
                Some((_, best)) => *best = best.max(worth),
                None => self.best.push((credit.name, worth)),
            }
        }
    }

    fn value(&self, over: Over, n_turns: usize) -> f64 {
        match over {
            Over::Mean => self.mean / n_turns as f64,
            Over::Once => {
                let sum = self.best.iter().fold(0.0, |sum: f64, (_, worth)| sum + worth);
                sum.clamp(0.0, 1.0) * self.n_sound as f64 / n_turns as f64
            }
        }
    }
}

fn sum(credits: &[Credit]) -> f64 {
    // A fold from 0, because the sum of nothing is -0.
    credits.iter().fold(0.0, |sum: f64, credit| sum + credit.worth).clamp(0.0, 1.0)
}

/// `question 0.30, greeting "hello" 0.20, soundness 0.70`.
fn shown(credits: &[Credit], soundness: f64) -> String {
    let mut text = String::new();
    for credit in credits {
        text.push_str(credit.name);
        if !credit.evidence.is_empty() {
            text.push_str(" \"");
            text.push_str(&credit.evidence);
            text.push('"');
        }
        text.push(' ');
        push_two_places(&mut text, credit.worth);
        text.push_str(", ");
    }
    if credits.is_empty() {
        text.push_str("nothing, ");
    }
    text.push_str("soundness ");
    push_two_places(&mut text, soundness);
    text
}

/// `value` with two places, without the machinery of formatting: this runs for every credit of every
/// reply.
fn push_two_places(text: &mut String, value: f64) {
    let hundredths = (value.abs() * 100.0).round() as u64;
    if value < 0.0 {
        text.push('-');
    }
    text.push_str(&(hundredths / 100).to_string());
    text.push('.');
    for digit in [hundredths / 10 % 10, hundredths % 10] {
        text.push(char::from(b'0' + digit as u8));
    }
}

/// What every such reward has under its own name: its share in a composite, its score of a conversation
/// and of each turn, and its place among rewards.
macro_rules! heuristic_reward {
    ($reward:ty, $name:literal) => {
        impl $reward {
            /// This reward, with its defaults, as a part of a composite.
            pub fn weighted(weight: f64) -> $crate::rewards::WeightedReward {
                $crate::rewards::WeightedReward::new(weight, <$reward>::default())
            }

            /// The score of a conversation, from 0 to 1.
            pub fn judge(
                &self,
                trajectory: &stateset_core::Trajectory,
                scenario: &stateset_core::Scenario,
            ) -> stateset_core::Score {
                $crate::rewards::heuristic::judge(self, trajectory, scenario)
            }

            /// The score of each turn of the agent that says something, in order.
            pub fn judge_turns(
                &self,
                trajectory: &stateset_core::Trajectory,
                scenario: &stateset_core::Scenario,
            ) -> Vec<stateset_core::Score> {
                $crate::rewards::heuristic::judge_turns(self, trajectory, scenario)
            }
        }

        #[async_trait::async_trait]
        impl stateset_core::Reward for $reward {
            fn name(&self) -> &str {
                $name
            }

            async fn score(
                &self,
                trajectory: &stateset_core::Trajectory,
                context: stateset_core::RewardContext<'_>,
            ) -> stateset_core::RewardResult {
                stateset_core::RewardResult::single(self.judge(trajectory, context.scenario))
            }
        }
    };
}

pub(super) use heuristic_reward;

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    /// Pays 0.6 for "yes" and 0.4 for "no", takes 0.5 for "oh".
    struct YesAndNo<const ONCE: bool>;

    fn credits(turn: &AgentTurn<'_>) -> Vec<Credit> {
        let said = |word: &str| turn.words.iter().any(|said| said == word);
        [("yes", 0.6), ("no", 0.4), ("oh", -0.5)]
            .into_iter()
            .filter_map(|(word, worth)| credit_if(word, worth, said(word)))
            .collect()
    }

    impl Heuristic for YesAndNo<true> {
        const OVER: Over = Over::Once;
        fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
            credits(&turns[index])
        }
    }

    impl Heuristic for YesAndNo<false> {
        const OVER: Over = Over::Mean;
        fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
            credits(&turns[index])
        }
    }

    #[test]
    fn mean_and_once() {
        let scenario = Scenario::default();
        let both = |lines: &[&str]| {
            let chat = chat(lines);
            let once = value(&judge(&YesAndNo::<true>, &chat, &scenario));
            (once, value(&judge(&YesAndNo::<false>, &chat, &scenario)))
        };
        assert_eq!(both(&["?", "Yes."]), (0.6, 0.6));
        assert_eq!(both(&["?", "Yes.", "?", "No."]), (1.0, 0.5));
        assert_eq!(both(&["?", "Yes, no.", "?", ""]), (0.5, 0.5), "an empty turn dilutes");
        assert_eq!(both(&["?", "Yes, no, oh.", "?", "Is it?"]), (0.5, 0.25));
        assert!(both(&["?"]).0.is_nan());
    }

    #[test]
    fn evidence_names_turn_words_and_worth() {
        let score =
            judge(&YesAndNo::<true>, &chat(&["?", "Oh yes!", "?", "Hm."]), &Scenario::default());
        let Score::Scored { evidence, .. } = score else { panic!("{score:?}") };
        assert_eq!(
            evidence,
            "turn 1: yes 0.60, oh -0.50, soundness 1.00; turn 2: nothing, soundness 1.00"
        );
        let turns = judge_turns(
            &YesAndNo::<true>,
            &chat(&["?", "Oh yes!", "?", "Hm."]),
            &Scenario::default(),
        );
        let values: Vec<f64> = turns.iter().map(value).collect();
        assert!((values[0] - 0.1).abs() < 1e-12 && values[1] == 0.0, "{values:?}");
    }
}
