//! The agent's turns as rewards look at them.

use std::cell::OnceCell;
use std::sync::Arc;

use stateset_core::{FinishReason, Role, Score, Trajectory};

use crate::text::{
    asks, disfluency, is_function_word, is_parrot, is_repeat, share_of_bad_joins, words,
    words_in_clauses,
};

/// Turns of more words than this lose soundness: nobody reads on.
const MOST_WORDS: f64 = 250.0;
/// What a bad join in every tenth word leaves of a turn's soundness is 1 less a tenth of this.
const COST_OF_BAD_JOINS: f64 = 6.0;

/// One turn of the agent that says something, or should.
pub(super) struct AgentTurn<'a> {
    /// What it says.
    pub(super) text: &'a str,
    /// What it thinks before it speaks, where the model's format keeps that apart.
    pub(super) reasoning: Option<&'a str>,
    /// Its words.
    pub(super) words: Vec<String>,
    /// For each word, whether a clause begins with it.
    pub(super) starts: Vec<bool>,
    /// What the user said last.
    pub(super) last_user: &'a str,
    /// The words of everything the user had said before.
    pub(super) user_words: Arc<Vec<String>>,
    /// True where it repeats an earlier turn or the user's last one.
    pub(super) is_repeated: bool,
    /// True where it was cut off at the token limit.
    pub(super) is_cut_off: bool,
    /// Whether somebody can read it, once that was asked.
    is_fluent: OnceCell<bool>,
}

impl AgentTurn<'_> {
    /// True for readable text that is new in its conversation; nothing else earns anything for its
    /// wording.
    pub(super) fn is_sound(&self) -> bool {
        !self.is_repeated && *self.is_fluent.get_or_init(|| disfluency(&self.words).is_none())
    }

    /// How far its wording can be trusted to mean something, from 0 to 1. 0 for what is not sound or was
    /// cut off; less than 1 where words stand together that English does not put together, and for turns
    /// of endless length.
    pub(super) fn soundness(&self) -> f64 {
        if !self.is_sound() || self.is_cut_off {
            return 0.0;
        }
        let length = (MOST_WORDS / self.text.len().div_ceil(6).max(1) as f64).min(1.0);
        self.english() * length
    }

    /// 1 where English puts its words together so, down to 0.
    pub(super) fn english(&self) -> f64 {
        (1.0 - COST_OF_BAD_JOINS * share_of_bad_joins(&self.words, &self.starts)).max(0.0)
    }

    /// True where some sentence of three words or more ends in a question mark.
    pub(super) fn asks(&self) -> bool {
        asks(self.text, 3)
    }

    /// The first of its content words that the user has used; words count as the same from five letters
    /// on.
    pub(super) fn shared_word(&self) -> Option<&str> {
        let users: Vec<&str> =
            self.user_words.iter().filter(|word| is_content(word)).map(|word| stem(word)).collect();
        let mut own = self.words.iter().filter(|word| is_content(word));
        own.find(|word| users.contains(&stem(word))).map(String::as_str)
    }
}

fn is_content(word: &str) -> bool {
    word.chars().nth(2).is_some() && !is_function_word(word)
}

fn stem(word: &str) -> &str {
    const LETTERS: usize = 5;
    word.char_indices().nth(LETTERS).map_or(word, |(end, _)| &word[..end])
}

/// The agent's turns, without those that only call tools.
pub(super) fn agent_turns(trajectory: &Trajectory) -> Vec<AgentTurn<'_>> {
    let mut turns: Vec<AgentTurn<'_>> = Vec::new();
    let mut user_words: Arc<Vec<String>> = Arc::default();
    let mut last_user = 0;
    let mut last_said = "";
    for turn in &trajectory.turns {
        let text = turn.message.content.as_str();
        match turn.message.role {
            Role::User => {
                last_user = user_words.len();
                last_said = text;
                Arc::make_mut(&mut user_words).append(&mut words(text));
            }
            Role::Assistant if text.trim().is_empty() && !turn.message.tool_calls.is_empty() => {}
            Role::Assistant => {
                let (words, starts) = words_in_clauses(text);
                let is_repeated = is_parrot(&words, &user_words[last_user..])
                    || turns.iter().any(|earlier| is_repeat(&words, &earlier.words));
                turns.push(AgentTurn {
                    text,
                    reasoning: turn.message.reasoning.as_deref(),
                    starts,
                    last_user: last_said,
                    words,
                    user_words: Arc::clone(&user_words),
                    is_repeated,
                    is_cut_off: turn.finish == Some(FinishReason::Length),
                    is_fluent: OnceCell::new(),
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
