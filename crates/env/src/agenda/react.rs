//! The agenda user at work: a stack of things to say, changed by what the agent does.
//!
//! Source: Schatzmann et al. (2007), section 3.2: the top of the agenda is said; what the agent does
//! pushes answers onto it and takes away what has become needless. The rules, strongest first:
//!
//! 1. An empty turn, an insult or a muddle gets a complaint.
//! 2. More facts asked for at once than the user can follow (two for a beginner, four for an expert)
//!    is confusing.
//! 3. Something told got wrong is corrected.
//! 4. What is wanted cannot be had: the user settles for their second choice where they have one.
//! 5. Answers to requests are taken. Whether they are true, the user cannot know; the report does.
//! 6. The thing is done: well, where everything was told, and the end once every request is answered.
//!    Too early, where something was not told: the user says what, and waits to be asked for it.
//! 7. Repeating oneself or the user is noticed; saying goodbye too early ends the conversation.
//! 8. Facts asked for are told, those told before again and with less patience; right guesses are
//!    confirmed; about what the goal does not hold the user does not mind. **No value is ever made up.**
//! 9. Otherwise the user goes on with their agenda, where the agent invites it (an open question, a
//!    greeting, an answer). Where it does not, an expert goes on all the same and is less content, and a
//!    beginner waits to be asked and loses patience.
//!
//! Satisfaction moves a tenth of the way up with every turn that helps and 0.15 down with every fault;
//! the end adds or takes 0.3.

use stateset_core::Stream;

use super::hear::{Heard, hear};
use super::speak::{Remark, Speech, closing, opening_words, say};
use super::spec::AgendaSpec;
use super::state::{AgendaState, Item};
use crate::customer::{Ending, Fault};
use crate::text::{is_parrot, is_repeat, words};

/// Earlier turns of the agent that the user remembers, and words of each.
const MEMORY: (usize, usize) = (16, 60);
/// What a fault takes from satisfaction, and an end adds or takes.
const COST_OF_FAULT: f64 = 0.15;
const WORTH_OF_END: f64 = 0.3;

/// What the user answers.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaReply {
    /// The words; last words where the conversation is over.
    pub text: String,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
    /// What was wrong with the agent's turn; empty for a good one.
    pub faults: Vec<Fault>,
    /// What the words say, in order.
    pub said: Vec<Item>,
}

/// The user's first message and their memory after it.
pub fn open(spec: &AgendaSpec, stream: &mut Stream) -> (AgendaState, AgendaReply) {
    let mut state = AgendaState::new(spec);
    let mut said = Vec::new();
    for _ in 0..spec.n_opening {
        match state.agenda.last() {
            Some(Item::Tell(_)) => said.extend(state.agenda.pop()),
            _ => break,
        }
    }
    if spec.goal.constraints.is_empty() {
        said.extend(state.agenda.pop());
    }
    note(&mut state, &said);
    let text = opening_words(spec, &state, &said, stream);
    state.last_said.clone_from(&text);
    (state, AgendaReply { text, ending: None, faults: Vec::new(), said })
}

/// The user's answer to one turn of the agent. After the end nothing more is said.
pub fn react(
    spec: &AgendaSpec,
    state: &mut AgendaState,
    agent_text: &str,
    stream: &mut Stream,
) -> AgendaReply {
    if state.ending.is_some() || !state.fits(&spec.goal) {
        let ending = state.ending;
        return AgendaReply { text: String::new(), ending, faults: Vec::new(), said: Vec::new() };
    }
    let agent_words = words(agent_text);
    let heard = hear(&spec.goal, state, agent_text, &agent_words);
    state.n_agent_turns += 1;
    let judgement = Turn { spec, state, heard: &heard, words: &agent_words }.judge();
    settle(spec, state, &judgement);
    let said =
        if state.ending.is_some() { Vec::new() } else { pick(spec, state, &judgement, stream) };
    note(state, &said);
    remember(state, &agent_words);
    let text = match state.ending {
        Some(ending) => closing(spec, ending, stream),
        None => {
            let is_direct = !heard.asks.is_empty();
            say(spec, state, &Speech { remark: judgement.remark, said: &said, is_direct }, stream)
        }
    };
    state.last_said.clone_from(&text);
    AgendaReply { text, ending: state.ending, faults: judgement.fault.into_iter().collect(), said }
}

