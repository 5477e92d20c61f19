//! What holds for every reward whatever is said. Pinned here:
//!
//! 1. A score is from 0 to 1 or says why there is none; nothing panics, on any text in any role.
//! 2. The same conversation gets the same score, evidence included.
//! 3. Conversations without a turn of the agent cannot be scored.
//! 4. Where turns are judged one by one, their order does not matter.
//! 5. Padding a conversation with empty turns never pays.

use proptest::prelude::*;
use stateset_core::{
    ConversationTurn, Message, Reward, RewardContext, RewardResult, Role, Scenario, Score,
    Trajectory,
};
use stateset_env::rewards::{REWARD_NAMES, parse_reward};

fn run(reward: &dyn Reward, trajectory: &Trajectory, scenario: &Scenario) -> RewardResult {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(reward.score(trajectory, RewardContext { scenario }))
}

fn played(messages: Vec<Message>) -> Trajectory {
    let turns = messages.into_iter().map(ConversationTurn::new).collect();
    Trajectory { turns, ..Trajectory::default() }
}

/// Text of all kinds: anything printable, words that pay, tags, marks.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "\\PC{0,12}",
        Just("I am sorry to hear that".to_owned()),
        Just("please restart the router first".to_owned()),
        Just("<think>".to_owned()),
        Just("</think>".to_owned()),
        Just("I’ll send it by Friday".to_owned()),
        Just("ÄRGER ﬁ İ ß 🦀".to_owned()),
        "[a-z]{1,9}",
        "[.,!?\n ]{1,3}",
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.join(" "))
}

fn message() -> impl Strategy<Value = Message> {
    let role =
        prop_oneof![Just(Role::User), Just(Role::Assistant), Just(Role::System), Just(Role::Tool)];
    (role, text()).prop_map(|(role, text)| Message::new(role, text))
}

fn scenario(expected: Option<String>) -> Scenario {
    Scenario { expected, topic: "returns".to_owned(), ..Scenario::new("s") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scores_are_in_range_and_repeat(
        messages in prop::collection::vec(message(), 0..7), expected in prop::option::of(text())
    ) {
        let scenario = scenario(expected);
        let has_agent = messages.iter().any(|message| message.role == Role::Assistant);
        let trajectory = played(messages);
        for name in REWARD_NAMES {
            let reward = parse_reward(name).expect("a name");
            let result = run(&*reward, &trajectory, &scenario);
            prop_assert_eq!(&result, &run(&*reward, &trajectory, &scenario), "{}", name);
            match result.total {
                Score::Scored { value, .. } => {
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{}: {}", name, value);
                    prop_assert!(has_agent, "{}", name);
                }
                Score::Unscorable { why } => prop_assert!(!why.is_empty(), "{}", name),
            }
        }
    }

    #[test]
    fn the_order_of_unrelated_turns_does_not_matter(
        order in Just((0..4usize).collect::<Vec<_>>()).prop_shuffle()
    ) {
        const EXCHANGES: [(&str, &str); 4] = [
            ("My lamp is broken.", "I am sorry about the lamp. Please send me a photo of it."),
            ("Is Monday free?", "Monday works well, so I have booked it for you at 9."),
            ("The router blinks red.", "First unplug it, then wait a minute, because it resets then."),
            ("Do you sell tents?", "Yes, our tents are light and come with a warranty. Where will you go?"),
        ];
        let of = |order: &[usize]| {
            let lines = order.iter().map(|index| EXCHANGES[*index]);
            played(lines.flat_map(|(user, agent)| [Message::user(user), Message::assistant(agent)]).collect())
        };
        for name in ["empathy", "technical_support_reply", "professionalism", "length", "safety", "conciseness", "reasoning_format"] {
            let reward = parse_reward(name).expect("a name");
            let value = |order: &[usize]| run(&*reward, &of(order), &scenario(None)).total.value().expect("scorable");
            let (first, other) = (value(&[0, 1, 2, 3]), value(&order));
            prop_assert!((first - other).abs() < 1e-9, "{}: {} and {}", name, first, other);
        }
    }

    #[test]
    fn empty_turns_never_pay(lines in prop::collection::vec(text(), 1..5), n_more in 1..4usize) {
        let mut messages = vec![Message::user("My parcel is late.")];
        messages.extend(lines.iter().map(Message::assistant));
        let mut padded = messages.clone();
        padded.extend((0..n_more).map(|_| Message::assistant("")));
        let scenario = scenario(None);
        for name in REWARD_NAMES.iter().filter(|name| !matches!(**name, "task_completion" | "exact_number")) {
            let reward = parse_reward(name).expect("a name");
            let value = |messages: Vec<Message>| run(&*reward, &played(messages), &scenario).total.value();
            if let (Some(plain), Some(padded)) = (value(messages.clone()), value(padded.clone())) {
                prop_assert!(padded <= plain + 1e-9, "{}: {} and {}", name, padded, plain);
            }
        }
    }
}
