//! The world of bookings: people who want a table, a room or tickets, with a goal and a persona.
//!
//! Its users are agenda users ([`crate::agenda`]). What makes one scenario different from all others is
//! the combination of what is booked, who books it, how much the first message tells and whether
//! something is asked for; no combination is in two splits. Where a user asks for something, the agent's
//! instructions hold the answer, so that it can be learnt and not only guessed.

use std::sync::Arc;

use serde_json::{Map, json};
use stateset_core::{Environment, Purpose, RunSeed, Scenario, Stream, StreamKey};

use super::world::World;
use crate::agenda::{AgendaSpec, Constraint, Fact, Goal, Request};
use crate::conversation::ConversationEnvironment;
use crate::customer::grammar::person;
use crate::customer::{Split, text_seed};
use crate::persona::{PERSONA_NAMES, Persona};

const NAME: &str = "bookings";
const SYSTEM_PROMPT: &str = "You are a friendly booking agent.";
const MAX_TURNS: usize = 8;
/// Scenarios in each split, in the order of [`Split::ALL`]; together, all combinations.
const N_SCENARIOS: [usize; 3] = [84, 20, 40];

/// The world of bookings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bookings;

impl World for Bookings {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "people who book a table, a room or tickets, with wishes, questions and moods"
    }

    fn system_prompt(&self) -> String {
        SYSTEM_PROMPT.to_owned()
    }

    fn max_turns(&self) -> usize {
        MAX_TURNS
    }

    fn reward(&self) -> &'static str {
        NAME
    }

    fn scenarios(&self, split: Split) -> Vec<Scenario> {
        let seed = RunSeed(text_seed(NAME));
        let mut all = combinations();
        seed.stream(Purpose::Data, StreamKey::default()).shuffle(&mut all);
        let [n_train, n_validation, _] = N_SCENARIOS;
        let (from, to) = match split {
            Split::Train => (0, n_train),
            Split::Validation => (n_train, n_train + n_validation),
            Split::HeldOut => (n_train + n_validation, all.len()),
        };
        let numbered = all.iter().enumerate().take(to).skip(from);
        numbered
            .map(|(index, combination)| {
                let key = StreamKey { step: 1, scenario: index as u32, ..StreamKey::default() };
                let mut stream = seed.stream(Purpose::Data, key);
                scenario(format!("{NAME}-{split}-{:03}", index - from), combination, &mut stream)
            })
            .collect()
    }

    fn environment(&self, max_turns: usize) -> Arc<dyn Environment> {
        Arc::new(ConversationEnvironment { max_turns, ..ConversationEnvironment::default() })
    }
}

/// What is booked: the task, the facts that are needed, and what may be asked with how it is answered.
struct Kind {
    name: &'static str,
    task: &'static str,
    slots: [&'static str; 3],
    asks: [(&'static str, &'static str); 3],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "table",
        task: "book a table",
        slots: ["day", "people", "name"],
        asks: [("price", "{n} dollars"), ("address", "{n} Oak Street"), ("phone number", "555{n}")],
    },
    Kind {
        name: "room",
        task: "book a room",
        slots: ["day", "nights", "email"],
        asks: [("price", "{n} dollars"), ("room number", "{n}"), ("phone number", "555{n}")],
    },
    Kind {
        name: "tickets",
        task: "book tickets for the show",
        slots: ["day", "quantity", "name"],
        asks: [("price", "{n} dollars"), ("seat number", "{n}"), ("address", "{n} Hill Street")],
    },
];

/// What makes a scenario different from all others.
struct Combination {
    kind: &'static Kind,
    persona: Option<&'static str>,
    n_opening: usize,
    /// Which of the kind's questions is asked; the last number means none.
    asks: usize,
}

fn combinations() -> Vec<Combination> {
    let personas: Vec<Option<&'static str>> =
        PERSONA_NAMES.iter().copied().map(Some).chain([None]).collect();
    let mut all = Vec::new();
    for kind in KINDS {
        for persona in &personas {
            for n_opening in 0..2 {
                for asks in 0..=kind.asks.len() {
                    all.push(Combination { kind, persona: *persona, n_opening, asks });
                }
            }
        }
    }
    all
}

