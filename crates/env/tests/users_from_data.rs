//! Users made of real dialogues: goals and style of MultiWOZ, MultiDoGO and Taskmaster-4. With an agent
//! that asks for every fact and answers every request
//!
//! 1. the user states 90 % or more of the goal's constraints and asks 90 % or more of its requests;
//! 2. whatever they tell is in the goal: no number that is not, and no value that the corpus knows for a
//!    fact of the goal and the goal does not hold;
//! 3. the style fitted to the corpus comes out again in what the users write.
//!
//! `cargo test -p stateset-env --test users_from_data -- --nocapture` prints the table.

#![allow(clippy::print_stdout, reason = "the table is for people")]

#[path = "../../../tests/support/data.rs"]
mod data;
#[path = "../../../tests/support/unzip.rs"]
mod unzip;

use std::collections::{BTreeMap, BTreeSet};

use stateset_core::{Purpose, RunSeed, Stream, StreamKey};
use stateset_env::Persona;
use stateset_env::agenda::corpora::{Dialogue, read_multidogo, read_multiwoz, read_taskmaster};
use stateset_env::agenda::{
    AgendaReply, AgendaSpec, AgendaState, Goal, Item, Style, UserTurn, open, react,
};

/// Dialogues played of each source.
const MOST: usize = 150;
const MOST_TURNS: usize = 90;

#[derive(Default)]
struct Tally {
    n_dialogues: usize,
    n_constraints: usize,
    n_stated: usize,
    n_requests: usize,
    n_asked: usize,
    n_invented: usize,
    n_turns: usize,
    n_ended: usize,
}

/// Asks for what was not stated, answers what was asked, has not what is only a first choice, and books.
fn oracle(goal: &Goal, state: &AgendaState, turn: usize, stream: &mut Stream) -> String {
    let of =
        |topic: &str| if topic.is_empty() { String::new() } else { format!(" of the {topic}") };
    let open = state.unanswered().find(|index| state.asked[*index] > 0);
    if let Some(index) = open {
        let fact = &goal.requests[index].fact;
        return format!("The {}{} is {}.", fact.phrase, of(&fact.topic), 100 + stream.index(900));
    }
    if let Some(index) = state.untold().next() {
        let fact = &goal.constraints[index].fact;
        let start = ["What is", "Please tell me", "May I know", "Could you give me"][turn % 4];
        let end = if start.starts_with("Please") { "." } else { "?" };
        return format!("{start} the {}{}{end}", fact.phrase, of(&fact.topic));
    }
    let has_choice = |index: &usize| {
        goal.constraints[*index].otherwise.is_some() && !state.settled.contains(index)
    };
    if (0..goal.constraints.len()).any(|index| has_choice(&index)) {
        return format!("I am sorry, in case {turn} there is nothing available.");
    }
    if !state.is_booked {
        return "Thank you. I have booked it for you.".to_owned();
    }
    format!("Is there anything else I can do in case {turn}?")
}

struct Spoken {
    state: AgendaState,
    replies: Vec<AgendaReply>,
}

fn converse(spec: &AgendaSpec, seed: u64) -> Spoken {
    let mut stream = RunSeed(seed).stream(Purpose::Environment, StreamKey::default());
    let (mut state, opening) = open(spec, &mut stream);
    let mut replies = vec![opening];
    for turn in 0..MOST_TURNS {
        let said = oracle(&spec.goal, &state, turn, &mut stream);
        let reply = react(spec, &mut state, &said, &mut stream);
        let is_over = reply.ending.is_some();
        replies.push(reply);
        if is_over {
            break;
        }
    }
    Spoken { state, replies }
}