/// What the user makes of a turn.
#[derive(Default)]
struct Judgement {
    fault: Option<Fault>,
    remark: Option<Remark>,
    ending: Option<Ending>,
    /// How many items to say; those pushed by the agent's questions come first.
    n_forced: usize,
    /// Whether the user goes on with the agenda of their own accord.
    goes_on: bool,
    /// Whether they may add more facts to those asked for.
    adds: bool,
    /// Took the conversation no further, without being a fault.
    is_idle: bool,
}

impl Judgement {
    fn fault(fault: Fault, remark: Remark) -> Judgement {
        Judgement { fault: Some(fault), remark: Some(remark), ..Judgement::default() }
    }

    fn ending(ending: Ending) -> Judgement {
        Judgement { ending: Some(ending), ..Judgement::default() }
    }

    fn forced(n_forced: usize) -> Judgement {
        Judgement { n_forced, ..Judgement::default() }
    }

    fn going_on() -> Judgement {
        Judgement { goes_on: true, ..Judgement::default() }
    }
}

struct Turn<'a> {
    spec: &'a AgendaSpec,
    state: &'a mut AgendaState,
    heard: &'a Heard,
    words: &'a [String],
}

impl Turn<'_> {
    /// The first rule that applies decides.
    fn judge(mut self) -> Judgement {
        let rules: [fn(&mut Self) -> Option<Judgement>; 9] = [
            Turn::unreadable,
            Turn::overloaded,
            Turn::mistaken,
            Turn::unavailable,
            Turn::done_or_answered,
            Turn::repeating,
            Turn::leaving,
            Turn::asked,
            Turn::invited,
        ];
        rules.iter().find_map(|rule| rule(&mut self)).unwrap_or_else(|| self.idle())
    }

    fn unreadable(&mut self) -> Option<Judgement> {
        let manners = &self.heard.manners;
        if manners.is_empty {
            Some(Judgement::fault(Fault::Unhelpful, Remark::Silence))
        } else if manners.is_rude {
            Some(Judgement::fault(Fault::Rude, Remark::NoInsults))
        } else if manners.muddle.is_some() {
            Some(Judgement::fault(Fault::Confusing, Remark::NotUnderstood))
        } else {
            None
        }
    }

    fn overloaded(&mut self) -> Option<Judgement> {
        let most = 2 + (2.0 * self.spec.persona.expertise).round() as usize;
        (self.heard.asks.len() > most)
            .then(|| Judgement::fault(Fault::Confusing, Remark::TooManyQuestions))
    }

    fn mistaken(&mut self) -> Option<Judgement> {
        let told = |index: &&usize| self.state.told[**index] > 0;
        if let Some(index) = self.heard.mistakes.iter().find(told).copied() {
            self.state.push(Item::Correct(index));
            let fault = Some(Fault::WrongFact);
            return Some(Judgement { fault, ..Judgement::forced(1) });
        }
        // A wrong guess about something untold is no fault: the user says how it is.
        let index = self.heard.mistakes.first().copied()?;
        self.state.push(Item::Correct(index));
        Some(Judgement::forced(1))
    }

    fn unavailable(&mut self) -> Option<Judgement> {
        if !self.heard.has_none || !self.heard.answers.is_empty() || self.heard.is_done {
            return None;
        }
        let state = &self.state;
        let has_choice = |index: &usize| {
            state.told[*index] > 0
                && !state.settled.contains(index)
                && self.spec.goal.constraints[*index].otherwise.is_some()
        };
        let Some(index) = (0..self.spec.goal.constraints.len()).find(has_choice) else {
            return Some(Judgement::fault(Fault::Unhelpful, Remark::NoRefusal));
        };
        self.state.settled.push(index);
        self.state.push(Item::Settle(index));
        Some(Judgement::forced(1))
    }

    fn done_or_answered(&mut self) -> Option<Judgement> {
        for (index, is_right, answer) in &self.heard.answers {
            self.state.answers[*index] = Some(answer.clone());
            self.state.wrong_answers.retain(|other| other != index);
            if !is_right {
                self.state.wrong_answers.push(*index);
            }
            self.state.agenda.retain(|item| *item != Item::Ask(*index));
        }
        if self.heard.is_done && self.state.is_booked && self.heard.answers.is_empty() {
            return None;
        }
        let is_done =
            self.heard.is_done || (self.state.is_booked && !self.heard.answers.is_empty());
        let untold = self.state.untold().next();
        if is_done && let Some(index) = untold {
            return Some(Judgement::fault(Fault::Premature, Remark::NotYet(index)));
        }
        self.state.is_booked |= is_done;
        let is_answered = self.state.unanswered().next().is_none();
        let is_over = self.state.is_booked || !self.spec.goal.needs_booking;
        if untold.is_none() && is_answered && is_over {
            return Some(Judgement::ending(Ending::Solved));
        }
        if self.heard.answers.is_empty() && !is_done {
            return None;
        }
        let is_new = |index: &&usize| self.state.told[**index] == 0;
        let n_forced = self.heard.asks.iter().filter(is_new).count();
        self.push_asked(false);
        Some(Judgement { n_forced, ..Judgement::going_on() })
    }

    fn repeating(&mut self) -> Option<Judgement> {
        let before = self.state.earlier_turns.iter().map(|turn| words(turn));
        if before.into_iter().any(|turn| is_repeat(self.words, &turn)) {
            return Some(Judgement::fault(Fault::RepeatedTurn, Remark::Repeating));
        }
        is_parrot(self.words, &words(&self.state.last_said))
            .then(|| Judgement::fault(Fault::RepeatedTurn, Remark::Repeating))
    }

    fn leaving(&mut self) -> Option<Judgement> {
        let leaves = self.heard.manners.says_goodbye && self.heard.asks.is_empty();
        leaves.then(|| Judgement::ending(Ending::AgentLeft))
    }

    fn asked(&mut self) -> Option<Judgement> {
        let heard = self.heard;
        if !heard.asks.is_empty() {
            let is_again = self.push_asked(true);
            let fault = is_again.then_some(Fault::RepeatedQuestion);
            let adds = fault.is_none();
            return Some(Judgement { fault, adds, ..Judgement::forced(heard.asks.len()) });
        }
        if !heard.confirms.is_empty() {
            let is_new = heard.confirms.iter().any(|index| self.state.told[*index] == 0);
            for index in &heard.confirms {
                self.state.told[*index] += 1;
                self.state.agenda.retain(|item| *item != Item::Tell(*index));
            }
            self.state.push(Item::Confirm);
            return Some(Judgement { is_idle: !is_new, goes_on: true, ..Judgement::forced(1) });
        }
        if heard.offers && self.state.untold().next().is_none() {
            self.state.push(Item::Urge);
            return Some(Judgement { is_idle: true, ..Judgement::forced(1) });
        }
        if heard.asks_else {
            self.state.push(Item::DoNotMind);
            return Some(Judgement { is_idle: true, goes_on: true, ..Judgement::forced(1) });
        }
        None
    }

    /// Puts what was asked for on top of the agenda. True where nothing of it was new.
    fn push_asked(&mut self, again: bool) -> bool {
        let is_new = self.heard.asks.iter().any(|index| self.state.told[*index] == 0);
        for index in self.heard.asks.iter().rev() {
            if again || self.state.told[*index] == 0 {
                self.state.push(Item::Tell(*index));
            }
        }
        !is_new
    }

    fn invited(&mut self) -> Option<Judgement> {
        let manners = &self.heard.manners;
        let is_open = manners.asks_openly || manners.offers_more_help || manners.greets;
        (is_open && !manners.refuses).then(|| self.next_or_urge(false))
    }

    /// Nothing that moves the conversation on.
    fn idle(&mut self) -> Judgement {
        if self.heard.manners.refuses {
            return Judgement::fault(Fault::Unhelpful, Remark::NoRefusal);
        }
        if self.spec.persona.expertise >= 0.5 || self.state.agenda.is_empty() {
            return self.next_or_urge(true);
        }
        let knows_next = matches!(self.state.agenda.last(), Some(Item::Ask(_)));
        if knows_next {
            self.next_or_urge(true)
        } else {
            Judgement::fault(Fault::Unhelpful, Remark::WhatNext)
        }
    }

    /// Goes on with the agenda; where it is empty, asks again for what is owed, with less patience.
    fn next_or_urge(&mut self, is_idle: bool) -> Judgement {
        if !self.state.agenda.is_empty() {
            return Judgement { is_idle, ..Judgement::going_on() };
        }
        let owed = owed(self.state);
        let is_first = owed == Item::Urge && self.state.n_urged == 0;
        self.state.push(owed);
        let fault = (!is_first).then_some(Fault::Unhelpful);
        Judgement { fault, is_idle, ..Judgement::forced(1) }
    }
}