fn scenario(id: String, combination: &Combination, stream: &mut Stream) -> Scenario {
    let kind = combination.kind;
    let name = person(stream);
    let mut slots = kind.slots;
    stream.shuffle(&mut slots);
    let constraints: Vec<Constraint> =
        slots.iter().map(|slot| constraint(slot, &name, stream)).collect();
    let number = (10 + stream.index(90)).to_string();
    let asked = kind.asks.get(combination.asks);
    let answer = |template: &str| template.replace("{n}", &number);
    let requests = asked.map(|(slot, template)| Request {
        fact: Fact::new("", slot),
        answer: Some(answer(template)),
    });
    let told = asked.map(|(slot, template)| format!(" The {slot} is {}.", answer(template)));
    let goal = Goal {
        task: kind.task.to_owned(),
        constraints,
        requests: requests.into_iter().collect(),
        needs_booking: true,
    };
    let persona =
        combination.persona.and_then(|name| Persona::named(name).ok()).unwrap_or_default();
    let mut metadata = Map::new();
    metadata.insert("persona".to_owned(), json!(persona.name));
    let spec = AgendaSpec { persona, n_opening: combination.n_opening, ..AgendaSpec::new(goal) };
    Scenario {
        id,
        topic: kind.name.to_owned(),
        context: format!("Somebody wants to {}.", kind.task),
        system_prompt: told.map(|told| format!("{SYSTEM_PROMPT}{told}")),
        customer: Some(spec.to_value()),
        metadata,
        ..Scenario::default()
    }
}

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const COUNTS: [&str; 5] = ["2", "3", "4", "5", "6"];

/// A fact with a value; of days and counts the user notices when they are got wrong.
fn constraint(slot: &str, name: &str, stream: &mut Stream) -> Constraint {
    let of = |values: &[&str], say: &str, stream: &mut Stream| {
        let value = stream.choose(values).copied().unwrap_or_default();
        Constraint {
            others: values
                .iter()
                .filter(|other| **other != value)
                .map(|v| (*v).to_owned())
                .collect(),
            say: Some(say.to_owned()),
            ..Constraint::new("", slot, value)
        }
    };
    match slot {
        "day" => of(&DAYS, "[it is for|I want it for|on] {value}", stream),
        "people" => of(&COUNTS, "[it is for|we are|for] {value} people", stream),
        "nights" => of(&COUNTS, "[for|I want to stay] {value} nights", stream),
        "quantity" => of(&COUNTS, "[I need|I would like] {value} tickets", stream),
        "email" => {
            let address = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
            let say = Some("[my email address is|my email is] {value}".to_owned());
            Constraint { say, ..Constraint::new("", "email", &address) }
        }
        _ => {
            let say = Some("[my name is|it is for|the name is] {value}".to_owned());
            Constraint { say, ..Constraint::new("", "name", name) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn splits_share_no_combination() {
        assert_eq!(combinations().len(), N_SCENARIOS.iter().sum::<usize>());
        let mut specs = BTreeSet::new();
        for (split, n) in Split::ALL.iter().zip(N_SCENARIOS) {
            let scenarios = Bookings.scenarios(*split);
            assert_eq!(scenarios.len(), n);
            for scenario in scenarios {
                let customer = scenario.customer.unwrap();
                AgendaSpec::from_value(&customer).unwrap();
                let asks = customer["requests"][0]["slot"].to_string();
                let persona = customer["persona"]["name"].to_string();
                let key = (scenario.topic, persona, customer["n_opening"].to_string(), asks);
                assert!(specs.insert(key.clone()), "{key:?} twice");
            }
        }
    }

    #[test]
    fn what_may_be_asked_is_in_the_instructions() {
        let scenarios = Bookings.scenarios(Split::Train);
        let mut n_asking = 0;
        for scenario in scenarios {
            let spec = AgendaSpec::from_value(scenario.customer.as_ref().unwrap()).unwrap();
            for request in &spec.goal.requests {
                let prompt = scenario.system_prompt.as_ref().unwrap();
                assert!(prompt.contains(request.answer.as_ref().unwrap()), "{prompt}");
                n_asking += 1;
            }
        }
        assert!(n_asking > 40);
    }
}
