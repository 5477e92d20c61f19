//! Policies for the returns desk.

use serde_json::{Value, json};
use stateset_core::{Message, Scenario, Stream};
use stateset_env::sets::World;

use super::play::{View, calls, is, list, number, play, text};

const DECISIONS: [&str; 5] =
    ["refund", "exchange", "store_credit", "refund_without_return", "refuse"];

/// The open ticket and its case.
fn current<'v>(view: &View<'v>) -> (&'v Value, &'v Value) {
    let is_open = |ticket: &&Value| ticket["decision"].is_null() && !is(ticket, "has_left");
    let ticket =
        list(view.memory, "tickets").iter().find(is_open).expect("somebody is in the chat");
    let case = ticket["case"].as_u64().expect("an index") as usize;
    (ticket, &list(view.spec, "cases")[case])
}

fn resolve(case: &Value, decision: &str) -> Message {
    calls(&[("resolve", json!({"order_id": case["order"], "decision": decision}))])
}

pub(crate) fn random(view: &View<'_>, stream: &mut Stream) -> Message {
    let (_, case) = current(view);
    let order = json!({"order_id": case["order"]});
    match stream.index(7) {
        0 => calls(&[("look_up_order", order)]),
        1 => calls(&[("request_photos", order)]),
        _ => resolve(case, DECISIONS[stream.index(5)]),
    }
}

/// Believes everybody and looks nothing up.
pub(crate) fn naive(view: &View<'_>, _: &mut Stream) -> Message {
    let (_, case) = current(view);
    resolve(case, if text(case, "wish") == "money" { "refund" } else { "exchange" })
}

/// Looks up, asks for photos where there is doubt, follows the rules, is kind to loyal customers.
pub(crate) fn sensible(view: &View<'_>, _: &mut Stream) -> Message {
    let (ticket, case) = current(view);
    let order = json!({"order_id": case["order"]});
    let doubt = 3.0 * number(case, "n_returns") > number(case, "n_orders");
    if ticket["n_turns"] == 0 {
        return calls(&[("look_up_order", order)]);
    }
    if doubt && !is(ticket, "has_photos") {
        return calls(&[("request_photos", order)]);
    }
    let is_worn = is(ticket, "has_photos") && text(case, "truth") == "worn";
    let in_time = number(case, "days") <= 30.0 && !is(case, "final_sale");
    let is_due = text(case, "claim") == "faulty" || in_time;
    let decision = match (is_worn, is_due, text(case, "wish")) {
        (true, ..) => "refuse",
        (_, false, _) if number(case, "yearly") > 0.8 * number(case, "price") => "store_credit",
        (_, false, _) => "refuse",
        (_, _, "money") => "refund",
        _ => "exchange",
    };
    resolve(case, decision)
}

/// Always the same decision.
pub(crate) fn always(decision: &'static str) -> impl Fn(&View<'_>, &mut Stream) -> Message {
    move |view, _| resolve(current(view).1, decision)
}

/// The same decisions for the north; the south is refused whatever it asks for.
pub(crate) fn unkind_to_the_south(view: &View<'_>, stream: &mut Stream) -> Message {
    let (_, case) = current(view);
    if text(case, "group") == "south" { resolve(case, "refuse") } else { sensible(view, stream) }
}

/// The best decisions that one can find by trying every decision for each case in turn, twice over,
/// knowing everything.
pub(crate) fn best(world: &dyn World, scenario: &Scenario, seed: u64) -> f64 {
    let n = list(&scenario.metadata["commerce"], "cases").len();
    let mut plan = vec!["refund"; n];
    let value = |plan: &[&str]| {
        let policy = |view: &View<'_>, _: &mut Stream| {
            let (_, case) = current(view);
            let cases = list(view.spec, "cases");
            let index = cases.iter().position(|other| other["order"] == case["order"]);
            resolve(case, plan[index.expect("a case")])
        };
        play(world, scenario, &policy, seed).reward
    };
    let mut best = value(&plan);
    for _ in 0..2 {
        for index in 0..n {
            for decision in DECISIONS {
                let mut other = plan.clone();
                other[index] = decision;
                let found = value(&other);
                if found > best {
                    (best, plan) = (found, other);
                }
            }
        }
    }
    best
}
