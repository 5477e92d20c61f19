//! One conversation as the page shows it.

use serde::Serialize;
use serde_json::Value;
use stateset_core::{EpisodeStatus, Message, Role, Score, Trajectory};

use super::choice::{Choice, Pair, Reason};
use crate::events::goal_reached;
use crate::format::{count, score};

/// Characters of a message that are shown.
const MAX_CHARS: usize = 4_000;
/// Turns of a conversation that are shown.
const MAX_TURNS: usize = 80;

/// A scenario with its conversations side by side.
#[derive(Debug, Serialize)]
pub(super) struct DialogueView {
    scenario: String,
    reason: &'static str,
    /// `gain`, `loss` or `lot`.
    class: &'static str,
    /// Reward before and after, in words.
    change: String,
    /// Whether the page shows it unfolded.
    is_open: bool,
    before: Option<SideView>,
    after: Option<SideView>,
}

/// One of the two conversations.
#[derive(Debug, Serialize)]
struct SideView {
    reward: String,
    /// Evidence, or why there is no reward.
    note: String,
    components: Vec<ComponentView>,
    /// How it ended.
    ending: String,
    turns: Vec<TurnView>,
    /// How much is left out, in a sentence; empty where nothing is.
    left_out: String,
}

#[derive(Debug, Serialize)]
struct ComponentView {
    name: String,
    value: String,
    weight: String,
    note: String,
}

#[derive(Debug, Serialize)]
struct TurnView {
    /// `system`, `user`, `assistant` or `tool`.
    class: &'static str,
    speaker: String,
    text: String,
    reasoning: String,
    calls: Vec<String>,
    /// Reward of this turn alone.
    reward: Option<String>,
}

/// The chosen conversations for the page. The first is unfolded.
pub(super) fn dialogues(choice: &Choice<'_>) -> Vec<DialogueView> {
    let view = |(index, (reason, pair)): (usize, &(Reason, Pair<'_>))| DialogueView {
        scenario: pair.any().map(|found| found.scenario_id.clone()).unwrap_or_default(),
        reason: reason.text(),
        class: match reason {
            Reason::Gain => "gain",
            Reason::Loss => "loss",
            Reason::Lot => "lot",
        },
        change: change(pair),
        is_open: index == 0,
        before: pair.before.map(side),
        after: pair.after.map(side),
    };
    choice.shown.iter().enumerate().map(view).collect()
}

fn change(pair: &Pair<'_>) -> String {
    let reward = |trajectory: Option<&Trajectory>| {
        trajectory.and_then(Trajectory::reward).map_or("none".to_owned(), score)
    };
    match (pair.before, pair.after) {
        (Some(_), Some(_)) => format!("{} → {}", reward(pair.before), reward(pair.after)),
        (Some(_), None) => reward(pair.before),
        (None, _) => reward(pair.after),
    }
}

fn side(trajectory: &Trajectory) -> SideView {
    let result = trajectory.reward.as_ref();
    let total = result.map(|result| &result.total);
    let components = result.map(|result| result.components.as_slice()).unwrap_or_default();
    let component = |part: &stateset_core::RewardComponent| ComponentView {
        name: part.name.clone(),
        value: score_text(&part.score),
        weight: part.weight.to_string(),
        note: shortened(score_note(&part.score)),
    };
    let n_turns = trajectory.turns.len();
    let left_out = n_turns.saturating_sub(MAX_TURNS);
    SideView {
        reward: match total {
            Some(total) if trajectory.error.is_none() => score_text(total),
            _ => "no reward".to_owned(),
        },
        note: shortened(total.map(score_note).unwrap_or_default()),
        components: components.iter().map(component).collect(),
        ending: shortened(&ending(trajectory)),
        turns: trajectory.turns.iter().take(MAX_TURNS).map(turn).collect(),
        left_out: match left_out {
            0 => String::new(),
            n => format!("{} more messages are not shown.", count(n as u64)),
        },
    }
}

fn turn(turn: &stateset_core::ConversationTurn) -> TurnView {
    let message = &turn.message;
    TurnView {
        class: message.role.as_str(),
        speaker: speaker(message),
        text: shortened(&message.content),
        reasoning: shortened(message.reasoning.as_deref().unwrap_or_default()),
        calls: message.tool_calls.iter().map(|call| shortened(&call_text(call))).collect(),
        reward: turn.reward.map(score),
    }
}

fn speaker(message: &Message) -> String {
    let role = match message.role {
        Role::System => "Instructions",
        Role::User => "User",
        Role::Assistant => "Agent",
        Role::Tool => "Tool",
    };
    match &message.name {
        Some(name) => format!("{role} {name}"),
        None => role.to_owned(),
    }
}

fn call_text(call: &stateset_core::ToolCall) -> String {
    let arguments = match &call.arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("{}({arguments})", call.name)
}

fn ending(trajectory: &Trajectory) -> String {
    if let Some(error) = &trajectory.error {
        return format!("ended by an error of the {}: {}", error.border, error.message);
    }
    let mut parts = Vec::new();
    if let Some(state) = &trajectory.final_state {
        match goal_reached(trajectory) {
            Some(reached) if reached > 0.0 => parts.push("goal reached"),
            Some(_) => parts.push("goal not reached"),
            None => {}
        }
        match state.status {
            EpisodeStatus::Timeout => parts.push("out of turns"),
            EpisodeStatus::Failed => parts.push("ended badly"),
            EpisodeStatus::Ongoing | EpisodeStatus::Completed => {}
        }
    }
    if trajectory.is_truncated() {
        parts.push("a reply was cut at the token limit");
    }
    parts.join(", ")
}

fn score_text(found: &Score) -> String {
    found.value().map_or("not scored".to_owned(), score)
}

fn score_note(found: &Score) -> &str {
    match found {
        Score::Scored { evidence, .. } => evidence,
        Score::Unscorable { why } => why,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => {
            let n_more = text[end..].chars().count() as u64;
            format!("{} […{} characters more]", &text[..end], count(n_more))
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{Border, ConversationTurn, RewardResult, RolloutError};

    use super::*;

    #[test]
    fn long_texts_and_conversations_are_cut_and_say_so() {
        let long = "é".repeat(MAX_CHARS + 7);
        assert!(shortened(&long).ends_with("é […7 characters more]"));
        let turns = vec![ConversationTurn::new(Message::user("x")); MAX_TURNS + 3];
        let view = side(&Trajectory { turns, ..Trajectory::default() });
        assert_eq!(view.turns.len(), MAX_TURNS);
        assert_eq!(view.left_out, "3 more messages are not shown.");
    }

    #[test]
    fn a_failed_conversation_has_no_reward_and_says_why() {
        let view = side(&Trajectory {
            reward: Some(RewardResult::single(Score::of(1.0))),
            error: Some(RolloutError::new(Border::Tool, "gone")),
            ..Trajectory::default()
        });
        assert_eq!(view.reward, "no reward");
        assert_eq!(view.ending, "ended by an error of the tool: gone");
    }
}
