//! The shop as a domain and as a built-in world.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};
use stateset_core::{Environment, Purpose, RunSeed, Scenario, StreamKey};

use super::cases::{Combination, Wish};
use super::goods::items_table;
use crate::customer::{Split, text_seed};
use crate::database::{Database, DatabaseDomain, DatabaseEnvironment, Parts, read_tools};
use crate::error::{EnvError, Problem};
use crate::sets::World;

/// What the shop's agent is told.
pub const SHOP_POLICY: &str = "You work in a small shop. Ask for the order if you do not know it, and look \
it up first. An open order can be cancelled. A delivered order can be returned, with a reason, or exchanged \
for another colour; look up the item first to see if the colour is left. If it is not left, say: sold out. If \
the order is in another state, change nothing and say its state. In the end say what was done: cancelled, \
returned or exchanged; or say the state or the price.";

/// The world of the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shop;

/// Cases of each split, in the order of [`Split::ALL`].
const N_CASES: [usize; 3] = [200, 40, 60];

static SHOP: LazyLock<Arc<DatabaseDomain>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the shop is a constant, built by the tests")]
    Arc::new(build().expect("the built-in shop is sound"))
});

/// The shop with the tasks of every split.
pub fn shop_domain() -> Arc<DatabaseDomain> {
    SHOP.clone()
}

fn build() -> Result<DatabaseDomain, EnvError> {
    let refused = |problems: Vec<Problem>| EnvError::Entries { name: "shop".to_owned(), problems };
    let mut orders = Map::new();
    let mut tasks = Vec::new();
    let mut names = order_names().into_iter();
    for (split, n) in Split::ALL.iter().zip(N_CASES) {
        let name = format!("shop-{split}");
        let mut stream = RunSeed(text_seed(&name)).stream(Purpose::Data, StreamKey::default());
        let by_wish: Vec<Vec<Combination>> = Wish::ALL
            .iter()
            .map(|wish| {
                let all = Combination::all().into_iter();
                let mut ours: Vec<Combination> =
                    all.filter(|c| c.wish == *wish && c.split() == *split).collect();
                stream.shuffle(&mut ours);
                ours
            })
            .collect();
        for index in 0..n {
            let of_wish = &by_wish[index % by_wish.len()];
            let combination = of_wish[index / by_wish.len() % of_wish.len()];
            let order = names.next().unwrap_or_default();
            let case = combination.case(format!("{name}-{index:03}"), &order, &mut stream);
            orders.extend(case.order);
            tasks.push(("the built-in shop".to_owned(), case.task));
        }
    }
    let mut tables = Map::new();
    tables.insert("items".to_owned(), items_table());
    tables.insert("orders".to_owned(), Value::Object(orders));
    let database = Database::new(tables, "the built-in shop").map_err(refused)?;
    let tools: Vec<Value> = serde_json::from_str(include_str!("tools.json")).unwrap_or_default();
    let tools = read_tools("tools.json", &tools, &database.tables(), &[]).map_err(refused)?;
    let policy = SHOP_POLICY.to_owned();
    let name = "shop".to_owned();
    DatabaseDomain::new(Parts { name, policy, tools, database, tasks, ..Parts::default() })
}

/// Every number an order can have, in a mixed order.
fn order_names() -> Vec<String> {
    let mut names: Vec<String> = (1_000..10_000).map(|number: u32| number.to_string()).collect();
    RunSeed(text_seed("shop orders"))
        .stream(Purpose::Data, StreamKey::default())
        .shuffle(&mut names);
    names
}

impl World for Shop {
    fn name(&self) -> &'static str {
        "shop"
    }

    fn summary(&self) -> &'static str {
        "customers of a small shop, whose orders are looked up and changed with tools"
    }

    fn system_prompt(&self) -> String {
        SHOP_POLICY.to_owned()
    }

    fn max_turns(&self) -> usize {
        8
    }

    fn reward(&self) -> &'static str {
        "database=0.7,tool_progress=0.3"
    }

    fn scenarios(&self, split: Split) -> Vec<Scenario> {
        let prefix = format!("shop-{split}-");
        let mut scenarios = SHOP.scenarios();
        scenarios.retain(|scenario| scenario.id.starts_with(&prefix));
        for scenario in &mut scenarios {
            // The policy is the run's to set: see `system_prompt`.
            scenario.system_prompt = None;
        }
        scenarios
    }

    fn environment(&self, max_turns: usize) -> Arc<dyn Environment> {
        Arc::new(DatabaseEnvironment::new(SHOP.clone(), max_turns))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;
    use crate::database::{ReplayPlan, replay};

    #[test]
    fn every_split_has_every_wish_and_no_order_twice() {
        let mut orders: HashSet<String> = HashSet::new();
        for split in Split::ALL {
            let scenarios = Shop.scenarios(*split);
            let wishes: BTreeSet<&str> = scenarios.iter().map(|s| s.topic.as_str()).collect();
            assert_eq!(wishes.len(), Wish::ALL.len(), "{split}");
            for scenario in &scenarios {
                let task = SHOP.task(&scenario.id).unwrap();
                for call in task.calls.iter().filter(|call| call.name == "get_order") {
                    let order = call.arguments["order"].as_str().unwrap();
                    assert!(!order.is_empty() && orders.insert(order.to_owned()), "{order} twice");
                }
            }
        }
    }

    #[test]
    fn no_opening_is_in_two_splits() {
        // Item and wording with the order's name cut out, and the topic.
        let said = |split: Split| -> HashSet<String> {
            let tasks = Shop.scenarios(split);
            let tasks = tasks.iter().filter_map(|scenario| SHOP.task(&scenario.id));
            tasks.map(|task| task.user.as_ref().unwrap().opening.clone()).collect()
        };
        let (train, held_out) = (said(Split::Train), said(Split::HeldOut));
        let shared = held_out.intersection(&train).count();
        // Wishes without an order in their first words may sound alike and turn out differently.
        assert!(shared * 3 < held_out.len(), "{shared} of {}", held_out.len());
    }

    #[test]
    fn every_case_can_be_done_and_nothing_may_be_left_out() {
        for task in SHOP.tasks() {
            let id = &task.id;
            assert!(SHOP.refused(id).is_empty(), "{id}");
            let whole = replay(&SHOP, id, &ReplayPlan::default()).unwrap();
            assert_eq!(whole.report.score().value(), Some(1.0), "{id}");
            assert_eq!(whole.report.progress, 1.0, "{id}");
            for call in whole.calls.iter().filter(|call| call.is_write) {
                let plan = ReplayPlan { without_call: Some(call.index), ..ReplayPlan::default() };
                let report = replay(&SHOP, id, &plan).unwrap().report;
                assert_eq!(report.score().value(), Some(0.0), "{id} without {}", call.name);
            }
            for output in 0..task.outputs.len() {
                let plan = ReplayPlan { without_output: Some(output), ..ReplayPlan::default() };
                let report = replay(&SHOP, id, &plan).unwrap().report;
                assert_eq!(report.score().value(), Some(0.0), "{id} without its output");
            }
        }
    }

    #[test]
    fn a_state_stays_small() {
        assert!(SHOP.database().rows("orders").len() > 200);
        let mut session = SHOP.session("shop-train-000").unwrap();
        let task = SHOP.task("shop-train-000").unwrap();
        for call in &task.calls {
            session.call(&call.name, &call.arguments).unwrap();
        }
        let mut context = Map::new();
        session.write(&mut context);
        let n_bytes = serde_json::to_string(&context).unwrap().len();
        assert!(n_bytes < 1000, "{n_bytes} bytes");
    }
}
