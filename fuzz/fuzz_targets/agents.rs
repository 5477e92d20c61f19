//! What agents read out of conversations and contexts: thoughts, things that are named, facts, plans and their changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::agents::memory::{entities_of, facts_of};
use stateset_env::agents::planning::{PlanUpdate, plan_from_goal};
use stateset_env::agents::reasoning::{ReasoningSplitter, ReasoningTags};

fuzz_target!(|input: (&str, &str, usize)| {
    let (text, context, cut) = input;
    let (thought, said) = ReasoningTags::default().split(text);
    let mut splitter = ReasoningSplitter::new(ReasoningTags::default());
    let (first, second) = text.split_at(text.floor_char_boundary(cut % (text.len() + 1)));
    let mut streamed = splitter.push(first);
    streamed.push_str(&splitter.push(second));
    let (rest, streamed_thought) = splitter.finish();
    streamed.push_str(&rest);
    assert_eq!((streamed, streamed_thought), (said, thought));
    assert!(entities_of(text).iter().all(|entity| text.contains(&entity.text)));
    assert!(facts_of(text).iter().all(|fact| text.contains(&fact.value)));
    let mut plan = plan_from_goal(text, 6);
    assert!((1..=6).contains(&plan.steps.len()));
    if let Ok(value) = serde_json::from_str(context)
        && let Ok(update) = PlanUpdate::read(&value, &plan)
    {
        update.apply(&mut plan);
    }
});
