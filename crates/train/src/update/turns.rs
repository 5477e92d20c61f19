//! The agent's turns as an algorithm sees them: what each earned, which state it met, and which sampled
//! tokens are its own.
//!
//! A trajectory keeps the last state of its environment only, so a state has the name of the
//! conversation that led to it: everything that others said (user, tools, instructions), in order, with
//! a mark where the agent spoke and without its wording. Two samples that were told the same are in the
//! same state, however the agent put it; this is the observation that GiGPO (arXiv 2505.10978, section
//! 3.3) anchors its groups at. A world that remembers more than it says is seen through what it says.

use stateset_algo::TurnData;
use stateset_core::{ConversationTurn, Role, Trajectory};

/// The agent's turns of `trajectory`, in order, and for each sampled span over all segments of its
/// trace the index of its turn.
///
/// A reward that the environment gave on an answer to a turn, such as a tool's result, belongs to that
/// turn. Messages of the agent that opened the conversation were not its turns. A tool's result counts
/// for `after_tool` once the agent has had a turn; one in the opening is a part of the prompt.
pub(super) fn turns_of(trajectory: &Trajectory) -> (Vec<TurnData>, Vec<u32>) {
    let mut state = StateName::default();
    let mut turns: Vec<TurnData> = Vec::new();
    let mut spans = Vec::new();
    let mut after_tool = false;
    for said in &trajectory.turns {
        if is_own(said) {
            if said.n_tokens > 0 {
                spans.push(turns.len() as u32);
            }
            turns.push(TurnData { reward: None, state: Some(state.name()), after_tool });
        } else {
            after_tool |= said.message.role == Role::Tool && !turns.is_empty();
        }
        if let (Some(reward), Some(turn)) = (said.reward, turns.last_mut()) {
            turn.reward = Some(turn.reward.unwrap_or(0.0) + reward);
        }
        state.read(said);
    }
    let n_spans: usize =
        trajectory.trace.segments().iter().map(|s| s.sampled_spans().count()).sum();
    if spans.len() != n_spans {
        // Text and tokens do not tell the same story, as in traces made elsewhere: a span is a turn.
        turns.resize_with(n_spans.max(turns.len()), TurnData::default);
        spans = (0..n_spans as u32).collect();
    }
    (turns, spans)
}

/// A reply that was asked for, and not one that the conversation opened with.
fn is_own(said: &ConversationTurn) -> bool {
    said.message.role == Role::Assistant && said.finish.is_some()
}

/// FNV-1a over what was said (64 bits; Fowler, Noll and Vo), the same on every machine.
struct StateName(u64);

impl Default for StateName {
    fn default() -> Self {
        StateName(0xcbf2_9ce4_8422_2325)
    }
}

impl StateName {
    fn name(&self) -> u64 {
        self.0
    }

    fn read(&mut self, said: &ConversationTurn) {
        if is_own(said) {
            return self.bytes(b"\x01");
        }
        self.bytes(said.message.role.as_str().as_bytes());
        self.bytes(b"\x02");
        // The length comes first, so that no text can pretend to be two.
        self.bytes(&(said.message.content.len() as u64).to_le_bytes());
        self.bytes(said.message.content.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{FinishReason, Message, PolicyVersion, TokenTrace};

    use super::*;

    fn said(message: Message) -> ConversationTurn {
        ConversationTurn::new(message)
    }

    fn own(text: &str, n_tokens: usize, reward: Option<f64>) -> ConversationTurn {
        let finish = Some(FinishReason::Stop);
        ConversationTurn { finish, n_tokens, reward, ..said(Message::assistant(text)) }
    }

    fn tool(text: &str, reward: Option<f64>) -> ConversationTurn {
        let message = Message::new(Role::Tool, text);
        ConversationTurn { reward, ..said(message) }
    }

    fn trace(lens: &[usize]) -> TokenTrace {
        let mut trace = TokenTrace::new();
        for &n in lens {
            trace.append_given(&[1]);
            trace.append_sampled(&vec![2; n], &vec![-1.0; n], PolicyVersion(0)).unwrap();
        }
        trace
    }

    fn played(turns: Vec<ConversationTurn>, lens: &[usize]) -> Trajectory {
        Trajectory { turns, trace: trace(lens), ..Trajectory::default() }
    }

    #[test]
    fn rewards_of_answers_belong_to_the_turn_that_was_answered() {
        let turns = vec![
            said(Message::user("Hello")),
            own("look it up", 2, Some(0.5)),
            tool("found", Some(0.25)),
            own("here it is", 1, None),
            said(Message::user("Thanks")),
            own("bye", 1, Some(-1.0)),
        ];
        let (turns, spans) = turns_of(&played(turns, &[2, 1, 1]));
        let rewards: Vec<_> = turns.iter().map(|turn| turn.reward).collect();
        assert_eq!(rewards, [Some(0.75), None, Some(-1.0)]);
        assert_eq!(turns.iter().map(|t| t.after_tool).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(spans, [0, 1, 2]);
    }

    #[test]
    fn what_the_conversation_opened_with_is_no_turn() {
        let turns = vec![
            said(Message::user("Where is it?")),
            said(Message::assistant("Let me look.")),
            tool("on its way", Some(9.0)),
            own("On its way.", 3, None),
        ];
        let (turns, spans) = turns_of(&played(turns, &[3]));
        assert_eq!((turns.len(), spans), (1, vec![0]));
        assert_eq!((turns[0].reward, turns[0].after_tool), (None, false));
    }

    #[test]
    fn a_reply_without_tokens_has_no_span() {
        let turns = vec![said(Message::user("Hi")), own("", 0, None), own("yes", 2, None)];
        let (turns, spans) = turns_of(&played(turns, &[2]));
        assert_eq!((turns.len(), spans), (2, vec![1]));
    }

    #[test]
    fn states_are_named_by_what_others_said() {
        let talk = |first: &str, answer: &str| {
            let turns = vec![
                said(Message::user("Hi")),
                own(first, 1, None),
                said(Message::user(answer)),
                own("so", 1, None),
            ];
            let (turns, _) = turns_of(&played(turns, &[1, 1]));
            turns.iter().map(|turn| turn.state.unwrap()).collect::<Vec<_>>()
        };
        let base = talk("hello", "my order is late");
        assert_eq!(talk("good day", "my order is late"), base);
        let other = talk("hello", "never mind");
        assert_eq!(other[0], base[0]);
        assert_ne!(other[1], base[1]);
        assert_ne!(base[0], base[1]);
        // Who said it, and where one message ends, are parts of the state.
        let name = |turns: Vec<ConversationTurn>| {
            let turns = [turns, vec![own("x", 1, None)]].concat();
            turns_of(&played(turns, &[1])).0[0].state
        };
        let together = name(vec![said(Message::user("ab"))]);
        assert_ne!(name(vec![said(Message::user("a")), said(Message::user("b"))]), together);
        assert_ne!(name(vec![tool("ab", None)]), together);
        // Pinned: the names are those of FNV-1a on every machine.
        assert_eq!(name(Vec::new()), Some(0xcbf2_9ce4_8422_2325));
    }

    #[test]
    fn without_text_every_span_is_a_turn() {
        let (turns, spans) = turns_of(&played(Vec::new(), &[2, 1]));
        assert_eq!(turns, [TurnData::default(); 2]);
        assert_eq!(spans, [0, 1]);
    }
}
