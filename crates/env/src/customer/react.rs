//! The simulated customer at work: a small state machine without a model.
//!
//! [`open`] says the first words; [`react`] reads one turn of the agent (see [`super::understand`]),
//! judges it and answers. The rules, strongest first:
//!
//! 1. An empty turn, a muddle or an insult gets nothing but a complaint.
//! 2. More than two facts asked for, or more than one kind of help, is confusing: no credit for any.
//! 3. A fact of the customer stated wrongly is corrected; nothing else in the turn counts.
//! 4. The right help, with every needed fact told, solves the problem and ends the conversation. With
//!    facts missing it is premature, unless the turn asks for a missing one and only announces help.
//!    Other help is refused.
//! 5. Repeating oneself, or the customer, is noticed. Saying goodbye and asking nothing ends the
//!    conversation.
//! 6. Facts asked for are told; those told before are told again, with less patience.
//! 7. An open question brings out the first fact, but never a second one: agents have to know what to
//!    ask for. A kind word alone, a question whether a fact is right and an offer of the right help are
//!    forgiven once.
//! 8. Everything else (stalling, refusing, talk of other things) costs patience.
//!
//! A worried, annoyed or angry customer who has heard no kind word after two turns says so, and from
//! then on loses patience twice as fast. Patience gone, the customer leaves. An agent cannot win by
//! volume: whatever it tries in one turn beside the right thing makes the turn worthless.

use stateset_core::Stream;

use super::grammar::{self, Say};
use super::state::Lenience;
use super::understand::{Acts, confirmed_facts, mistaken_facts, plain, understand};
use super::{CustomerSpec, CustomerState, Ending, Fault, Resolution, Slot};
use crate::text::{is_parrot, is_repeat, words};

/// Most facts an agent may ask for in one turn.
const MAX_ASKED_AT_ONCE: usize = 2;
/// Agent turns within which an upset customer wants to hear a kind word.
const N_TURNS_FOR_KINDNESS: usize = 2;
/// Earlier turns of the agent that the customer remembers, and words of each.
const MEMORY: (usize, usize) = (16, 60);

/// What the customer answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The words; last words where the conversation is over.
    pub text: String,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
    /// What was wrong with the agent's turn; empty for a good one.
    pub faults: Vec<Fault>,
}

/// The customer's first message and their memory after it.
pub fn open(spec: &CustomerSpec, stream: &mut Stream) -> (CustomerState, String) {
    let text = grammar::opening(spec, stream);
    (CustomerState::new(spec, &text), text)
}

/// The customer's answer to one turn of the agent. After the end nothing more is said.
pub fn react(
    spec: &CustomerSpec,
    state: &mut CustomerState,
    agent_text: &str,
    stream: &mut Stream,
) -> Reply {
    if state.ending.is_some() {
        return Reply { text: String::new(), ending: state.ending, faults: Vec::new() };
    }
    let acts = understand(agent_text);
    state.n_agent_turns += 1;
    state.acknowledged |= acts.acknowledges && !acts.is_rude;
    let words = words(agent_text);
    let turn = Turn::new(spec, state, &acts, agent_text, &words);
    let mut judgement = turn.judge();
    let misses_kindness = judgement.ending.is_none() && misses_kindness(spec, state);
    if misses_kindness {
        judgement.says.push(Say::AskForKindness);
        judgement.faults.push(Fault::Unkind);
    }
    apply(spec, state, &judgement);
    remember(state, &words);
    let text = speak(spec, state, &judgement, stream);
    state.last_said.clone_from(&text);
    Reply { text, ending: state.ending, faults: judgement.faults }
}

fn misses_kindness(spec: &CustomerSpec, state: &CustomerState) -> bool {
    spec.mood.wants_acknowledgement()
        && !state.acknowledged
        && state.n_agent_turns == N_TURNS_FOR_KINDNESS
}

