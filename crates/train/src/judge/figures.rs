//! How judging went, in numbers with names.

use std::collections::BTreeMap;

use stateset_algo::OrderTally;
use stateset_env::judging::AskTally;

/// Share of comparisons in which the judge changed its mind with the order.
pub const ORDER_DISAGREEMENT: &str = "judge/order_disagreement";

/// Numbers of one group's judging. Shares of what did not happen are left out.
pub fn judging_figures(asked: &AskTally, orders: &OrderTally) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    let mut put = |name: &str, value: Option<f64>| {
        if let Some(value) = value {
            figures.insert(name.to_owned(), value);
        }
    };
    put("judge/asked", Some(asked.n_asked as f64));
    put("judge/unreadable", Some(asked.n_unreadable as f64));
    put("judge/failed", Some(asked.n_failed as f64));
    put("judge/given_up", Some(asked.n_given_up as f64));
    put(ORDER_DISAGREEMENT, orders.disagreement());
    put("judge/first_place", orders.first_place());
    figures
}

/// A sentence for the evidence where the judge looks at places too much; empty otherwise.
pub(super) fn warning(orders: &OrderTally) -> String {
    if !orders.is_biased() {
        return String::new();
    }
    format!(
        "; careful: with the order exchanged the judge changed its mind in {} of {} comparisons",
        orders.n_disagreeing, orders.n
    )
}
