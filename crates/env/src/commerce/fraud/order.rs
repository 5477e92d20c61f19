//! One order under review, and the grammar that makes them.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use crate::commerce::group::Group;
use crate::commerce::tally::{comes_back, is_within, to_cents};
use crate::commerce::words::{numbers, people};

/// Fee of a chargeback, in money.
const FEE: f64 = 15.0;
/// Margin of an order, as a share of its amount.
const MARGIN: f64 = 0.3;
/// How likely an order of the queue is fraud.
const PRIOR: f64 = 0.3;
/// Orders in a queue that is drawn here, those of them that are there at once, and minutes between the
/// others.
const N_ORDERS: usize = 8;
const N_AT_ONCE: usize = 3;
const GAP_MINUTES: f64 = 4.0;
/// Most orders of a queue.
const MOST_ORDERS: usize = 24;

/// One order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Order {
    /// Its number, such as `F204`.
    pub(super) id: String,
    pub(super) customer: String,
    pub(super) group: Group,
    /// In money.
    pub(super) amount: f64,
    /// Later margin of a content customer, in money.
    pub(super) later: f64,
    /// Shipped to another address than billed.
    pub(super) other_address: bool,
    pub(super) account_days: u32,
    pub(super) orders_today: u32,
    pub(super) device: String,
    pub(super) is_device_known: bool,
    pub(super) is_fraud: bool,
    /// Minute at which it comes.
    pub(super) arrives: f64,
    /// For the second try of a fraud: which order it follows.
    pub(super) follows: Option<usize>,
}

/// The queue of an episode: orders that come anyway, then second tries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Spec {
    pub(super) orders: Vec<Order>,
}

impl Order {
    /// Money of approving it with this satisfaction.
    pub(super) fn approved(&self, csat: f64) -> f64 {
        if self.is_fraud { -self.amount - FEE } else { self.margin() + self.kept(csat) }
    }

    /// Margin of the order itself.
    pub(super) fn margin(&self) -> f64 {
        MARGIN * self.amount
    }

    /// Later margin at this satisfaction; none of a fraud.
    pub(super) fn kept(&self, csat: f64) -> f64 {
        if self.is_fraud { 0.0 } else { comes_back(csat) * self.later }
    }

    /// Money of blocking it.
    pub(super) fn blocked(&self) -> f64 {
        self.kept(1.0)
    }

    fn draw(id: u32, customer: String, arrives: f64, stream: &mut Stream) -> Order {
        let group = Group::draw(stream);
        let is_fraud = stream.chance(PRIOR);
        let honest_address = if group == Group::North { 0.15 } else { 0.45 };
        let either = |fraud: f64, honest: f64| if is_fraud { fraud } else { honest };
        let is_young = stream.chance(either(0.7, 0.2));
        let is_quick = stream.chance(either(0.5, 0.08));
        Order {
            id: format!("F{id}"),
            customer,
            group,
            amount: to_cents(stream.uniform(40.0, 260.0)),
            later: to_cents(stream.uniform(20.0, 90.0)),
            other_address: stream.chance(either(0.7, honest_address)),
            account_days: (if is_young { 1 + stream.index(28) } else { 60 + stream.index(900) })
                as u32,
            orders_today: if is_quick { 3 + stream.index(3) } else { 1 + stream.index(2) } as u32,
            device: format!("D{:03}", stream.index(1000)),
            is_device_known: !stream.chance(either(0.8, 0.3)),
            is_fraud,
            arrives,
            follows: None,
        }
    }

    /// What somebody tries who got through with this order.
    fn second_try(&self, index: usize, id: u32, stream: &mut Stream) -> Order {
        Order {
            id: format!("F{id}"),
            amount: to_cents(1.5 * self.amount),
            other_address: false,
            account_days: 120 + stream.index(400) as u32,
            orders_today: 1,
            is_device_known: true,
            follows: Some(index),
            ..self.clone()
        }
    }
}

impl Spec {
    /// A queue with at least one fraud and at least one honest order of each group.
    pub(super) fn draw(stream: &mut Stream) -> Spec {
        loop {
            let spec = Spec::draw_any(stream);
            let has = |is: &dyn Fn(&Order) -> bool| spec.orders.iter().any(is);
            let honest = |group| has(&|order| !order.is_fraud && order.group == group);
            if has(&|order| order.is_fraud) && honest(Group::North) && honest(Group::South) {
                return spec;
            }
        }
    }

    fn draw_any(stream: &mut Stream) -> Spec {
        let names = people(N_ORDERS, stream);
        let ids = numbers(2 * N_ORDERS, 2000, stream);
        let mut orders = Vec::with_capacity(2 * N_ORDERS);
        for (index, customer) in names.into_iter().enumerate() {
            let wait = (index + 1).saturating_sub(N_AT_ONCE) as f64;
            orders.push(Order::draw(ids[index], customer, wait * GAP_MINUTES, stream));
        }
        for index in 0..N_ORDERS {
            if orders[index].is_fraud {
                let second = orders[index].second_try(index, ids[N_ORDERS + index], stream);
                orders.push(second);
            }
        }
        Spec { orders }
    }

    /// What is wrong, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let n = self.orders.len();
        if n == 0 || n > MOST_ORDERS {
            return Some(format!("{n} orders, allowed are 1 to {MOST_ORDERS}"));
        }
        self.orders.iter().enumerate().find_map(|(index, order)| {
            let amounts_fit = is_within(order.amount, 0.01, 1e6)
                && is_within(order.later, 0.0, 1e6)
                && is_within(order.arrives, 0.0, 1e4);
            let follows_earlier = order.follows.is_none_or(|first| first < index);
            let is_twice = self.orders[..index].iter().any(|other| other.id == order.id);
            let id = &order.id;
            match (amounts_fit, follows_earlier, is_twice) {
                (false, ..) => Some(format!("order {id:?}: an amount out of range")),
                (_, false, _) => {
                    Some(format!("order {id:?} follows an order that is not before it"))
                }
                (_, _, true) => Some(format!("order {id:?} twice")),
                _ => None,
            }
        })
    }
}
