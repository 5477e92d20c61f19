//! The samples of a group as texts for a judge: what they have in common once, and each different
//! rest once.

use stateset_core::{Message, Role, Scenario, Trajectory};
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
        let all: Vec<Vec<&Message>> = group.iter().copied().map(said).collect();
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

fn said(trajectory: &Trajectory) -> Vec<&Message> {
    trajectory.turns.iter().map(|turn| &turn.message).collect()
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
