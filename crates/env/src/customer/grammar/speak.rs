//! Composes what a customer says from the sentences of this folder.
//!
//! A turn is a list of [`Say`]s, each with one meaning; the words are drawn, the meaning is not. So a
//! policy meets the same conversation in many wordings, and a test can check meanings alone.

use stateset_core::Stream;

use super::template::{expand, tidy};
use super::{facts, moods, problems, replies};
use crate::customer::{CustomerSpec, OpeningStyle, Resolution, Slot, product_kind};

/// One thing a customer has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    /// A fact that was asked for.
    Answer(Slot),
    /// A fact that had been told before, or that the agent got wrong.
    TellAgain(Slot),
    /// A fact that nobody asked for by name.
    Volunteer(Slot),
    /// A fact asked for has nothing to do with it.
    NoNeed(Slot),
    /// The agent stated a fact wrongly.
    WrongFact,
    /// The agent stated a fact rightly and asked.
    Confirmed,
    /// Help was promised without this fact.
    Missing(Slot),
    /// Another kind of help was given.
    WrongHelp(Resolution),
    /// The product recommended costs more than the customer has.
    TooExpensive,
    /// The right help was offered.
    YesPlease,
    /// Several kinds of help at once.
    WhichOne,
    /// Too many questions at once.
    TooManyQuestions,
    /// It cannot be followed.
    NotUnderstood,
    /// More details were asked for without saying which.
    WhatExactly,
    /// More details were asked for and there are none.
    AllTold,
    /// Time was asked for.
    NoWaiting,
    /// An insult was said.
    NoInsults,
    /// Help was refused.
    NoRefusal,
    /// Something was said again.
    Repeating,
    /// The customer's own words were said.
    Echoed,
    /// Nothing was said.
    Silence,
    /// A kind word and nothing else.
    AndNow,
    /// A turn that leads nowhere.
    NoHelp,
    /// The agent is done too early.
    NotSolved,
    /// No kind word so far.
    AskForKindness,
}

/// The first message.
pub(crate) fn opening(spec: &CustomerSpec, stream: &mut Stream) -> String {
    let mut speaker = Speaker { spec, stream };
    let name = spec.fact(Slot::Name);
    let mut parts = vec![match (spec.opening_style, name) {
        (OpeningStyle::Direct, _) => String::new(),
        (OpeningStyle::Introduction, Some(_)) => speaker.draw(moods::introductions(spec.mood)),
        _ => speaker.draw(moods::greetings(spec.mood)),
    }];
    if spec.opening_style == OpeningStyle::Story {
        parts.push(speaker.draw(moods::stories(spec.domain())));
    }
    let problem = speaker.draw(problems::problems(spec.issue));
    let mut remark = speaker.draw(moods::remarks(spec.mood, spec.domain()));
    let asks_twice = remark.contains('?') && problem.contains('?');
    if asks_twice {
        remark.clear();
    }
    let remark_is_last = remark.contains('?') || speaker.stream.chance(0.6);
    let told: Vec<Slot> = spec.fact_order.iter().take(spec.n_opening_facts).copied().collect();
    let told: Vec<String> =
        told.iter().map(|slot| speaker.fact(facts::told(*slot), *slot)).collect();
    parts.push(problem);
    if remark_is_last {
        parts.extend(told);
        parts.push(remark);
    } else {
        parts.push(remark);
        parts.extend(told);
    }
    tidy(&parts.join(" "))
}

/// A reply that says all of `says`.
pub(crate) fn reply(spec: &CustomerSpec, says: &[Say], stream: &mut Stream) -> String {
    let mut speaker = Speaker { spec, stream };
    let is_fact = |say: &&Say| matches!(say, Say::Answer(_) | Say::TellAgain(_));
    let n_facts = says.iter().filter(is_fact).count();
    let mut parts = vec![speaker.opener(says)];
    for say in says {
        parts.push(match say {
            Say::Answer(slot) if n_facts == 1 => speaker.fact(facts::answers(*slot), *slot),
            _ => speaker.say(*say),
        });
    }
    tidy(&parts.join(" "))
}

/// Last words of a customer whose problem was solved by `help`.
pub(crate) fn thanks(spec: &CustomerSpec, help: Resolution, stream: &mut Stream) -> String {
    let mut speaker = Speaker { spec, stream };
    let works = if help.is_instruction() { speaker.draw(replies::IT_WORKS) } else { String::new() };
    let thanks = speaker.draw(moods::thanks(spec.mood));
    tidy(&format!("{works} {thanks}"))
}