/// Writes a judgement into the memory.
fn apply(spec: &CustomerSpec, state: &mut CustomerState, judgement: &Judgement) {
    for say in &judgement.says {
        if let Say::Answer(slot) | Say::Volunteer(slot) = say {
            state.told.push(*slot);
        }
    }
    let is_on_edge = spec.mood.wants_acknowledgement()
        && !state.acknowledged
        && state.n_agent_turns > N_TURNS_FOR_KINDNESS;
    for fault in &judgement.faults {
        *state.faults.entry(*fault).or_default() += 1;
        let cost = fault.cost() * if is_on_edge { 2 } else { 1 };
        state.patience_left = state.patience_left.saturating_sub(cost);
    }
    state.forgiven.extend(judgement.forgiven);
    state.ending = match judgement.ending {
        None if state.patience_left == 0 => Some(Ending::GaveUp),
        ending => ending,
    };
}

fn remember(state: &mut CustomerState, words: &[String]) {
    let (n_turns, n_words) = MEMORY;
    if state.earlier_turns.len() < n_turns {
        state.earlier_turns.push(words.iter().take(n_words).cloned().collect::<Vec<_>>().join(" "));
    }
}

fn speak(
    spec: &CustomerSpec,
    state: &CustomerState,
    judgement: &Judgement,
    stream: &mut Stream,
) -> String {
    const TRIES: usize = 3;
    let mut say = || match state.ending {
        Some(Ending::Solved) => grammar::thanks(spec, spec.issue.resolution(), stream),
        Some(Ending::GaveUp) => grammar::farewell(spec, false, stream),
        Some(Ending::AgentLeft) => grammar::farewell(spec, true, stream),
        None => grammar::reply(spec, &judgement.says, stream),
    };
    // A person would not use the very same words twice in a row.
    let first = say();
    (1..TRIES).fold(first, |text, _| if text == state.last_said { say() } else { text })
}

/// What the customer makes of a turn.
#[derive(Default)]
struct Judgement {
    says: Vec<Say>,
    faults: Vec<Fault>,
    forgiven: Option<Lenience>,
    ending: Option<Ending>,
}

impl Judgement {
    fn fault(fault: Fault, says: impl Into<Vec<Say>>) -> Judgement {
        Judgement { says: says.into(), faults: vec![fault], ..Judgement::default() }
    }

    fn ending(ending: Ending) -> Judgement {
        Judgement { ending: Some(ending), ..Judgement::default() }
    }

    fn fine(says: impl Into<Vec<Say>>) -> Judgement {
        Judgement { says: says.into(), ..Judgement::default() }
    }
}

/// One turn of the agent, and everything needed to judge it.
struct Turn<'a> {
    spec: &'a CustomerSpec,
    state: &'a CustomerState,
    acts: &'a Acts,
    words: &'a [String],
    agent_text: &'a str,
    /// Facts asked for, without those whose right value the agent states itself.
    asks: Vec<Slot>,
    /// Told facts that the agent asks about with their right value.
    confirms: Vec<Slot>,
    /// Kinds of help given, without a companion of the right one.
    gives: Vec<Resolution>,
}

