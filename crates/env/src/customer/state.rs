//! What a customer remembers during one conversation. Plain data, so that an episode can be stored
//! and continued elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CustomerSpec, Slot};
use crate::names::named_enum;

named_enum! {
    /// One way in which a turn of the agent does not help.
    pub enum Fault {
        /// It asks for a fact that had been told.
        RepeatedQuestion => "repeated_question",
        /// It says again what was said before.
        RepeatedTurn => "repeated_turn",
        /// It gives another kind of help than the customer needs.
        WrongHelp => "wrong_help",
        /// It states one of the customer's facts wrongly.
        WrongFact => "wrong_fact",
        /// It gives the right help before it can.
        Premature => "premature",
        /// It cannot be followed, or does too much at once.
        Confusing => "confusing",
        /// It insults.
        Rude => "rude",
        /// It leaves an upset customer without a kind word.
        Unkind => "unkind",
        /// It leads nowhere: empty, stalling, refusing, off topic, or asking for what does not matter.
        Unhelpful => "unhelpful",
    }
}

impl Fault {
    /// What it costs of the customer's patience.
    pub(super) fn cost(self) -> u32 {
        if self == Fault::Rude { 2 } else { 1 }
    }
}

named_enum! {
    /// How a conversation ended.
    pub enum Ending {
        /// The customer got what they came for.
        Solved => "solved",
        /// Their patience ran out.
        GaveUp => "gave_up",
        /// The agent said goodbye before the problem was solved.
        AgentLeft => "agent_left",
    }
}

/// The memory of one customer in one conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerState {
    /// Turns the agent has taken.
    pub n_agent_turns: usize,
    /// Facts told so far, in the order of telling.
    pub told: Vec<Slot>,
    /// Patience that is left.
    pub patience_left: u32,
    /// Whether the agent has shown that it understands the trouble.
    pub acknowledged: bool,
    /// How often the agent did not help, by kind.
    pub faults: BTreeMap<Fault, u32>,
    /// How it ended; `None` while it goes on.
    pub ending: Option<Ending>,
    /// What the customer said last.
    pub last_said: String,
    /// The words of the agent's earlier turns, shortened.
    pub earlier_turns: Vec<String>,
    /// Harmless turns that are forgiven only once, and were.
    pub forgiven: Vec<Lenience>,
}

named_enum! {
    /// A turn that leads nowhere but is natural the first time.
    pub enum Lenience {
        /// Asking whether a fact is right.
        Confirmation => "confirmation",
        /// Offering the right help instead of giving it.
        Offer => "offer",
        /// A kind word and nothing else.
        KindWord => "kind_word",
    }
}

impl CustomerState {
    /// The memory of a customer who has just said `opening`.
    pub(super) fn new(spec: &CustomerSpec, opening: &str) -> CustomerState {
        let mut told: Vec<Slot> =
            spec.fact_order.iter().take(spec.n_opening_facts).copied().collect();
        let introduces = spec.opening_style == super::OpeningStyle::Introduction;
        if introduces && spec.fact(Slot::Name).is_some() && !told.contains(&Slot::Name) {
            told.push(Slot::Name);
        }
        CustomerState {
            n_agent_turns: 0,
            told,
            patience_left: spec.patience,
            acknowledged: false,
            faults: BTreeMap::new(),
            ending: None,
            last_said: opening.to_owned(),
            earlier_turns: Vec::new(),
            forgiven: Vec::new(),
        }
    }

    /// Facts the issue needs that have not been told, in the order in which they come out.
    pub fn missing(&self, spec: &CustomerSpec) -> Vec<Slot> {
        spec.fact_order.iter().copied().filter(|slot| !self.told.contains(slot)).collect()
    }

    /// How often the agent did this.
    pub fn n_faults(&self, fault: Fault) -> u32 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }
}