/// Writes a judgement into the memory: patience, satisfaction, the end.
fn settle(spec: &AgendaSpec, state: &mut AgendaState, judgement: &Judgement) {
    if let Some(fault) = judgement.fault {
        *state.faults.entry(fault).or_default() += 1;
        let cost = if fault == Fault::Rude { 2 } else { 1 };
        state.patience_left = state.patience_left.saturating_sub(cost);
        state.satisfaction -= COST_OF_FAULT * f64::from(cost);
    } else if judgement.is_idle {
        state.satisfaction -= COST_OF_FAULT / 3.0;
    } else {
        state.satisfaction += (1.0 - state.satisfaction) / 10.0;
    }
    state.ending = match judgement.ending {
        None if state.patience_left == 0 => Some(Ending::GaveUp),
        ending => ending,
    };
    match state.ending {
        Some(Ending::Solved) => state.satisfaction += WORTH_OF_END,
        Some(Ending::GaveUp | Ending::AgentLeft) => state.satisfaction -= WORTH_OF_END,
        None => {}
    }
    state.satisfaction = state.satisfaction.clamp(0.0, 1.0);
    // Nothing is left to wait for once the thing is done and the facts are told.
    if spec.goal.needs_booking && state.is_booked {
        state.agenda.retain(|item| *item != Item::Urge);
    }
}

