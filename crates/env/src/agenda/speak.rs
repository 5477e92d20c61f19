//! The agenda user's sentences: what is meant, in words that vary with persona and chance.
//!
//! Values are put in as they stand in the goal, and the noise of writing never touches them: a user may
//! misspell "please", but what they tell is what they want.

use stateset_core::Stream;

use super::goal::{Constraint, Fact};
use super::lexicon::words_for;
use super::noise::{Noise, roughen};
use super::spec::AgendaSpec;
use super::state::{AgendaState, Item};
use crate::customer::grammar::expand;
use crate::customer::{Ending, Mood};

/// Something the user says about the agent's turn, before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    Silence,
    NoInsults,
    NotUnderstood,
    TooManyQuestions,
    NoRefusal,
    /// The thing was done although this constraint is not known.
    NotYet(usize),
    Repeating,
    WhatNext,
}

/// What is to be said.
pub(super) struct Speech<'a> {
    pub(super) remark: Option<Remark>,
    pub(super) said: &'a [Item],
    /// The agent asked for it, so that the bare value is enough.
    pub(super) is_direct: bool,
}

/// The first message.
pub(super) fn opening_words(
    spec: &AgendaSpec,
    state: &AgendaState,
    said: &[Item],
    stream: &mut Stream,
) -> String {
    let persona = &spec.persona;
    let greeting = if stream.chance(0.3 + persona.verbosity / 2.0) { greeting(spec) } else { "" };
    let wish = if stream.chance(persona.formality) {
        "[I would like to {task}, please.|Could you help me to {task}?|I would like to {task}.]"
    } else {
        "[[I want to|I need to|I would like to] {task}.|Can you help me {task}?]"
    };
    let mut parts =
        vec![expand(greeting, &[], stream), expand(wish, &[("task", &spec.goal.task)], stream)];
    parts.extend(said.iter().map(|item| sentence(spec, state, *item, false, stream)));
    if stream.chance(persona.verbosity / 2.0) {
        parts.insert(1, expand(story(persona.mood), &[], stream));
    }
    finish(spec, state, said, &parts, stream)
}

/// Any later message.
pub(super) fn say(
    spec: &AgendaSpec,
    state: &AgendaState,
    speech: &Speech<'_>,
    stream: &mut Stream,
) -> String {
    const TRIES: usize = 3;
    // A person would not use the very same words twice in a row.
    let first = say_once(spec, state, speech, stream);
    (1..TRIES).fold(first, |text, _| {
        if text == state.last_said { say_once(spec, state, speech, stream) } else { text }
    })
}

/// Last words.
pub(super) fn closing(spec: &AgendaSpec, ending: Ending, stream: &mut Stream) -> String {
    let template = match ending {
        Ending::Solved if spec.persona.formality < 0.3 => {
            "[Great, thanks|Perfect|Thanks a lot]. [Bye.|]"
        }
        Ending::Solved => {
            "[Great|Perfect|Wonderful], thank you[ very much|]. [That is all I need.|Goodbye.]"
        }
        Ending::GaveUp => {
            "[This leads nowhere|I have had enough|This takes too long]. [Goodbye.|I will try somewhere else.]"
        }
        Ending::AgentLeft => "[Wait, I am not done|But you have not helped me]. [Goodbye then.|]",
    };
    roughen(expand(template, &[], stream), &[], noise_of(spec), stream)
}

fn say_once(
    spec: &AgendaSpec,
    state: &AgendaState,
    speech: &Speech<'_>,
    stream: &mut Stream,
) -> String {
    let mut parts = Vec::new();
    if let Some(remark) = speech.remark {
        parts.push(remark_in_words(spec, remark, stream));
    }
    let persona = &spec.persona;
    let is_plain = speech.remark.is_none() && stream.chance(persona.verbosity / 2.0);
    if is_plain && !speech.said.is_empty() {
        parts.push(expand(filler(persona.mood), &[], stream));
    }
    let is_terse = speech.is_direct
        && speech.said.len() == 1
        && stream.chance(spec.style.terseness * (1.5 - persona.verbosity));
    parts.extend(speech.said.iter().map(|item| sentence(spec, state, *item, is_terse, stream)));
    finish(spec, state, speech.said, &parts, stream)
}

fn sentence(
    spec: &AgendaSpec,
    state: &AgendaState,
    item: Item,
    is_terse: bool,
    stream: &mut Stream,
) -> String {
    match item {
        Item::Tell(index) => {
            let constraint = &spec.goal.constraints[index];
            let value = state.value(&spec.goal, index);
            let template = clause(constraint, value, is_terse);
            fill(spec, &template, &constraint.fact, value, stream)
        }
        Item::Correct(index) => {
            let constraint = &spec.goal.constraints[index];
            let value = state.value(&spec.goal, index);
            let template =
                format!("[No|Not quite|That is wrong], {}", clause(constraint, value, false));
            fill(spec, &template, &constraint.fact, value, stream)
        }
        Item::Settle(index) => {
            let constraint = &spec.goal.constraints[index];
            let value = state.value(&spec.goal, index);
            let template =
                "[Then|In that case|Okay, then] {value} [would be fine|will do|is fine too].";
            fill(spec, template, &constraint.fact, value, stream)
        }
        Item::Ask(index) => ask(spec, state, index, stream),
        Item::Confirm => expand("[Yes|Right|Correct|Yes, exactly].", &[], stream),
        Item::DoNotMind => expand(
            "[I do not mind|That does not matter to me|Any is fine|No preference].",
            &[],
            stream,
        ),
        Item::Urge => {
            let template = "[[That is all, please|So please|I would like to] {task}[.| now.]|Can you {task} now?]";
            expand(template, &[("task", &spec.goal.task)], stream)
        }
    }
}

