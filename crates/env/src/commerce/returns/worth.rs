//! What each decision costs and how it is taken: the table at the folder's head.

use super::case::{Case, Reason, Wish};
use crate::commerce::effort::WAGE;
use crate::commerce::tally::comes_back;
use crate::names::named_enum;

named_enum! {
    /// What can be decided about a return.
    pub(in crate::commerce) enum Decision {
        /// Money back for the goods.
        Refund => "refund",
        /// New goods for the old.
        Exchange => "exchange",
        /// A voucher for the goods.
        StoreCredit => "store_credit",
        /// Money back; the goods may be kept.
        RefundWithoutReturn => "refund_without_return",
        /// Nothing.
        Refuse => "refuse",
    }
}

/// Minutes of the shortest way to a good decision: look up, decide.
const LEAST_MINUTES: f64 = 3.0;

/// Share of the price that goods in their true state still bring.
fn resale(case: &Case) -> f64 {
    match case.truth {
        Reason::Faulty => 0.15,
        Reason::Worn => 0.1,
        Reason::WrongSize | Reason::ChangedMind => case.resale,
    }
}

/// Money that the decision brings; negative where it costs.
pub(super) fn money_of(case: &Case, decision: Decision) -> f64 {
    let back = resale(case) * case.price;
    match decision {
        Decision::Refund => back - case.price - case.parcel,
        Decision::Exchange => back - 0.5 * case.price - 2.0 * case.parcel,
        Decision::StoreCredit => back - 0.55 * case.price - case.parcel,
        Decision::RefundWithoutReturn => -case.price,
        Decision::Refuse => 0.0,
    }
}

/// Satisfaction with the decision by itself, from 1 to 5; undecided is as bad as it gets.
pub(super) fn points_of(case: &Case, decision: Option<Decision>) -> f64 {
    let Some(decision) = decision else { return 1.0 };
    match (decision, case.wish) {
        (Decision::RefundWithoutReturn, _) | (Decision::Refund, Wish::Money) => 5.0,
        (Decision::Refund, Wish::Replacement) => 4.0,
        (Decision::Exchange, Wish::Replacement) => 5.0,
        (Decision::Exchange, Wish::Money) => 3.0,
        (Decision::StoreCredit, _) => {
            if case.is_due() {
                3.0
            } else {
                4.0
            }
        }
        (Decision::Refuse, _) => {
            if case.is_due() {
                1.0
            } else {
                2.0
            }
        }
    }
}

/// The margin that the customer will still bring, at this satisfaction.
pub(super) fn later(case: &Case, csat: f64) -> f64 {
    if case.is_honest() { comes_back(csat) * case.yearly } else { 0.0 }
}

/// True where the decision settles the case: what was due was given, what was not due was refused or
/// kindly replaced, and nobody got away with worn goods.
pub(super) fn is_right(case: &Case, decision: Decision) -> bool {
    if !case.is_honest() {
        return decision == Decision::Refuse;
    }
    points_of(case, Some(decision)) >= 4.0 || (!case.is_due() && decision == Decision::Refuse)
}

/// Money and later margin of a case, decided at once.
pub(super) fn value_of(case: &Case, decision: Option<Decision>) -> f64 {
    let money = decision.map_or(0.0, |decision| money_of(case, decision));
    money + later(case, points_of(case, decision))
}

/// The values of the worst and the best decision for every case of a queue, wages of the shortest way
/// included in the best.
pub(super) fn bounds(cases: &[Case]) -> (f64, f64) {
    let of = |case: &Case, pick: fn(f64, f64) -> f64| {
        let values = Decision::ALL.iter().map(|decision| value_of(case, Some(*decision)));
        values.reduce(pick).unwrap_or(0.0)
    };
    let worst = cases.iter().map(|case| of(case, f64::min)).sum();
    let best = cases.iter().map(|case| of(case, f64::max) - LEAST_MINUTES * WAGE).sum();
    (worst, best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commerce::group::Group;

    fn case(truth: Reason, wish: Wish, days: u32, yearly: f64) -> Case {
        Case {
            order: "R1".into(),
            customer: "Ada".into(),
            group: Group::North,
            item: "coat".into(),
            price: 100.0,
            days,
            final_sale: false,
            claim: truth,
            truth,
            wish,
            parcel: 10.0,
            resale: 0.6,
            yearly,
            n_orders: 5,
            n_returns: 0,
            says: String::new(),
        }
    }

    fn best(case: &Case) -> Decision {
        let value = |decision: &&Decision| value_of(case, Some(**decision));
        *Decision::ALL.iter().max_by(|a, b| value(a).total_cmp(&value(b))).unwrap()
    }

    #[test]
    fn money_by_hand() {
        let case = case(Reason::WrongSize, Wish::Money, 5, 100.0);
        let money = Decision::ALL.iter().map(|decision| money_of(&case, *decision));
        for (found, by_hand) in money.zip([-50.0, -10.0, -5.0, -100.0, 0.0]) {
            assert!((found - by_hand).abs() < 1e-9, "{found} against {by_hand}");
        }
    }

    /// Loyal customers are worth a good solution; strangers beyond the window and people who wore the
    /// goods are not.
    #[test]
    fn the_best_decision_depends_on_who_asks() {
        assert_eq!(best(&case(Reason::WrongSize, Wish::Replacement, 5, 100.0)), Decision::Exchange);
        assert_eq!(best(&case(Reason::ChangedMind, Wish::Money, 50, 150.0)), Decision::StoreCredit);
        assert_eq!(best(&case(Reason::ChangedMind, Wish::Money, 50, 5.0)), Decision::Refuse);
        assert_eq!(best(&case(Reason::Worn, Wish::Money, 5, 150.0)), Decision::Refuse);
    }
}
