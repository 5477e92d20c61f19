//! The samples of a group as texts for a judge: what they have in common once, and each different
//! rest once. Last words of the user, which no agent answered, belong to a conversation: how the user
//! leaves says much about how they were served.

use stateset_core::{Message, Role, Scenario, Trajectory};
use stateset_env::conversation::CLOSING_WORDS;
use stateset_env::judging::{common_prefix, dialogue, scene};

/// A group as a judge sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Samples {
    /// What is known of the scenario, and what all samples begin with.
    pub(super) context: String,
    /// The different continuations.
    pub(super) texts: Vec<String>,
    /// Index into `texts` for each sample.
    pub(super) of: Vec<usize>,
}

impl Samples {
    /// The texts of `group`.
    pub(super) fn new(group: &[&Trajectory], scenario: &Scenario) -> Samples {
        let all: Vec<Vec<Message>> = group.iter().copied().map(said).collect();
        let all: Vec<Vec<&Message>> =
            all.iter().map(|messages| messages.iter().collect()).collect();
        let mut whole: Vec<String> = Vec::new();
        let mut first_of: Vec<usize> = Vec::new();
        let mut of = Vec::with_capacity(all.len());
        for (sample, messages) in all.iter().enumerate() {
            let text = dialogue(messages.iter().copied());
            let known = whole.iter().position(|other| *other == text);
            of.push(known.unwrap_or(whole.len()));
            if known.is_none() {
                whole.push(text);
                first_of.push(sample);
            }
        }
        // Alone, a conversation has everything in common with itself; its answers are judged all the same.
        let n_common = match first_of.as_slice() {
            [only] => first_reply(&all[*only]),
            _ => common_prefix(&all),
        };
        let common = all.first().map_or(&[][..], |messages| &messages[..n_common]);
        let rest = |sample: &usize| dialogue(all[*sample][n_common..].iter().copied());
        Samples {
            context: scene(scenario, common.iter().copied()),
            texts: first_of.iter().map(rest).collect(),
            of,
        }
    }
}

fn said(trajectory: &Trajectory) -> Vec<Message> {
    let state = trajectory.final_state.as_ref();
    let last_words = state.and_then(|state| state.metadata.get(CLOSING_WORDS)?.as_str());
    let turns = trajectory.turns.iter().map(|turn| turn.message.clone());
    turns.chain(last_words.map(Message::user)).collect()
}

fn first_reply(messages: &[&Message]) -> usize {
    messages.iter().position(|m| m.role == Role::Assistant).unwrap_or(messages.len())
}

/// Conversations for the tests of this folder.
#[cfg(test)]
pub(super) mod testing {
    use stateset_core::{ConversationTurn, Message, Trajectory};

    /// "Hi." and one answer.
    pub(crate) fn answered(answer: &str) -> Trajectory {
        let said = [Message::user("Hi."), Message::assistant(answer)];
        let turns = said.into_iter().map(ConversationTurn::new).collect();
        Trajectory { turns, ..Trajectory::default() }
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::EnvironmentState;

    use super::testing::answered;
    use super::*;

    #[test]
    fn what_is_common_stands_once() {
        let group = ["a", "b", "a"].map(answered);
        let group: Vec<&Trajectory> = group.iter().collect();
        let scenario = Scenario {
            context: "A greeting.".into(),
            system_prompt: Some("Be kind.".into()),
            ..Scenario::new("s")
        };
        let samples = Samples::new(&group, &scenario);
        assert_eq!(
            samples.context,
            "Background: A greeting.\n> Instructions: Be kind.\n> User: Hi."
        );
        assert_eq!(samples.texts, ["> Agent: a", "> Agent: b"]);
        assert_eq!(samples.of, [0, 1, 0]);
    }

    #[test]
    fn last_words_are_shown() {
        let mut state = EnvironmentState::new("e");
        state.metadata.insert(CLOSING_WORDS.to_owned(), "Thanks!".into());
        let ended = Trajectory { final_state: Some(state), ..answered("a") };
        let samples = Samples::new(&[&ended], &Scenario::new("s"));
        assert_eq!(samples.texts, ["> Agent: a\n> User: Thanks!"]);
    }

    #[test]
    fn equal_conversations_are_shown_from_their_first_reply() {
        let group = ["a", "a"].map(answered);
        let group: Vec<&Trajectory> = group.iter().collect();
        let samples = Samples::new(&group, &Scenario::new("s"));
        assert_eq!((samples.context.as_str(), samples.texts.len()), ("> User: Hi.", 1));
        assert_eq!(samples.texts[0], "> Agent: a");
        let nobody = Samples::new(&[], &Scenario::new("s"));
        assert!(nobody.texts.is_empty() && nobody.of.is_empty());
    }
}