impl<'a> Turn<'a> {
    fn new(
        spec: &'a CustomerSpec,
        state: &'a CustomerState,
        acts: &'a Acts,
        agent_text: &'a str,
        words: &'a [String],
    ) -> Turn<'a> {
        let confirms = confirmed_facts(spec, &state.told, agent_text);
        let asks = acts.asks.iter().copied().filter(|slot| !confirms.contains(slot)).collect();
        let right = spec.issue.resolution();
        let is_companion = |kind: &Resolution| {
            acts.resolutions.contains(&right) && spec.issue.companion() == Some(*kind)
        };
        let gives = acts.resolutions.iter().copied().filter(|kind| !is_companion(kind)).collect();
        Turn { spec, state, acts, words, agent_text, asks, confirms, gives }
    }

    /// The first rule that applies decides.
    fn judge(&self) -> Judgement {
        let rules: [fn(&Self) -> Option<Judgement>; 9] = [
            Turn::unreadable,
            Turn::overloaded,
            Turn::mistaken,
            Turn::helping,
            Turn::offering,
            Turn::repeating,
            Turn::leaving,
            Turn::asking,
            Turn::asking_openly,
        ];
        rules.iter().find_map(|rule| rule(self)).unwrap_or_else(|| self.idle())
    }

    fn unreadable(&self) -> Option<Judgement> {
        if self.acts.is_empty {
            Some(Judgement::fault(Fault::Unhelpful, [Say::Silence]))
        } else if self.acts.is_rude {
            Some(Judgement::fault(Fault::Rude, [Say::NoInsults]))
        } else if self.acts.muddle.is_some() {
            Some(Judgement::fault(Fault::Confusing, [Say::NotUnderstood]))
        } else {
            None
        }
    }

    fn overloaded(&self) -> Option<Judgement> {
        let n_offered = self.acts.offers.iter().filter(|kind| !self.gives.contains(kind)).count();
        if self.gives.len() + n_offered > 1 {
            Some(Judgement::fault(Fault::Confusing, [Say::WhichOne]))
        } else if self.asks.len() > MAX_ASKED_AT_ONCE {
            Some(Judgement::fault(Fault::Confusing, [Say::TooManyQuestions]))
        } else {
            None
        }
    }

    fn mistaken(&self) -> Option<Judgement> {
        let mistakes = mistaken_facts(self.spec, self.agent_text);
        let slot = *mistakes.first()?;
        let mut says = vec![Say::WrongFact];
        if self.state.told.contains(&slot) {
            says.push(Say::TellAgain(slot));
        }
        Some(Judgement::fault(Fault::WrongFact, says))
    }

    fn helping(&self) -> Option<Judgement> {
        let kind = *self.gives.first()?;
        if kind != self.spec.issue.resolution() {
            return Some(Judgement::fault(Fault::WrongHelp, [Say::WrongHelp(kind)]));
        }
        let missing = self.state.missing(self.spec);
        let asks_missing = self.asks.iter().any(|slot| missing.contains(slot));
        if missing.is_empty() {
            // Asking for what was told, in the same breath, shows that it was not read.
            return if self.asks.iter().any(|slot| self.state.told.contains(slot)) {
                None
            } else if self.exceeds_budget() {
                Some(Judgement::fault(Fault::WrongHelp, [Say::TooExpensive]))
            } else {
                Some(Judgement::ending(Ending::Solved))
            };
        }
        (!asks_missing || self.acts.is_done).then(|| self.premature(&missing))
    }

    /// Right help without all facts: the customer says what is missing, and answers what was asked.
    fn premature(&self, missing: &[Slot]) -> Judgement {
        let (asked, unasked): (Vec<Slot>, Vec<Slot>) =
            missing.iter().partition(|slot| self.asks.contains(slot));
        let named = unasked.first().or(missing.first()).map(|slot| Say::Missing(*slot));
        let answers = asked.into_iter().map(Say::Answer);
        Judgement::fault(Fault::Premature, named.into_iter().chain(answers).collect::<Vec<_>>())
    }

    fn offering(&self) -> Option<Judgement> {
        let kind = *self.acts.offers.first()?;
        if kind != self.spec.issue.resolution() {
            return Some(Judgement::fault(Fault::WrongHelp, [Say::WrongHelp(kind)]));
        }
        if !self.asks.is_empty() {
            return None;
        }
        Some(self.forgive(Lenience::Offer, [Say::YesPlease]))
    }

    fn repeating(&self) -> Option<Judgement> {
        let before = self.state.earlier_turns.iter().map(|turn| words(turn));
        if before.into_iter().any(|turn| is_repeat(self.words, &turn)) {
            return Some(Judgement::fault(Fault::RepeatedTurn, [Say::Repeating]));
        }
        let echoes = is_parrot(self.words, &words(&self.state.last_said));
        echoes.then(|| Judgement::fault(Fault::RepeatedTurn, [Say::Echoed]))
    }

    fn leaving(&self) -> Option<Judgement> {
        let leaves = self.acts.says_goodbye && self.asks.is_empty();
        leaves.then(|| Judgement::ending(Ending::AgentLeft))
    }

    fn asking(&self) -> Option<Judgement> {
        if self.asks.is_empty() {
            return None;
        }
        let is_told = |slot: &Slot| self.state.told.contains(slot);
        let is_known = |slot: &Slot| self.spec.fact(*slot).is_some();
        let answers = self
            .asks
            .iter()
            .filter(|slot| is_known(slot) && !is_told(slot))
            .map(|s| Say::Answer(*s));
        let again = self.asks.iter().filter(|slot| is_told(slot)).map(|slot| Say::TellAgain(*slot));
        let n_again = again.clone().count();
        let says: Vec<Say> = again.chain(answers).collect();
        if says.is_empty() {
            return Some(Judgement::fault(Fault::Unhelpful, [Say::NoNeed(self.asks[0])]));
        }
        let faults = vec![Fault::RepeatedQuestion; n_again.min(1)];
        Some(Judgement { says, faults, ..Judgement::default() })
    }

    fn asking_openly(&self) -> Option<Judgement> {
        if !self.acts.asks_openly {
            return None;
        }
        let missing = self.state.missing(self.spec);
        let nothing_told = missing.len() == self.spec.fact_order.len();
        Some(match missing.first() {
            Some(slot) if nothing_told => Judgement::fine([Say::Volunteer(*slot)]),
            Some(_) => Judgement::fault(Fault::Unhelpful, [Say::WhatExactly]),
            None => Judgement::fault(Fault::Unhelpful, [Say::AllTold]),
        })
    }

    /// No rule applied: nothing that moves the conversation on.
    fn idle(&self) -> Judgement {
        let acts = self.acts;
        let say = if acts.refuses {
            Say::NoRefusal
        } else if acts.stalls {
            Say::NoWaiting
        } else if acts.offers_more_help {
            Say::NotSolved
        } else if !self.confirms.is_empty() {
            return self.forgive(Lenience::Confirmation, [Say::Confirmed]);
        } else if acts.acknowledges && !self.state.forgiven.contains(&Lenience::KindWord) {
            return self.forgive(Lenience::KindWord, [Say::AndNow]);
        } else {
            Say::NoHelp
        };
        Judgement::fault(Fault::Unhelpful, [say])
    }

    /// Fine the first time, unhelpful after it.
    fn forgive(&self, lenience: Lenience, says: impl Into<Vec<Say>>) -> Judgement {
        if self.state.forgiven.contains(&lenience) {
            Judgement::fault(Fault::Unhelpful, says)
        } else {
            Judgement { forgiven: Some(lenience), ..Judgement::fine(says) }
        }
    }

    /// True where a price is named that is above the budget.
    fn exceeds_budget(&self) -> bool {
        let said = prices(&plain(self.agent_text));
        let budget = self.spec.fact(Slot::Budget).map(|budget| prices(&plain(budget)));
        let most = budget.and_then(|sums| sums.into_iter().max());
        most.is_some_and(|most| said.iter().any(|price| *price > most))
    }
}

/// Sums of money in a plain text, in dollars, rounded up.
fn prices(plain_text: &str) -> Vec<u64> {
    let words: Vec<&str> = plain_text.split(' ').collect();
    let sums = words.windows(2).filter(|pair| matches!(pair[1], "dollars" | "dollar"));
    sums.filter_map(|pair| pair[0].parse::<f64>().ok()).map(|sum| sum.ceil() as u64).collect()
}
