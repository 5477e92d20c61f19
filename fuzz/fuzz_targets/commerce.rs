//! Worlds of commerce: any calls and any scenario. The first byte chooses the world, the first line is a scenario (or not),
//! each further line the arguments of a call whose tool its first byte chooses.

#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use stateset_core::{ConversationTurn, Message, Purpose, RunSeed, Stream, StreamKey, ToolCall};
use stateset_env::commerce::commerce_worlds;
use stateset_env::customer::Split;

/// The worlds wait for nothing, so one poll finishes them.
fn now<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn stream(turn: usize) -> Stream {
    RunSeed(1).stream(Purpose::Environment, StreamKey::default().at_turn(turn))
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let worlds = commerce_worlds();
    let world = &worlds[usize::from(*first) % worlds.len()];
    let mut lines = rest.split(|byte| *byte == b'\n');
    let mut scenario = world.scenarios(Split::Validation).swap_remove(0);
    if let Some(Ok(value)) = lines.next().map(serde_json::from_slice) {
        scenario.metadata.insert("commerce".to_owned(), value);
    }
    let environment = world.environment(8);
    let Some(Ok(opening)) = now(environment.reset(&scenario, stream(0))) else { return };
    let mut state = opening.state;
    for line in lines {
        if state.is_done() {
            break;
        }
        let Some((pick, text)) = line.split_first() else { continue };
        let tool = &opening.tools[usize::from(*pick) % opening.tools.len()];
        let arguments = serde_json::from_slice(text).unwrap_or_default();
        let call = ToolCall { id: "c".to_owned(), name: tool.name.clone(), arguments };
        let message = Message { tool_calls: vec![call], ..Message::assistant("") };
        let action = ConversationTurn::new(message);
        let turn = state.turn_count + 1;
        let _ = now(environment.step(&scenario, &mut state, &action, stream(turn)));
    }
});
