//! The worlds of commerce as [`World`]s: scenarios of three splits, environment, reward.
//!
//! To which split a scenario belongs is a function of what is true in it: its hash decides. So no
//! scenario can be in two splits, and a scenario that somebody draws with another seed belongs to the
//! split that it would belong to here.

use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use stateset_core::{Environment, Purpose, RunSeed, Scenario, StreamKey};

use super::cross_sell::CrossSell;
use super::environment::{COMMERCE, CommerceEnvironment};
use super::fraud::FraudReview;
use super::fulfilment::Fulfilment;
use super::pricing::DynamicPricing;
use super::returns::ReturnsDesk;
use super::simulator::Simulator;
use crate::customer::{Split, text_seed};
use crate::sets::World;

/// Scenarios in each split, in the order of [`Split::ALL`].
const N_SCENARIOS: [usize; 3] = [120, 30, 60];

/// Every world of commerce.
pub fn commerce_worlds() -> Vec<Box<dyn World>> {
    vec![
        Box::new(CommerceWorld::<ReturnsDesk>(PhantomData)),
        Box::new(CommerceWorld::<DynamicPricing>(PhantomData)),
        Box::new(CommerceWorld::<Fulfilment>(PhantomData)),
        Box::new(CommerceWorld::<CrossSell>(PhantomData)),
        Box::new(CommerceWorld::<FraudReview>(PhantomData)),
    ]
}

/// The reward of the world called `name`, written out in figures and weights; `None` for other names.
pub fn commerce_preset(name: &str) -> Option<&'static str> {
    commerce_worlds().iter().find(|world| world.name() == name).map(|world| world.reward())
}

struct CommerceWorld<S>(PhantomData<S>);

impl<S: Simulator> World for CommerceWorld<S> {
    fn name(&self) -> &'static str {
        S::PROFILE.name
    }

    fn summary(&self) -> &'static str {
        S::PROFILE.summary
    }

    fn system_prompt(&self) -> String {
        S::PROFILE.instructions.to_owned()
    }

    fn max_turns(&self) -> usize {
        S::PROFILE.max_turns
    }

    fn reward(&self) -> &'static str {
        S::PROFILE.reward
    }

    fn scenarios(&self, split: Split) -> Vec<Scenario> {
        let index = Split::ALL.iter().position(|other| *other == split).unwrap_or(0);
        (0..N_SCENARIOS[index]).map(|number| scenario::<S>(split, number)).collect()
    }

    fn environment(&self, max_turns: usize) -> Arc<dyn Environment> {
        Arc::new(CommerceEnvironment::<S> { max_turns: max_turns.max(1), world: PhantomData })
    }
}

/// Scenario `number` of a split: the first that belongs there of those that are drawn for it.
fn scenario<S: Simulator>(split: Split, number: usize) -> Scenario {
    let id = format!("{}-{split}-{number:03}", S::PROFILE.name);
    let seed = RunSeed(text_seed(&id));
    let drawn = (0..u32::MAX).find_map(|attempt| {
        let key = StreamKey { step: attempt, ..StreamKey::default() };
        let spec = S::draw(&mut seed.stream(Purpose::Data, key));
        let value = serde_json::to_value(&spec).ok()?;
        (split_of(&value) == split).then(|| (S::topic(&spec), value))
    });
    let (topic, value) = drawn.unwrap_or_default();
    let mut metadata = Map::new();
    metadata.insert(COMMERCE.to_owned(), value);
    metadata.insert("split".to_owned(), json!(split));
    Scenario {
        id,
        topic: topic.to_owned(),
        context: S::PROFILE.summary.to_owned(),
        metadata,
        ..Scenario::default()
    }
}

/// Six tenths are for training, two for validation, two are held out.
fn split_of(spec: &Value) -> Split {
    match text_seed(&spec.to_string()) % 10 {
        0..6 => Split::Train,
        6 | 7 => Split::Validation,
        _ => Split::HeldOut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_true_decides_the_split() {
        for world in commerce_worlds() {
            for split in Split::ALL {
                for scenario in world.scenarios(*split) {
                    let spec = &scenario.metadata[COMMERCE];
                    assert_eq!(split_of(spec), *split, "{}", scenario.id);
                }
            }
        }
    }
}
