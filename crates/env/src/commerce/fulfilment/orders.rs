//! The orders of a week, and the grammar that makes them.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use crate::commerce::group::Group;
use crate::commerce::tally::{is_within, to_cents};
use crate::commerce::words::{STOCKED, numbers, people};

/// Days on which orders come, days until the week is over, orders of a week that is drawn here.
const ORDER_DAYS: usize = 5;
pub(super) const DAYS: u32 = 7;
const N_ORDERS: usize = 12;
const MOST_ORDERS: usize = 40;
/// Days that a standard order may take.
const STANDARD_DAYS: u32 = 2;

/// One order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Order {
    /// Its number, such as `S204`.
    pub(super) id: String,
    pub(super) customer: String,
    /// Where the customer lives; the nearer warehouse is there.
    pub(super) group: Group,
    /// Index of the product.
    pub(super) product: usize,
    pub(super) quantity: u32,
    /// Day on which it comes, from 0.
    pub(super) day: u32,
    pub(super) is_express: bool,
    /// Later margin of a content customer, in money.
    pub(super) later: f64,
    /// How likely the customer takes a substitute.
    pub(super) flexible: f64,
}

/// A week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Spec {
    pub(super) products: Vec<String>,
    /// Margin of a unit, in money.
    pub(super) margin: Vec<f64>,
    /// Units at the start, for each product, in the north and in the south.
    pub(super) stock: Vec<[u32; 2]>,
    pub(super) orders: Vec<Order>,
}

impl Order {
    /// The last day on which it is sent in time.
    pub(super) fn due(&self) -> u32 {
        if self.is_express { self.day } else { self.day + STANDARD_DAYS }
    }
}

impl Spec {
    pub(super) fn draw(stream: &mut Stream) -> Spec {
        let products = stream.choose(STOCKED).map(|set| set.map(str::to_owned).to_vec());
        let names = people(N_ORDERS, stream);
        let ids = numbers(N_ORDERS, 3000, stream);
        let orders = names.into_iter().zip(ids).enumerate().map(|(index, (customer, id))| Order {
            id: format!("S{id}"),
            customer,
            group: if index % 2 == 0 { Group::North } else { Group::South },
            product: [0, 0, 0, 1, 2, 2][stream.index(6)],
            quantity: 1 + stream.index(4) as u32,
            day: (index * ORDER_DAYS / N_ORDERS) as u32,
            is_express: stream.chance(0.35),
            later: to_cents(stream.uniform(10.0, 50.0)),
            flexible: to_cents(stream.uniform(0.3, 0.9)),
        });
        Spec {
            orders: orders.collect(),
            products: products.unwrap_or_default(),
            margin: (0..3).map(|_| to_cents(stream.uniform(6.0, 18.0))).collect(),
            stock: vec![
                [2 + stream.index(4) as u32, 2 + stream.index(4) as u32],
                [2 + stream.index(3) as u32, 2 + stream.index(3) as u32],
                [1 + stream.index(4) as u32, 1 + stream.index(4) as u32],
            ],
        }
    }

    /// What is wrong, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let n = self.products.len();
        if !(1..=8).contains(&n) || self.margin.len() != n || self.stock.len() != n {
            return Some("products, margin and stock must have the same 1 to 8 entries".to_owned());
        }
        let fits = self.margin.iter().all(|margin| is_within(*margin, 0.0, 1e6))
            && self.stock.iter().flatten().all(|units| *units <= 10_000);
        if !fits {
            return Some("a margin or stock is out of range".to_owned());
        }
        if self.orders.is_empty() || self.orders.len() > MOST_ORDERS {
            return Some(format!("{} orders, allowed are 1 to {MOST_ORDERS}", self.orders.len()));
        }
        let is_bad = |order: &&Order| {
            order.product >= n
                || !(1..=1000).contains(&order.quantity)
                || order.day >= DAYS
                || !is_within(order.later, 0.0, 1e6)
                || !is_within(order.flexible, 0.0, 1.0)
                || self.orders.iter().filter(|other| other.id == order.id).count() > 1
        };
        let bad = self.orders.iter().find(is_bad);
        bad.map(|order| format!("order {:?}: a value out of range, or its number twice", order.id))
    }

    /// What can stand in for a product.
    pub(super) fn substitute(&self, product: usize) -> Option<usize> {
        match product {
            0 if self.products.len() > 1 => Some(1),
            1 => Some(0),
            _ => None,
        }
    }
}
