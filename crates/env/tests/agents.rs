//! What holds for every conversation that agents' surroundings see.
//!
//! 1. Nothing panics, whatever is said.
//! 2. Instructions are kept, and the last unit of the conversation is.
//! 3. A call is never separated from its result.
//! 4. A compressed conversation with its summary stays within the budget.
//! 5. Where a cut falls depends on the conversation alone, not on when it was asked for.
//! 6. Streamed thoughts and words are those of the whole text.

#![allow(clippy::unwrap_used, reason = "settings that are not sound end the test")]

use std::sync::Arc;

use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::{Map, json};
use stateset_core::{
    Embedder, Message, PolicyError, Purpose, Role, RunSeed, Stream, StreamKey, ToolCall,
};
use stateset_env::agents::compression::{CompressionConfig, CompressionStrategy};
use stateset_env::agents::context::{TokenCounter, unit_starts};
use stateset_env::agents::memory::{ConversationMemory, MemoryConfig, bm25, entities_of, facts_of};
use stateset_env::agents::planning::{PlanningConfig, PlanningManager, plan_from_goal};
use stateset_env::agents::reasoning::{ReasoningSplitter, ReasoningTags};
use stateset_env::agents::{Reading, Surroundings};

fn stream() -> Stream {
    RunSeed(0).stream(Purpose::Sampling, StreamKey::default())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9@#$.,;!? ]{0,60}",
        "\\PC{0,30}",
        Just("My name is Anna and my order is ORD-4417.".to_owned()),
        Just("<think>well</think> Yes. I paid $20 on 2026-01-02.".to_owned()),
    ]
}

/// Roles as a world gives them: results follow the calls they answer.
fn conversations() -> impl Strategy<Value = Vec<Message>> {
    let turn = (0..5u8, texts(), 0..3usize);
    proptest::collection::vec(turn, 0..24).prop_map(|turns| {
        let mut messages = Vec::new();
        for (kind, text, n_calls) in turns {
            match kind {
                0 => messages.push(Message::system(text)),
                1 | 2 => messages.push(Message::user(text)),
                3 => messages.push(Message::assistant(text)),
                _ => {
                    let call = |n: usize| ToolCall {
                        id: format!("{}-{n}", messages.len()),
                        name: "look_up".into(),
                        arguments: json!({"text": text}),
                    };
                    let calls: Vec<ToolCall> = (0..n_calls).map(call).collect();
                    let mut asks = Message::assistant("");
                    asks.tool_calls = calls.clone();
                    messages.push(asks);
                    messages.extend(calls.iter().map(|c| Message::tool_result(c, &text)));
                }
            }
        }
        messages
    })
}

fn surroundings() -> impl Strategy<Value = Surroundings> {
    let window = proptest::option::of(1..8usize);
    let memory = proptest::option::of((1..8usize, 1..200usize, 1..8usize, 0..3usize));
    let compression = proptest::option::of((0..3usize, 0.05..1.0f64, 1..200usize));
    (window, memory, compression, any::<bool>()).prop_map(|(window, memory, compression, plans)| {
        Surroundings {
            memory_window: window,
            memory: memory.map(|(turns, tokens, threshold, top_k)| {
                ConversationMemory::new(MemoryConfig {
                    max_short_term_turns: turns,
                    max_short_term_tokens: tokens,
                    summary_threshold: threshold,
                    retrieval_top_k: top_k,
                    ..MemoryConfig::default()
                })
                .unwrap()
            }),
            compression: compression.map(|(strategy, ratio, max_tokens)| CompressionConfig {
                strategy: CompressionStrategy::ALL[strategy],
                ratio,
                max_tokens,
            }),
            planning: PlanningManager::new(PlanningConfig {
                enabled: plans,
                ..PlanningConfig::default()
            }),
            ..Surroundings::default()
        }
    })
}