fn ask(spec: &AgendaSpec, state: &AgendaState, index: usize, stream: &mut Stream) -> String {
    let fact = &spec.goal.requests[index].fact;
    let template = if state.asked[index] > 1 {
        "[You have not told me|I still need|I also asked for] the {fact}."
    } else if spec.persona.formality < 0.3 {
        "[What is|What about|And] the {fact}?"
    } else {
        "[What is|Can you tell me|Could I have|May I know|I also need] the {fact}[?|, please?]"
    };
    fill(spec, template, fact, "", stream)
}

/// The topic is named where the goal has several.
fn fill(
    spec: &AgendaSpec,
    template: &str,
    fact: &Fact,
    value: &str,
    stream: &mut Stream,
) -> String {
    let many = spec.goal.topics().len() > 1 && !fact.topic.is_empty();
    let named =
        if many { format!("{} of the {}", fact.phrase, fact.topic) } else { fact.phrase.clone() };
    expand(template, &[("fact", &named), ("value", value)], stream)
}

/// A clause that tells a constraint, as a template.
fn clause(constraint: &Constraint, value: &str, is_terse: bool) -> String {
    let fact = &constraint.fact;
    match value.to_ascii_lowercase().as_str() {
        "yes" if is_terse => return "[Yes|Yes, please].".to_owned(),
        "yes" => return "[I need|I want|it should have] {fact}.".to_owned(),
        "no" if is_terse => return "[No|No, thanks].".to_owned(),
        "no" => return "[I do not need|it needs no] {fact}.".to_owned(),
        "dontcare" | "don't care" | "do n't care" | "any" => {
            return "[I do not mind about|any will do for] the {fact}.".to_owned();
        }
        _ => {}
    }
    if is_terse {
        return "{value}.".to_owned();
    }
    match (&constraint.say, words_for(&fact.slot).say) {
        (Some(own), _) => format!("{own}."),
        (None, Some(usual)) => format!("{usual}."),
        (None, None) => "[the|my] {fact} [is|should be|would be] {value}.".to_owned(),
    }
}

/// Politeness, and the noise of writing.
fn finish(
    spec: &AgendaSpec,
    state: &AgendaState,
    said: &[Item],
    parts: &[String],
    stream: &mut Stream,
) -> String {
    let mut text = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
    }
    let values: Vec<&str> = said
        .iter()
        .filter_map(|item| match item {
            Item::Tell(i) | Item::Correct(i) | Item::Settle(i) => Some(state.value(&spec.goal, *i)),
            _ => None,
        })
        .collect();
    let facts = said.iter().filter_map(|item| match item {
        Item::Ask(j) => Some(spec.goal.requests[*j].fact.phrase.as_str()),
        _ => None,
    });
    let kept: Vec<&str> = values.into_iter().chain(facts).collect();
    if text.len() < 60 && !kept.is_empty() && stream.chance(spec.style.politeness / 3.0) {
        text.push_str(if stream.chance(0.5) { " Thank you." } else { " Thanks." });
    }
    roughen(text, &kept, noise_of(spec), stream)
}

fn noise_of(spec: &AgendaSpec) -> Noise {
    let style = &spec.style;
    Noise { typos: style.typos, truncation: style.truncation, carelessness: style.carelessness }
}

fn greeting(spec: &AgendaSpec) -> &'static str {
    match (spec.persona.mood, spec.persona.formality) {
        (Mood::Angry, _) => "Listen.",
        (_, formality) if formality < 0.3 => "[Hey|Hi].",
        (Mood::Cheerful, _) => "[Hello|Hi|Good morning]!",
        _ => "[Hello|Good morning|Good afternoon|Hi].",
    }
}

fn story(mood: Mood) -> &'static str {
    match mood {
        Mood::Calm => "[I have a few wishes.|I hope you can help.]",
        Mood::Cheerful => "[I am looking forward to it.|This will be fun.]",
        Mood::Worried => "[I hope it is not too late.|I hope this works.]",
        Mood::Annoyed => "[I have tried this twice already.|I do not have much time.]",
        Mood::Angry => "[The last one of you was no help.|I have no time for this.]",
    }
}

fn filler(mood: Mood) -> &'static str {
    match mood {
        Mood::Calm => "[Let me see.|Okay.|Sure.]",
        Mood::Cheerful => "[Of course!|Sure!|Good question!]",
        Mood::Worried => "[I think so.|If that is okay.|Okay.]",
        Mood::Annoyed => "[Fine.|Well.]",
        Mood::Angry => "[Fine.|If you must know.]",
    }
}

fn remark_in_words(spec: &AgendaSpec, remark: Remark, stream: &mut Stream) -> String {
    if let Remark::NotYet(index) = remark {
        let template =
            "[But you do not know|Wait, I have not told you|You do not even know] the {fact} yet.";
        return fill(spec, template, &spec.goal.constraints[index].fact, "", stream);
    }
    expand(remark_words(remark), &[], stream)
}

fn remark_words(remark: Remark) -> &'static str {
    match remark {
        Remark::Silence => "[Hello? Are you there?|You did not say anything.|Is anybody there?]",
        Remark::NoInsults => "[Please do not talk to me like that.|There is no need to be rude.]",
        Remark::NotUnderstood => {
            "[I do not understand you.|Sorry, I cannot follow you.|What do you mean?]"
        }
        Remark::TooManyQuestions => {
            "[One thing at a time, please.|So many questions. What do you need first?]"
        }
        Remark::NoRefusal => "[But I need this.|That does not help me.|Is there really no way?]",
        Remark::NotYet(_) => "That was too early.",
        Remark::Repeating => "[You said that already.|You are repeating yourself.]",
        Remark::WhatNext => "[What do you need to know?|And now?|What else do you need from me?]",
    }
}
