//! The built-in sets by name, with everything a run needs to play them.
//!
//! The documents give 15 turns to a conversation; here it is 8, because a customer's patience ends a
//! conversation that leads nowhere after five turns or less, and because eight turns still fit into
//! the context of the smallest model.

use std::sync::Arc;

use stateset_core::{Environment, Scenario};

use super::generate::scenarios;
use super::world::World;
use crate::conversation::ConversationEnvironment;
use crate::customer::{Domain, Split};
use crate::error::EnvError;
use crate::names::{listed, nearest};

/// One built-in set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationConfig {
    /// Whose customers they are; its name is the set's.
    pub domain: Domain,
    /// What the agent is told, in one sentence.
    pub system_prompt: &'static str,
    /// Most turns of the agent in one conversation.
    pub max_turns: usize,
    /// Scenarios in each split, in the order of [`Split::ALL`].
    pub n_scenarios: [usize; 3],
}

/// Every built-in set.
pub const CONVERSATION_CONFIGS: &[ConversationConfig] = &[
    ConversationConfig {
        domain: Domain::CustomerService,
        system_prompt: "You are a friendly customer service agent.",
        max_turns: 8,
        n_scenarios: [270, 36, 63],
    },
    ConversationConfig {
        domain: Domain::TechnicalSupport,
        system_prompt: "You are a friendly technical support agent.",
        max_turns: 8,
        n_scenarios: [140, 21, 35],
    },
    ConversationConfig {
        domain: Domain::Sales,
        system_prompt: "You are a friendly sales assistant.",
        max_turns: 8,
        n_scenarios: [140, 21, 35],
    },
];

/// The set called `name`.
///
/// # Errors
/// [`EnvError::UnknownSet`] with the names there are.
pub fn conversation_config(name: &str) -> Result<ConversationConfig, EnvError> {
    let found = CONVERSATION_CONFIGS.iter().find(|config| config.name() == name);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = CONVERSATION_CONFIGS.iter().map(ConversationConfig::name).collect();
        EnvError::UnknownSet {
            found: name.to_owned(),
            hint: nearest(name, &known).map(str::to_owned),
            known: listed(&known),
        }
    })
}

impl ConversationConfig {
    /// Its name, such as `customer_service`.
    pub fn name(&self) -> &'static str {
        self.domain.name()
    }

    /// The scenarios of one split; the same on every call.
    pub fn scenarios(&self, split: Split) -> Vec<Scenario> {
        let [train, validation, held_out] = self.n_scenarios;
        let n = match split {
            Split::Train => train,
            Split::Validation => validation,
            Split::HeldOut => held_out,
        };
        scenarios(self.domain, split, n)
    }

    /// The environment that plays them.
    pub fn environment(&self) -> ConversationEnvironment {
        ConversationEnvironment { max_turns: self.max_turns, ..ConversationEnvironment::default() }
    }
}

impl World for ConversationConfig {
    fn name(&self) -> &'static str {
        ConversationConfig::name(self)
    }

    fn summary(&self) -> &'static str {
        match self.domain {
            Domain::CustomerService => "customers of a shop with orders, parcels and payments",
            Domain::TechnicalSupport => "people whose device or account does not work",
            Domain::Sales => "people who want to buy something that fits their needs",
        }
    }

    fn system_prompt(&self) -> String {
        self.system_prompt.to_owned()
    }

    fn max_turns(&self) -> usize {
        self.max_turns
    }

    fn reward(&self) -> &'static str {
        ConversationConfig::name(self)
    }

    fn scenarios(&self, split: Split) -> Vec<Scenario> {
        ConversationConfig::scenarios(self, split)
    }

    fn environment(&self, max_turns: usize) -> Arc<dyn Environment> {
        Arc::new(ConversationEnvironment { max_turns, ..ConversationEnvironment::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::{Combination, CustomerSpec, Issue, Mood, Slot};
    use std::collections::{BTreeSet, HashSet};

    fn customers(config: &ConversationConfig, split: Split) -> Vec<CustomerSpec> {
        let scenarios = config.scenarios(split);
        let read = |scenario: &Scenario| {
            CustomerSpec::from_value(scenario.customer.as_ref().expect("it has a customer"))
        };
        scenarios.iter().map(|scenario| read(scenario).expect("it is well formed")).collect()
    }

    #[test]
    fn sets_are_large_enough_and_the_same_on_every_call() {
        for config in CONVERSATION_CONFIGS {
            let least =
                if config.domain == Domain::CustomerService { [120, 30, 60] } else { [60, 15, 30] };
            for (split, least) in Split::ALL.iter().zip(least) {
                let scenarios = config.scenarios(*split);
                assert!(scenarios.len() >= least, "{} {split}", config.name());
                assert_eq!(scenarios, config.scenarios(*split));
            }
        }
    }

    #[test]
    fn ids_are_unique_over_all_sets() {
        let mut ids = HashSet::new();
        for config in CONVERSATION_CONFIGS {
            for split in Split::ALL {
                for scenario in config.scenarios(*split) {
                    assert!(ids.insert(scenario.id.clone()), "{} twice", scenario.id);
                }
            }
        }
    }

    #[test]
    fn no_combination_and_no_order_number_is_in_two_splits() {
        for config in CONVERSATION_CONFIGS {
            let mut combinations: Vec<HashSet<Combination>> = Vec::new();
            let mut numbers: Vec<HashSet<String>> = Vec::new();
            for split in Split::ALL {
                let customers = customers(config, *split);
                assert!(customers.iter().all(|spec| Split::of(&spec.combination()) == *split));
                combinations.push(customers.iter().map(CustomerSpec::combination).collect());
                let own: Vec<String> = customers
                    .iter()
                    .filter_map(|spec| spec.fact(Slot::OrderNumber).map(str::to_owned))
                    .collect();
                let different: HashSet<String> = own.iter().cloned().collect();
                assert_eq!(different.len(), own.len(), "an order number is used twice");
                numbers.push(different);
            }
            for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                assert!(combinations[a].is_disjoint(&combinations[b]), "{}", config.name());
                assert!(numbers[a].is_disjoint(&numbers[b]), "{}", config.name());
            }
        }
    }

    #[test]
    fn every_split_has_every_issue_and_every_mood() {
        for config in CONVERSATION_CONFIGS {
            for split in Split::ALL {
                let customers = customers(config, *split);
                let issues: BTreeSet<Issue> = customers.iter().map(|spec| spec.issue).collect();
                let moods: BTreeSet<Mood> = customers.iter().map(|spec| spec.mood).collect();
                assert!(issues.iter().copied().eq(Issue::of_domain(config.domain)), "{split}");
                assert!(moods.iter().eq(Mood::ALL), "{} {split}: {moods:?}", config.name());
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = conversation_config("customer_servce").unwrap_err();
        assert_eq!(
            error.to_string(),
            "find the conversation set \"customer_servce\": known are customer_service, \
             technical_support and sales; did you mean \"customer_service\"?"
        );
    }
}
