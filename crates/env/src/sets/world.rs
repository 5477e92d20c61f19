//! Everything that can be played without a file, by name.
//!
//! A world brings its scenarios, the environment that plays them, what the agent is told and the reward
//! that fits. To add one, implement [`World`] beside its environment and name it in [`worlds`].

use std::sync::Arc;

use stateset_core::{Environment, Scenario};

use super::config::CONVERSATION_CONFIGS;
use crate::commerce::commerce_worlds;
use crate::customer::Split;
use crate::error::EnvError;
use crate::names::{listed, nearest};
use crate::shop::Shop;
use crate::task::TASK_CONFIGS;

/// One built-in world.
pub trait World: Send + Sync {
    /// Its name, such as `customer_service`; unique among all worlds.
    fn name(&self) -> &'static str;

    /// What is played, in one sentence for people.
    fn summary(&self) -> &'static str;

    /// What the agent is told, unless it has instructions of its own.
    fn system_prompt(&self) -> String;

    /// Most turns of the agent in one conversation, unless a run says otherwise.
    fn max_turns(&self) -> usize;

    /// The reward that fits, as [`crate::rewards::parse_reward`] reads it.
    fn reward(&self) -> &'static str;

    /// The scenarios of one split; the same on every call, and no scenario is in two splits.
    fn scenarios(&self, split: Split) -> Vec<Scenario>;

    /// The environment that plays them.
    fn environment(&self, max_turns: usize) -> Arc<dyn Environment>;
}

/// Every built-in world.
pub fn worlds() -> Vec<Box<dyn World>> {
    let mut all: Vec<Box<dyn World>> = Vec::new();
    all.extend(CONVERSATION_CONFIGS.iter().map(|config| -> Box<dyn World> { Box::new(*config) }));
    all.push(Box::new(super::tutoring::Tutoring));
    all.push(Box::new(super::bookings::Bookings));
    all.extend(TASK_CONFIGS.iter().map(|config| -> Box<dyn World> { Box::new(*config) }));
    all.push(Box::new(Shop));
    all.extend(commerce_worlds());
    all
}

/// The world called `name`.
///
/// # Errors
/// [`EnvError::UnknownSet`] with the names there are.
pub fn world(name: &str) -> Result<Box<dyn World>, EnvError> {
    let mut all = worlds();
    let known: Vec<&str> = all.iter().map(|world| world.name()).collect();
    match known.iter().position(|known| *known == name) {
        Some(index) => Ok(all.swap_remove(index)),
        None => Err(EnvError::UnknownSet {
            found: name.to_owned(),
            hint: nearest(name, &known).map(str::to_owned),
            known: listed(&known),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::rewards::parse_reward;

    #[test]
    fn every_world_is_whole() {
        let mut names = HashSet::new();
        for world in worlds() {
            let name = world.name();
            assert!(names.insert(name), "{name} twice");
            assert!(parse_reward(world.reward()).is_ok(), "{name}");
            assert!(!world.summary().is_empty() && !world.system_prompt().is_empty(), "{name}");
            let mut ids = HashSet::new();
            for (split, least) in Split::ALL.iter().zip([40, 10, 20]) {
                let scenarios = world.scenarios(*split);
                assert!(scenarios.len() >= least, "{name} {split}: {}", scenarios.len());
                assert_eq!(scenarios, world.scenarios(*split), "{name} {split}");
                for scenario in scenarios {
                    assert!(ids.insert(scenario.id.clone()), "{name}: {} twice", scenario.id);
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = world("customer_servce").err().unwrap().to_string();
        assert!(error.contains("did you mean \"customer_service\"?"), "{error}");
    }
}