fn read(
    surroundings: &Surroundings,
    messages: &[Message],
    notes: &Map<String, serde_json::Value>,
) -> Reading {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (context, stream) = (Map::new(), stream());
    let read = surroundings.read(messages.to_vec(), &context, notes, &stream);
    runtime.block_on(read).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn instructions_stay_and_calls_keep_their_results(
        messages in conversations(),
        surroundings in surroundings(),
    ) {
        let reading = read(&surroundings, &messages, &Map::new());
        let systems = |messages: &[Message]| -> Vec<String> {
            let systems = messages.iter().filter(|m| m.role == Role::System);
            systems.map(|m| m.content.clone()).collect()
        };
        let joined = systems(&reading.messages).join("\n");
        for text in systems(&messages) {
            prop_assert!(joined.contains(&text));
        }
        let called: Vec<&String> =
            reading.messages.iter().flat_map(|m| &m.tool_calls).map(|call| &call.id).collect();
        let answered: Vec<&String> =
            reading.messages.iter().filter_map(|m| m.tool_call_id.as_ref()).collect();
        prop_assert_eq!(called, answered);
        if let Some(last) = messages.last() {
            let is_kept = reading.messages.last().is_some_and(|kept| {
                kept == last || (last.role == Role::System && kept.content.starts_with(&last.content))
            });
            prop_assert!(is_kept || last.role == Role::System);
        }
    }

    #[test]
    fn a_compressed_conversation_stays_within_its_budget(
        messages in conversations(),
        strategy in 0..3usize,
        ratio in 0.05..1.0f64,
        max_tokens in 1..300usize,
    ) {
        let counter = TokenCounter::default();
        let config =
            CompressionConfig { strategy: CompressionStrategy::ALL[strategy], ratio, max_tokens };
        let compressed = config.compress(&messages, &counter);
        let left = &messages[compressed.n_cut..];
        let total = counter.conversation(left) + counter.text(&compressed.summary);
        let is_last_unit = unit_starts(left).len() <= 1;
        prop_assert!(total <= max_tokens || is_last_unit, "{} of {}", total, max_tokens);
        prop_assert!(counter.text(&compressed.summary) <= config.summary_tokens());
        prop_assert!(messages.is_empty() || !left.is_empty());
    }

    #[test]
    fn cuts_do_not_depend_on_the_turns_at_which_somebody_asked(
        messages in conversations(),
        surroundings in surroundings(),
    ) {
        let mut notes = Map::new();
        let mut last = None;
        for n in 1..=messages.len() {
            let reading = read(&surroundings, &messages[..n], &notes);
            notes = reading.notes.clone();
            last = Some(reading);
        }
        if let Some(last) = last {
            let at_once = read(&surroundings, &messages, &Map::new());
            prop_assert_eq!(last.messages, at_once.messages);
        }
    }

    #[test]
    fn pieces_split_as_the_whole(
        text in "(<|/|think>|<think>|</think>|[a-c \n\u{e9}]){0,12}",
        cuts in proptest::collection::vec(0..40usize, 0..8),
        begins_inside in any::<bool>(),
    ) {
        let tags = ReasoningTags { begins_inside, ..ReasoningTags::default() };
        let (thought, said) = tags.split(&text);
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut)).collect();
        ends.sort_unstable();
        ends.push(text.len());
        let mut splitter = ReasoningSplitter::new(tags.clone());
        let (mut streamed, mut start) = (String::new(), 0);
        for end in ends {
            streamed.push_str(&splitter.push(&text[start..end]));
            start = end;
        }
        let (rest, streamed_thought) = splitter.finish();
        streamed.push_str(&rest);
        prop_assert_eq!(streamed, said.clone());
        prop_assert_eq!(streamed_thought, thought);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,200}", query in "\\PC{0,50}") {
        for entity in entities_of(&text) {
            prop_assert!(text.contains(&entity.text) && !entity.text.is_empty());
        }
        for fact in facts_of(&text) {
            prop_assert!(text.contains(&fact.value));
        }
        let scores = bm25(&query, &[&text, "another text", ""]);
        prop_assert!(scores.iter().all(|score| score.is_finite() && *score >= 0.0));
        let plan = plan_from_goal(&text, 6);
        prop_assert!((1..=6).contains(&plan.steps.len()));
    }
}

/// Two directions: texts about lamps, and all others.
struct Lamps;

#[async_trait]
impl Embedder for Lamps {
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PolicyError> {
        let vector = |text: &String| {
            let is_about = ["lamp", "light"].iter().any(|word| text.contains(word));
            if is_about { vec![1.0, 0.0] } else { vec![0.0, 1.0] }
        };
        Ok(texts.iter().map(vector).collect())
    }
}

#[tokio::test]
async fn recall_goes_by_meaning_where_there_is_an_embedder() {
    let config = MemoryConfig {
        max_short_term_turns: 2,
        enable_summarization: false,
        ..MemoryConfig::default()
    };
    let mut surroundings = Surroundings {
        memory: Some(ConversationMemory::new(config).unwrap()),
        ..Surroundings::default()
    };
    let said = ["The lamp is broken.", "The kettle is fine.", "Hm.", "Is the light fixed?"];
    let messages: Vec<Message> = said.map(Message::user).to_vec();
    let none = Map::new();
    let by_words = surroundings.read(messages.clone(), &none, &none, &stream()).await.unwrap();
    assert!(!by_words.messages[0].content.contains("lamp"), "{:?}", by_words.messages);
    surroundings.embedder = Some(Arc::new(Lamps));
    let by_meaning = surroundings.read(messages, &none, &none, &stream()).await.unwrap();
    let head = &by_meaning.messages[0];
    assert_eq!(head.role, Role::System);
    assert_eq!(head.content, "Said earlier, perhaps about the same:\n- user: The lamp is broken.");
}

#[tokio::test]
async fn one_system_message_holds_everything_in_order() {
    let config = MemoryConfig { max_short_term_turns: 2, ..MemoryConfig::default() };
    let surroundings = Surroundings {
        memory: Some(ConversationMemory::new(config).unwrap()),
        planning: PlanningManager::new(PlanningConfig {
            enabled: true,
            ..PlanningConfig::default()
        }),
        ..Surroundings::default()
    };
    let messages = vec![
        Message::system("Be kind."),
        Message::user("My name is Anna. My lamp ORD-4417 is broken."),
        Message::assistant("I am sorry."),
        Message::user("Please replace the lamp, then tell me when."),
        Message::assistant("One moment."),
        Message::user("Well?"),
    ];
    let context = json!({"plan_goal": "Replace it, tell when", "briefing": "You take over."});
    let context = context.as_object().cloned().unwrap();
    let reading = surroundings.read(messages, &context, &Map::new(), &stream()).await.unwrap();
    let head = &reading.messages[0].content;
    let places: Vec<usize> = [
        "Be kind.",
        "You take over.",
        "Earlier in this conversation:",
        "Known so far:\n- name: Anna",
        "Long-term plan\nGoal: Replace it, tell when\n1. [>] Replace it",
    ]
    .iter()
    .map(|part| head.find(part).unwrap_or_else(|| panic!("{part}\n{head}")))
    .collect();
    assert!(places.is_sorted(), "{head}");
    assert_eq!(reading.messages.iter().filter(|m| m.role == Role::System).count(), 1);
    assert_eq!(reading.messages.last().unwrap().content, "Well?");
}
