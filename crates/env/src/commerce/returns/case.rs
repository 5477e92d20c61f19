//! One customer with goods to return, and the grammar that makes them.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use crate::commerce::group::Group;
use crate::commerce::tally::{is_within, to_cents};
use crate::commerce::words::{CLOTHES, numbers, one_of, people, with_article};
use crate::names::named_enum;

named_enum! {
    /// Why goods come back.
    pub(in crate::commerce) enum Reason {
        /// They are faulty.
        Faulty => "faulty",
        /// They do not fit.
        WrongSize => "wrong_size",
        /// The customer thinks otherwise now.
        ChangedMind => "changed_mind",
        /// They were worn, and are to be paid for by the shop.
        Worn => "worn",
    }
}

named_enum! {
    /// What a customer would like.
    pub(in crate::commerce) enum Wish {
        /// Their money.
        Money => "money",
        /// The same again, or another size.
        Replacement => "replacement",
    }
}

/// One customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Case {
    /// Number of the order, such as `R204`.
    pub(super) order: String,
    pub(super) customer: String,
    pub(super) group: Group,
    pub(super) item: String,
    /// In money.
    pub(super) price: f64,
    /// Since delivery.
    pub(super) days: u32,
    pub(super) final_sale: bool,
    /// What the customer says.
    pub(super) claim: Reason,
    /// What is so.
    pub(super) truth: Reason,
    pub(super) wish: Wish,
    /// Cost of a parcel, in money.
    pub(super) parcel: f64,
    /// Share of the price that unused goods still bring.
    pub(super) resale: f64,
    /// Margin of a year, where the customer stays.
    pub(super) yearly: f64,
    pub(super) n_orders: u32,
    pub(super) n_returns: u32,
    /// The customer's first words.
    pub(super) says: String,
}

/// The queue of an episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Spec {
    pub(super) cases: Vec<Case>,
}

/// Customers in a queue that is drawn here.
const N_CASES: usize = 5;
/// Most customers in a queue.
const MOST_CASES: usize = 12;
/// Days within which goods may come back.
pub(super) const WINDOW: u32 = 30;

impl Case {
    /// True where the shop's rules give the customer something.
    pub(super) fn is_due(&self) -> bool {
        match self.truth {
            Reason::Faulty => true,
            Reason::Worn => false,
            Reason::WrongSize | Reason::ChangedMind => !self.final_sale && self.days <= WINDOW,
        }
    }

    /// True for a customer who does not try to return worn goods.
    pub(super) fn is_honest(&self) -> bool {
        self.truth != Reason::Worn
    }
}

impl Spec {
    /// A queue with one customer of each kind of trouble, in any order, and both groups in it.
    pub(super) fn draw(stream: &mut Stream) -> Spec {
        let mut kinds = [Kind::Faulty, Kind::Size, Kind::Mind, Kind::Late, Kind::Worn];
        stream.shuffle(&mut kinds);
        let names = people(N_CASES, stream);
        let orders = numbers(N_CASES, 1000, stream);
        let first_north = stream.chance(0.5);
        let cases = kinds.iter().zip(names).zip(orders).enumerate().map(
            |(index, ((kind, name), order))| {
                let is_north = (index % 2 == 0) == first_north;
                let group = if is_north { Group::North } else { Group::South };
                kind.draw(name, format!("R{order}"), group, stream)
            },
        );
        Spec { cases: cases.collect() }
    }

    /// What is wrong, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        if self.cases.is_empty() || self.cases.len() > MOST_CASES {
            let n = self.cases.len();
            return Some(format!("{n} cases, allowed are 1 to {MOST_CASES}"));
        }
        let is_bad = |case: &&Case| {
            !(is_within(case.price, 0.01, 1e6)
                && is_within(case.parcel, 0.0, 1e6)
                && is_within(case.resale, 0.0, 1.0)
                && is_within(case.yearly, 0.0, 1e6))
        };
        if let Some(case) = self.cases.iter().find(is_bad) {
            return Some(format!("case {:?}: an amount out of range", case.order));
        }
        let is_twice =
            |case: &&Case| self.cases.iter().filter(|other| other.order == case.order).count() > 1;
        self.cases.iter().find(is_twice).map(|case| format!("order {:?} twice", case.order))
    }
}

/// The kinds of trouble that a queue is made of.
#[derive(Clone, Copy)]
enum Kind {
    Faulty,
    Size,
    Mind,
    /// Beyond the window, or bought in a final sale.
    Late,
    Worn,
}

impl Kind {
    fn draw(self, customer: String, order: String, group: Group, stream: &mut Stream) -> Case {
        let truth = match self {
            Kind::Faulty => Reason::Faulty,
            Kind::Size => Reason::WrongSize,
            Kind::Mind => Reason::ChangedMind,
            Kind::Late if stream.chance(0.5) => Reason::WrongSize,
            Kind::Late => Reason::ChangedMind,
            Kind::Worn => Reason::Worn,
        };
        let claim = match truth {
            Reason::Worn if stream.chance(0.6) => Reason::Faulty,
            Reason::Worn => Reason::ChangedMind,
            honest => honest,
        };
        let replacement = match claim {
            Reason::WrongSize => 0.7,
            Reason::Faulty => 0.5,
            _ => 0.0,
        };
        let is_worn = matches!(self, Kind::Worn);
        let wish =
            if !is_worn && stream.chance(replacement) { Wish::Replacement } else { Wish::Money };
        let final_sale = matches!(self, Kind::Late) && stream.chance(0.4);
        let is_late = matches!(self, Kind::Late) && !final_sale;
        let days = if is_late { 35 + stream.index(40) } else { 3 + stream.index(24) };
        let n_orders = 4 + stream.index(9) as u32;
        let n_returns =
            if is_worn { n_orders / 2 + stream.index(2) as u32 } else { stream.index(3) as u32 };
        let item = one_of(CLOTHES, stream);
        Case {
            order,
            group,
            price: to_cents(stream.uniform(30.0, 160.0)),
            days: days as u32,
            final_sale,
            claim,
            truth,
            wish,
            parcel: to_cents(stream.uniform(4.0, 14.0)),
            resale: to_cents(stream.uniform(0.45, 0.8)),
            yearly: to_cents(if is_worn { 10.0 } else { stream.uniform(30.0, 180.0) }),
            n_orders,
            n_returns: n_returns.min(n_orders),
            says: says(claim, wish, &customer, &item, stream),
            item,
            customer,
        }
    }
}

fn says(claim: Reason, wish: Wish, customer: &str, item: &str, stream: &mut Stream) -> String {
    let hello = one_of(&["Hello", "Hi", "Good morning", "Hi there"], stream);
    let trouble = match claim {
        Reason::Faulty => {
            &["a seam came open", "the zip broke", "there is a hole in it", "a button fell off"][..]
        }
        Reason::WrongSize => {
            &["it is too small", "it is too large", "it does not fit", "the size is wrong"]
        }
        _ => &[
            "I changed my mind",
            "I don't like it after all",
            "it is not what I expected",
            "I don't need it any more",
        ],
    };
    let trouble = one_of(trouble, stream);
    let wish = match wish {
        Wish::Money => one_of(
            &["I would like my money back.", "I want a refund.", "Please refund me."],
            stream,
        ),
        Wish::Replacement => one_of(
            &["Can I have another one?", "Could you exchange it?", "I would like it replaced."],
            stream,
        ),
    };
    let item = with_article(item);
    format!("{hello}, this is {customer}. I bought {item} and {trouble}. {wish}")
}