fn lower_words(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    format!(" {} ", kept.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Values of each slot in the whole corpus.
fn known_values(dialogues: &[Dialogue]) -> BTreeMap<String, BTreeSet<String>> {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for constraint in dialogues.iter().flat_map(|dialogue| &dialogue.goal.constraints) {
        let values = known.entry(constraint.fact.slot.clone()).or_default();
        values.insert(lower_words(&constraint.value));
        values.extend(constraint.otherwise.as_deref().map(lower_words));
    }
    known
}

/// What the goal lets the user say: values, the task, phrases, topics.
fn sayable(goal: &Goal) -> String {
    let mut all = vec![goal.task.clone()];
    for constraint in &goal.constraints {
        all.push(constraint.value.clone());
        all.extend(constraint.otherwise.clone());
    }
    let told = goal.constraints.iter().map(|constraint| &constraint.fact);
    for fact in told.chain(goal.requests.iter().map(|request| &request.fact)) {
        all.push(fact.phrase.clone());
        all.push(fact.topic.clone());
    }
    all.iter().map(|text| lower_words(text)).collect()
}

/// Words that the grammar itself uses: what is said of the same goals with their values struck out.
fn own_words(dialogues: &[Dialogue]) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    let step = dialogues.len().div_ceil(100).max(1);
    for (index, dialogue) in dialogues.iter().step_by(step).enumerate() {
        let mut goal = dialogue.goal.clone();
        for constraint in &mut goal.constraints {
            constraint.value = "zzz".to_owned();
            constraint.otherwise = None;
        }
        let persona = Persona { patience: 20, verbosity: 1.0, ..Persona::default() };
        let spec = AgendaSpec { persona, ..AgendaSpec::new(goal) };
        for reply in converse(&spec, index as u64).replies {
            own.extend(lower_words(&reply.text).split_whitespace().map(str::to_owned));
        }
    }
    own
}

fn invented(
    goal: &Goal,
    known: &BTreeMap<String, BTreeSet<String>>,
    own: &BTreeSet<String>,
    replies: &[AgendaReply],
) -> Vec<String> {
    let may = sayable(goal);
    let mut found = Vec::new();
    for reply in replies {
        let text = lower_words(&reply.text);
        for word in text.split_whitespace().filter(|word| word.bytes().any(|b| b.is_ascii_digit()))
        {
            if !may.contains(&format!(" {word} ")) {
                found.push(format!("{word}: {}", reply.text));
            }
        }
        for constraint in &goal.constraints {
            for value in known.get(&constraint.fact.slot).into_iter().flatten() {
                let is_own = value.split_whitespace().all(|word| own.contains(word));
                if !is_own && text.contains(value.as_str()) && !may.contains(value.as_str()) {
                    found.push(format!("{value}: {}", reply.text));
                }
            }
        }
    }
    found
}

fn is_stated(goal: &Goal, index: usize, replies: &[AgendaReply]) -> bool {
    let constraint = &goal.constraints[index];
    let wanted = constraint.otherwise.as_ref().unwrap_or(&constraint.value);
    let is_word = matches!(wanted.to_lowercase().as_str(), "yes" | "no" | "dontcare" | "any");
    let wanted = lower_words(wanted);
    replies.iter().any(|reply| {
        let about = reply.said.iter().any(|item| match item {
            Item::Tell(i) | Item::Correct(i) | Item::Settle(i) => *i == index,
            _ => false,
        });
        about && (is_word || lower_words(&reply.text).contains(&wanted))
    })
}

fn tally(dialogues: &[Dialogue]) -> (Tally, Style, Style) {
    let turns: Vec<UserTurn> =
        dialogues.iter().flat_map(|dialogue| dialogue.turns.clone()).collect();
    let style = Style::fit(&turns);
    let known = known_values(dialogues);
    let own = own_words(dialogues);
    let mut tally = Tally::default();
    let mut written = Vec::new();
    let step = dialogues.len().div_ceil(MOST).max(1);
    for (index, dialogue) in dialogues.iter().step_by(step).enumerate() {
        let goal = dialogue.goal.clone();
        let persona = Persona { patience: 20, ..Persona::default() };
        let spec = AgendaSpec { style: style.clone(), persona, ..AgendaSpec::new(goal) };
        let spoken = converse(&spec, index as u64);
        let goal = &spec.goal;
        let made_up = invented(goal, &known, &own, &spoken.replies);
        assert!(made_up.is_empty(), "{}: {made_up:#?}", dialogue.id);
        tally.n_dialogues += 1;
        tally.n_constraints += goal.constraints.len();
        tally.n_requests += goal.requests.len();
        let stated = (0..goal.constraints.len()).filter(|i| is_stated(goal, *i, &spoken.replies));
        tally.n_stated += stated.count();
        tally.n_asked += spoken.state.asked.iter().filter(|n| **n > 0).count();
        tally.n_invented += made_up.len();
        tally.n_turns += spoken.replies.len();
        tally.n_ended +=
            usize::from(spoken.state.ending == Some(stateset_env::customer::Ending::Solved));
        written.extend(spoken.replies.iter().map(|reply| UserTurn {
            text: reply.text.clone(),
            n_facts: reply.said.iter().filter(|item| matches!(item, Item::Tell(_))).count(),
        }));
    }
    (tally, style, Style::fit(&written))
}

fn check(name: &str, dialogues: &[Dialogue]) {
    let (tally, style, back) = tally(dialogues);
    let share = |n: usize, of: usize| if of == 0 { 1.0 } else { n as f64 / of as f64 };
    let stated = share(tally.n_stated, tally.n_constraints);
    let asked = share(tally.n_asked, tally.n_requests);
    println!(
        "| {name} | {} | {} | {:.1} % | {} | {:.1} % | {} | {:.1} | {:.1} % |",
        tally.n_dialogues,
        tally.n_constraints,
        100.0 * stated,
        tally.n_requests,
        100.0 * asked,
        tally.n_invented,
        share(tally.n_turns, tally.n_dialogues),
        100.0 * share(tally.n_ended, tally.n_dialogues),
    );
    println!("  {name}: fitted {style:?}");
    println!("  {name}: written {back:?}");
    assert!(tally.n_dialogues > 50, "{name}: {}", tally.n_dialogues);
    assert!(stated >= 0.9, "{name}: {stated}");
    assert!(asked >= 0.9, "{name}: {asked}");
    // Careless writing is copied as such; facts in a turn depend on the agent's
    // questions as well, and everybody thanks at the end.
    assert!((style.carelessness - back.carelessness).abs() < 0.2, "{name}: {style:?} {back:?}");
    assert!((style.facts_per_turn - back.facts_per_turn).abs() < 0.8, "{name}: {style:?} {back:?}");
    assert!((style.terseness - back.terseness).abs() < 0.35, "{name}: {style:?} {back:?}");
    assert!((style.politeness - back.politeness).abs() < 0.4, "{name}: {style:?} {back:?}");
}

#[test]
fn multiwoz() {
    let Some(path) = data::test_data("multiwoz21-val/val.json.zip") else { return };
    let bytes = unzip::first_entry(&std::fs::read(path).unwrap()).expect("an archive");
    let dialogues = read_multiwoz(std::str::from_utf8(&bytes).unwrap()).unwrap();
    assert!(dialogues.len() > 950, "{}", dialogues.len());
    check("multiwoz21-val", &dialogues);
}

#[test]
fn multidogo() {
    for name in ["airline", "insurance", "software"] {
        let Some(path) = data::test_data(&format!("multidogo/{name}-train.tsv")) else { return };
        let dialogues = read_multidogo(&std::fs::read_to_string(path).unwrap()).unwrap();
        check(&format!("multidogo {name}"), &dialogues);
    }
}

#[test]
fn taskmaster() {
    let Some(path) = data::test_data("taskmaster-4/data/data_00.json") else { return };
    let dialogues = read_taskmaster(&std::fs::read_to_string(path).unwrap()).unwrap();
    check("taskmaster-4", &dialogues);
}
