//! Texts of the agent, judged by every reward: a score in range or a reason, whatever is said.
#![no_main]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use stateset_core::{ConversationTurn, Message, RewardContext, Scenario, Trajectory};
use stateset_env::rewards::{REWARD_NAMES, parse_reward};

fuzz_target!(|lines: (&str, &str, &str, &str)| {
    let (user, first, again, second) = lines;
    let messages = [
        Message::user(user),
        Message::assistant(first),
        Message::user(again),
        Message::assistant(second),
    ];
    let trajectory =
        Trajectory { turns: messages.map(ConversationTurn::new).into(), ..Trajectory::default() };
    let scenario = Scenario { expected: Some(user.to_owned()), ..Scenario::new("fuzz") };
    for name in REWARD_NAMES {
        let reward = parse_reward(name).expect("a name of the list");
        let context = RewardContext { scenario: &scenario };
        let scored = pin!(reward.score(&trajectory, context));
        // None of these rewards waits for anything.
        let Poll::Ready(result) = scored.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("{name} waits");
        };
        assert!(result.total.value().is_none_or(|value| (0.0..=1.0).contains(&value)), "{name}");
    }
});