/// Last words of a customer who gives up, or whom the agent leaves alone.
pub(crate) fn farewell(spec: &CustomerSpec, agent_left: bool, stream: &mut Stream) -> String {
    let mut speaker = Speaker { spec, stream };
    let templates = if agent_left { replies::LEFT_ALONE } else { moods::farewells(spec.mood) };
    tidy(&speaker.draw(templates))
}

struct Speaker<'a> {
    spec: &'a CustomerSpec,
    stream: &'a mut Stream,
}

impl Speaker<'_> {
    /// One of `templates`, expanded.
    fn draw(&mut self, templates: &[&str]) -> String {
        self.draw_with(templates, &[])
    }

    fn draw_with(&mut self, templates: &[&str], values: &[(&str, &str)]) -> String {
        let template = self.stream.choose(templates).copied().unwrap_or_default();
        let product = product_kind(self.spec.issue).unwrap_or_default();
        let a_product = if product.ends_with('s') {
            format!("new {product}")
        } else {
            format!("a new {product}")
        };
        let name = self.spec.fact(Slot::Name).unwrap_or_default();
        let own = [("product", product), ("a_product", a_product.as_str()), ("name", name)];
        expand(template, &[values, &own].concat(), self.stream)
    }

    fn fact(&mut self, templates: &[&str], slot: Slot) -> String {
        let value = self.spec.fact(slot).unwrap_or_default();
        self.draw_with(templates, &[("value", value)])
    }

    fn about(&mut self, templates: &[&str], slot: Slot) -> String {
        self.draw_with(templates, &[("thing", facts::thing(slot))])
    }

    /// The word or sigh that comes before the rest.
    fn opener(&mut self, says: &[Say]) -> String {
        let mood = self.spec.mood;
        match says.first() {
            Some(Say::Answer(_) | Say::Volunteer(_)) => self.draw(moods::answer_openers(mood)),
            Some(Say::TellAgain(_)) => self.draw(moods::again_openers(mood)),
            Some(
                Say::Missing(_)
                | Say::WrongHelp(_)
                | Say::WhichOne
                | Say::NoWaiting
                | Say::NoRefusal
                | Say::NoHelp
                | Say::Repeating,
            ) => self.draw(moods::sighs(mood)),
            _ => String::new(),
        }
    }

    fn say(&mut self, say: Say) -> String {
        match say {
            Say::Answer(slot) | Say::TellAgain(slot) | Say::Volunteer(slot) => {
                self.fact(facts::told(slot), slot)
            }
            Say::NoNeed(slot) => self.about(replies::NO_NEED, slot),
            Say::Missing(slot) => self.about(replies::MISSING, slot),
            Say::WrongHelp(kind) => {
                let no = self.draw_with(replies::WRONG_HELP, &[("wrong", kind.phrase())]);
                self.with_wish(no)
            }
            Say::NoHelp => {
                let no = self.draw(replies::NO_HELP);
                self.with_wish(no)
            }
            Say::NotSolved => {
                let no = self.draw(replies::NOT_SOLVED);
                self.with_wish(no)
            }
            Say::AskForKindness => self.draw(moods::asks_for_kindness(self.spec.mood)),
            other => self.draw(fixed(other)),
        }
    }

    fn with_wish(&mut self, before: String) -> String {
        let wish = self.draw(problems::wishes(self.spec.issue));
        format!("{before} {wish}")
    }
}

/// The sentences of those that need no value; none for the others.
fn fixed(say: Say) -> &'static [&'static str] {
    match say {
        Say::WrongFact => replies::WRONG_FACT,
        Say::Confirmed => replies::CONFIRMED,
        Say::TooExpensive => replies::TOO_EXPENSIVE,
        Say::YesPlease => replies::YES_PLEASE,
        Say::WhichOne => replies::WHICH_ONE,
        Say::TooManyQuestions => replies::TOO_MANY_QUESTIONS,
        Say::NotUnderstood => replies::NOT_UNDERSTOOD,
        Say::WhatExactly => replies::WHAT_EXACTLY,
        Say::AllTold => replies::ALL_TOLD,
        Say::NoWaiting => replies::NO_WAITING,
        Say::NoInsults => replies::NO_INSULTS,
        Say::NoRefusal => replies::NO_REFUSAL,
        Say::Repeating => replies::REPEATING,
        Say::Echoed => replies::ECHOED,
        Say::Silence => replies::SILENCE,
        Say::AndNow => replies::AND_NOW,
        _ => &[],
    }
}
