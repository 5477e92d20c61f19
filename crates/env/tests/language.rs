//! The customers' language, read by machine. Pinned here:
//!
//! 1. Everything they say is made of well-formed sentences of at most 20 words, openings of at most 50.
//! 2. Their vocabulary is small enough for a tokenizer of a few thousand pieces.
//! 3. Openings tell the facts they should and no other, differ from each other, and no sentence of a
//!    problem belongs to two issues.

mod policies;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use policies::{CHEATS, ORACLE, play};
use stateset_core::{Purpose, Role, RunSeed, StreamKey};
use stateset_env::conversation::CLOSING_WORDS;
use stateset_env::customer::{Combination, Domain, Issue, Mood, Slot, Split, open};
use stateset_env::sets::{CONVERSATION_CONFIGS, draw_customer};

/// Everything customers say to every scripted agent, in all sets.
async fn sayings() -> Vec<String> {
    let mut sayings = Vec::new();
    for config in CONVERSATION_CONFIGS {
        for (index, scenario) in config.scenarios(Split::Train).iter().enumerate() {
            for policy in [&ORACLE, &CHEATS[index % CHEATS.len()]] {
                let trajectory = play(&config.environment(), scenario, policy, index as u64).await;
                let metadata = &trajectory.final_state.as_ref().expect("it was played").metadata;
                let closing = metadata.get(CLOSING_WORDS).and_then(|words| words.as_str());
                sayings.extend(closing.map(str::to_owned));
                let users = trajectory.turns.iter().filter(|turn| turn.message.role == Role::User);
                sayings.extend(users.map(|turn| turn.message.content.clone()));
            }
        }
    }
    sayings
}

/// Sentences with their end marks.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sentence = String::new();
    for word in text.split_whitespace() {
        sentence.push_str(word);
        if word.ends_with(['.', '!', '?']) {
            sentences.push(std::mem::take(&mut sentence));
        } else {
            sentence.push(' ');
        }
    }
    if !sentence.is_empty() {
        sentences.push(sentence);
    }
    sentences
}

#[tokio::test]
async fn sentences_are_well_formed_and_short() {
    for saying in sayings().await {
        assert!(!saying.is_empty());
        assert!(!saying.contains(['{', '}', '[', ']', '|']), "{saying}");
        assert!(!saying.contains("  ") && saying.trim() == saying, "{saying:?}");
        assert!(saying.split_whitespace().count() <= 50, "{saying}");
        for sentence in sentences(&saying) {
            let n_words = sentence.split_whitespace().count();
            assert!((1..=20).contains(&n_words), "{sentence}");
            assert!(sentence.ends_with(['.', '!', '?']), "{saying}");
            let first = sentence.chars().next().expect("it has a word");
            assert!(
                first.is_uppercase() || first.is_ascii_digit() || sentence.contains('@'),
                "{saying}"
            );
        }
    }
}

#[tokio::test]
async fn the_vocabulary_is_modest() {
    let sayings = sayings().await;
    let words = sayings.iter().flat_map(|saying| saying.split(|c: char| !c.is_ascii_alphabetic()));
    let vocabulary: BTreeSet<String> = words.map(str::to_lowercase).collect();
    println!("{} words in {} sayings", vocabulary.len(), sayings.len());
    assert!((300..1200).contains(&vocabulary.len()), "{}", vocabulary.len());
    let texts: HashSet<&String> = sayings.iter().collect();
    assert!(3 * texts.len() > sayings.len(), "{} of {} differ", texts.len(), sayings.len());
}

#[test]
fn openings_tell_what_they_should() {
    for domain in Domain::ALL {
        for (index, combination) in Combination::of_domain(*domain).iter().enumerate() {
            let key = StreamKey { step: index as u32, ..StreamKey::default() };
            let mut stream = RunSeed(11).stream(Purpose::Data, key);
            let split = Split::of(combination);
            let spec = draw_customer(combination, split, &mut stream);
            let (state, opening) = open(&spec, &mut stream);
            assert_eq!(spec.combination(), *combination);
            for (place, slot) in combination.fact_order.iter().enumerate() {
                let value = spec.fact(*slot).expect("a fact of the issue");
                let is_told = place < combination.n_opening_facts;
                let is_common = matches!(slot, Slot::SinceWhen | Slot::Use | Slot::Quantity);
                assert!(
                    is_common || opening.contains(value) == is_told,
                    "{slot} {value}: {opening}"
                );
                assert_eq!(state.told.contains(slot), is_told, "{slot}: {opening}");
            }
        }
    }
}

#[test]
fn openings_differ_and_name_their_issue() {
    let mut issues: BTreeMap<String, Issue> = BTreeMap::new();
    let mut n_texts = 0;
    for issue in Issue::ALL {
        // A calm, direct customer without facts says the problem and at most asks for help.
        let combination = Combination::of_issue_and_mood(*issue, Mood::Calm).remove(0);
        let mut texts = HashSet::new();
        for sample in 0..60 {
            let key = StreamKey { sample, ..StreamKey::default() };
            let mut stream = RunSeed(12).stream(Purpose::Data, key);
            let mut spec = draw_customer(&combination, Split::Train, &mut stream);
            spec.opening_style = stateset_env::customer::OpeningStyle::Direct;
            let (_, opening) = open(&spec, &mut stream);
            for sentence in sentences(&opening).into_iter().take(1) {
                let other = issues.insert(sentence.clone(), *issue);
                assert!(
                    other.is_none_or(|other| other == *issue),
                    "{sentence}: {issue}, {other:?}"
                );
            }
            texts.insert(opening);
        }
        assert!(texts.len() > 15, "{issue}: {} openings", texts.len());
        n_texts += texts.len();
    }
    assert!(n_texts > 700, "{n_texts} openings");
}
