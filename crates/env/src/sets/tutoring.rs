//! The world of tutoring: pupils with a misconception, each problem in one split only.
//!
//! Its users are pupils ([`crate::pupil`]). Every split meets every misconception and every persona; what
//! is new to the held-out pupils are the problems.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, json};
use stateset_core::{Environment, Purpose, RunSeed, Scenario, Stream, StreamKey};

use super::world::World;
use crate::conversation::ConversationEnvironment;
use crate::customer::{Split, text_seed};
use crate::persona::{PERSONA_NAMES, Persona};
use crate::pupil::{Misconception, PupilSpec};

const NAME: &str = "tutoring";
/// The documents give 20 turns; a pupil's patience ends a lesson that leads nowhere long before.
const MAX_TURNS: usize = 8;
/// Problems of each misconception in each split, in the order of [`Split::ALL`].
const N_PROBLEMS: [usize; 3] = [6, 2, 3];

/// The world of tutoring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tutoring;

impl World for Tutoring {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "pupils with a misconception, who learn from questions and hints and not from being told"
    }

    fn system_prompt(&self) -> String {
        "You are a friendly tutor. Help with questions and hints, and do not tell the answer."
            .to_owned()
    }

    fn max_turns(&self) -> usize {
        MAX_TURNS
    }

    fn reward(&self) -> &'static str {
        NAME
    }

    fn scenarios(&self, split: Split) -> Vec<Scenario> {
        let [n_train, n_validation, n_held_out] = N_PROBLEMS;
        let (from, n) = match split {
            Split::Train => (0, n_train),
            Split::Validation => (n_train, n_validation),
            Split::HeldOut => (n_train + n_validation, n_held_out),
        };
        let mut scenarios = Vec::new();
        for (index, kind) in Misconception::ALL.iter().enumerate() {
            let key = StreamKey { scenario: index as u32, ..StreamKey::default() };
            let mut stream = RunSeed(text_seed(NAME)).stream(Purpose::Data, key);
            let problems = problems(*kind, &mut stream);
            for (number, numbers) in problems.iter().enumerate().skip(from).take(n) {
                let persona = PERSONA_NAMES[(index + number) % PERSONA_NAMES.len()];
                let id = format!("{NAME}-{split}-{:03}", scenarios.len());
                scenarios.push(scenario(id, *kind, numbers, persona));
            }
        }
        scenarios
    }

    fn environment(&self, max_turns: usize) -> Arc<dyn Environment> {
        Arc::new(ConversationEnvironment { max_turns, ..ConversationEnvironment::default() })
    }
}

/// All problems of one kind in a drawn order, each question once.
fn problems(kind: Misconception, stream: &mut Stream) -> Vec<Vec<u32>> {
    let (low, high) = kind.range();
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..kind.n_numbers() {
        all = all
            .into_iter()
            .flat_map(|numbers| {
                (low..=high).map(move |next| [numbers.as_slice(), &[next]].concat())
            })
            .collect();
    }
    stream.shuffle(&mut all);
    let mut seen = BTreeSet::new();
    all.retain(|numbers| {
        kind.problem(numbers).is_some_and(|problem| seen.insert(problem.question))
    });
    all
}

fn scenario(id: String, misconception: Misconception, numbers: &[u32], persona: &str) -> Scenario {
    let persona = Persona::named(persona).unwrap_or_default();
    let mut metadata = Map::new();
    metadata.insert("persona".to_owned(), json!(persona.name));
    let spec = PupilSpec { misconception, numbers: numbers.to_vec(), persona };
    Scenario {
        id,
        topic: misconception.name().to_owned(),
        context: "A pupil has a wrong answer and does not know why it is wrong.".to_owned(),
        customer: Some(spec.to_value()),
        metadata,
        ..Scenario::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_share_no_problem_and_every_split_has_every_kind() {
        let mut questions = BTreeSet::new();
        for (split, n) in Split::ALL.iter().zip(N_PROBLEMS) {
            let scenarios = Tutoring.scenarios(*split);
            assert_eq!(scenarios.len(), n * Misconception::ALL.len());
            for scenario in scenarios {
                let spec = PupilSpec::from_value(scenario.customer.as_ref().unwrap()).unwrap();
                let question = spec.problem().unwrap().question;
                assert!(questions.insert(question.clone()), "{question} twice");
            }
        }
    }
}
