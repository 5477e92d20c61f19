//! The agent's turns as rewards look at them.

use stateset_core::{FinishReason, Role, Score, Trajectory};

use crate::text::{Disfluency, disfluency, is_parrot, is_repeat, words};

/// One turn of the agent that says something, or should.
pub(super) struct AgentTurn<'a> {
    /// What it says.
    pub(super) text: &'a str,
    /// Its words.
    pub(super) words: Vec<String>,
    /// The words of everything the user had said before.
    pub(super) user_words: Vec<String>,
    /// Why nobody can read it, if so.
    pub(super) disfluency: Option<Disfluency>,
    /// True where it repeats an earlier turn or the user's last one.
    pub(super) is_repeated: bool,
    /// True where it was cut off at the token limit.
    pub(super) is_cut_off: bool,
}

impl AgentTurn<'_> {
    /// True for readable text that is new in its conversation; nothing else earns anything for its
    /// wording.
    pub(super) fn is_sound(&self) -> bool {
        self.disfluency.is_none() && !self.is_repeated
    }
}

/// The agent's turns, without those that only call tools.
pub(super) fn agent_turns(trajectory: &Trajectory) -> Vec<AgentTurn<'_>> {
    let mut turns: Vec<AgentTurn<'_>> = Vec::new();
    let mut user_words: Vec<String> = Vec::new();
    let mut last_user: Vec<String> = Vec::new();
    for turn in &trajectory.turns {
        let text = turn.message.content.as_str();
        match turn.message.role {
            Role::User => {
                last_user = words(text);
                user_words.extend_from_slice(&last_user);
            }
            Role::Assistant if text.trim().is_empty() && !turn.message.tool_calls.is_empty() => {}
            Role::Assistant => {
                let words = words(text);
                let is_repeated = is_parrot(&words, &last_user)
                    || turns.iter().any(|earlier| is_repeat(&words, &earlier.words));
                turns.push(AgentTurn {
                    text,
                    disfluency: disfluency(&words),
                    words,
                    user_words: user_words.clone(),
                    is_repeated,
                    is_cut_off: turn.finish == Some(FinishReason::Length),
                });
            }
            Role::System | Role::Tool => {}
        }
    }
    turns
}

/// What is said of a conversation in which the agent said nothing.
pub(super) fn nothing_said() -> Score {
    Score::unscorable("the conversation has no assistant turn")
}

/// The mean of what `worth` gives each turn; unscorable where there is none.
pub(super) fn mean_over_turns(
    trajectory: &Trajectory,
    worth: impl Fn(&AgentTurn<'_>) -> f64,
) -> Score {
    let worths: Vec<f64> = agent_turns(trajectory).iter().map(worth).collect();
    if worths.is_empty() {
        return nothing_said();
    }
    let shown: Vec<String> = worths.iter().map(|worth| format!("{worth:.2}")).collect();
    let mean = worths.iter().sum::<f64>() / worths.len() as f64;
    Score::with_evidence(mean, format!("turns: {}", shown.join(", ")))
}

/// Conversations for the tests of the single rewards.
#[cfg(test)]
pub(super) mod testing {
    use stateset_core::{ConversationTurn, Message, RewardContext, Scenario, Score, Trajectory};

    /// A conversation in which user and agent take turns, the user first.
    pub(crate) fn chat(lines: &[&str]) -> Trajectory {
        let message = |(index, line): (usize, &&str)| {
            let message =
                if index % 2 == 0 { Message::user(*line) } else { Message::assistant(*line) };
            ConversationTurn::new(message)
        };
        let turns = lines.iter().enumerate().map(message).collect();
        Trajectory { turns, ..Trajectory::default() }
    }

    /// The value of a score, or NaN.
    pub(crate) fn value(score: &Score) -> f64 {
        score.value().unwrap_or(f64::NAN)
    }

    /// Runs `judge` with a context of `scenario`.
    pub(crate) fn with_scenario<T>(
        scenario: &Scenario,
        judge: impl FnOnce(RewardContext<'_>) -> T,
    ) -> T {
        judge(RewardContext { scenario })
    }
}