/// Takes what is said now from the agenda.
fn pick(
    spec: &AgendaSpec,
    state: &mut AgendaState,
    judgement: &Judgement,
    stream: &mut Stream,
) -> Vec<Item> {
    let mut said = Vec::new();
    for _ in 0..judgement.n_forced {
        said.extend(state.agenda.pop());
    }
    if judgement.goes_on || judgement.adds {
        let n_more = n_facts(spec.style.facts_per_turn, stream).saturating_sub(said.len());
        let least = usize::from(judgement.goes_on && said.iter().all(is_reaction));
        tell_more(state, &mut said, n_more.max(least));
    }
    if judgement.goes_on && said.iter().all(is_reaction) {
        let next = match state.agenda.last() {
            Some(Item::Ask(_)) => state.agenda.pop(),
            _ => None,
        };
        said.push(next.unwrap_or_else(|| owed(state)));
    }
    said
}

/// Moves up to `n` constraints from the top of the agenda to what is said.
fn tell_more(state: &mut AgendaState, said: &mut Vec<Item>, n: usize) {
    for _ in 0..n {
        if let Some(Item::Tell(_)) = state.agenda.last() {
            said.extend(state.agenda.pop());
        }
    }
}

/// What the user still waits for: an answer, or that the thing is done.
fn owed(state: &AgendaState) -> Item {
    state.unanswered().next().map_or(Item::Urge, Item::Ask)
}

fn is_reaction(item: &Item) -> bool {
    matches!(item, Item::Confirm | Item::DoNotMind)
}

/// How many facts a message tells: the mean of the style, as one more or one less by chance.
fn n_facts(mean: f64, stream: &mut Stream) -> usize {
    let whole = mean.floor();
    whole as usize + usize::from(stream.chance(mean - whole))
}

fn note(state: &mut AgendaState, said: &[Item]) {
    for item in said {
        match item {
            Item::Tell(i) | Item::Correct(i) | Item::Settle(i) => {
                state.told[*i] += 1;
                state.agenda.retain(|other| *other != Item::Tell(*i));
            }
            Item::Ask(j) => state.asked[*j] += 1,
            Item::Confirm | Item::DoNotMind => {}
            Item::Urge => state.n_urged += 1,
        }
    }
}

fn remember(state: &mut AgendaState, words: &[String]) {
    let (n_turns, n_words) = MEMORY;
    if state.earlier_turns.len() < n_turns {
        state.earlier_turns.push(words.iter().take(n_words).cloned().collect::<Vec<_>>().join(" "));
    }
}
