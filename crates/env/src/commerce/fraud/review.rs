//! The review: what can be called, how the clock moves, what comes back later.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use super::order::{Order, Spec};
use crate::commerce::effort::Effort;
use crate::commerce::group::gap;
use crate::commerce::kpi::{Kpi, Readings};
use crate::commerce::simulator::{Profile, Scene, Simulator};
use crate::commerce::tally::{mean_or, money, points, share_or};
use crate::commerce::verb::{Args, Kind, Param, Verb, short};
use crate::names::named_enum;

/// Orders that may be fraud.
#[derive(Clone, Copy, Default)]
pub(in crate::commerce) struct FraudReview;

/// Minutes within which an order is to be decided.
const IN_TIME: f64 = 15.0;
/// Minutes at which a wait is as bad as it gets.
const LONGEST_WAIT: f64 = 40.0;
/// Money of an identity check, and how often it is right.
const CHECK_FEE: f64 = 4.0;
const CHECK_IS_RIGHT: f64 = 0.95;
/// Decisions after which a fraud tries again, and after which a chargeback comes.
const UNTIL_SECOND_TRY: usize = 2;
const UNTIL_CHARGEBACK: usize = 3;

named_enum! {
    /// How an order stands.
    pub(in crate::commerce) enum Status {
        /// Not decided yet.
        Open => "open",
        /// Sent.
        Approved => "approved",
        /// Turned away.
        Blocked => "blocked",
    }
}

/// What happened to one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct Entry {
    status: Status,
    has_come: bool,
    was_shown: bool,
    /// What the identity check said.
    passed: Option<bool>,
    /// Minutes it waited for its decision.
    waited: f64,
    /// How many decisions had been made with this one.
    decided_as: usize,
    is_charged_back: bool,
}

/// Everything that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct State {
    orders: Vec<Entry>,
    n_decided: usize,
    /// Minutes that passed without work.
    idle: f64,
}

const ORDER: Param = Param::required("order_id", "number of the order, such as F2104", Kind::Text);

impl State {
    fn entry(&self, index: usize) -> Option<&Entry> {
        self.orders.get(index)
    }

    /// True for what is or will be in the queue: second tries only where the first got through.
    fn is_real(&self, order: &Order) -> bool {
        let first = order.follows.and_then(|first| self.entry(first));
        order.follows.is_none() || first.is_some_and(|entry| entry.status == Status::Approved)
    }

    fn is_here_and_open(&self, index: usize) -> bool {
        self.entry(index).is_some_and(|entry| entry.has_come && entry.status == Status::Open)
    }

    fn n_waiting(&self) -> usize {
        (0..self.orders.len()).filter(|index| self.is_here_and_open(*index)).count()
    }

    /// True where an order that has not come yet comes now.
    fn comes(&self, order: &Order, clock: f64) -> bool {
        match order.follows.and_then(|first| self.entry(first)) {
            None => order.arrives <= clock,
            Some(first) => {
                first.status == Status::Approved
                    && (self.n_decided >= first.decided_as + UNTIL_SECOND_TRY
                        || self.n_waiting() == 0)
            }
        }
    }
}

impl Simulator for FraudReview {
    type Spec = Spec;
    type State = State;

    const PROFILE: Profile = Profile {
        name: "fraud_review",
        summary: "suspicious orders, some of them fraud, that wait for a decision",
        instructions: "You review a shop's suspicious orders. Decide about each within 15 minutes: approve it or block \
            it. Signs of fraud are another shipping address, a young account, several orders on one day and a \
            device never seen before; one sign alone says little, and in the south many honest customers use \
            parcel lockers, so that another address says nothing there. Show an order before you decide. \
            An identity check is right 19 times in 20, but costs 4.00 and five minutes and annoys honest \
            customers. Orders that share a device with a fraud are fraud. Several calls in one turn are fine.",
        max_turns: 30,
        reward: "kpi:net_value=0.45,kpi:false_positives=0.15,kpi:fraud_loss=0.15,kpi:sla=0.15,kpi:fairness=0.1",
    };

    const VERBS: &'static [Verb] = &[
        Verb {
            name: "show_order",
            what: "Shows everything that is known about an order.",
            minutes: 0.5,
            params: &[ORDER],
        },
        Verb {
            name: "verify_identity",
            what: "Has the customer prove who they are. Costs money and time, and annoys the honest.",
            minutes: 5.0,
            params: &[ORDER],
        },
        Verb { name: "approve", what: "Sends the order.", minutes: 0.5, params: &[ORDER] },
        Verb { name: "block", what: "Turns the order away.", minutes: 0.5, params: &[ORDER] },
    ];

    fn draw(stream: &mut Stream) -> Spec {
        Spec::draw(stream)
    }

    fn topic(spec: &Spec) -> &'static str {
        match spec.orders.iter().filter(|order| order.is_fraud && order.follows.is_none()).count() {
            0 | 1 => "quiet_day",
            2 | 3 => "usual_day",
            _ => "attack",
        }
    }

    fn fault(spec: &Spec) -> Option<String> {
        spec.fault()
    }

    fn open(spec: &Spec) -> State {
        let entry = |order: &Order| Entry {
            status: Status::Open,
            has_come: order.follows.is_none() && order.arrives <= 0.0,
            was_shown: false,
            passed: None,
            waited: 0.0,
            decided_as: 0,
            is_charged_back: false,
        };
        State { orders: spec.orders.iter().map(entry).collect(), n_decided: 0, idle: 0.0 }
    }

    fn opening(spec: &Spec, state: &State) -> String {
        let here = spec.orders.iter().zip(&state.orders).filter(|(_, entry)| entry.has_come);
        let lines: Vec<String> = here.map(|(order, _)| format!("\n{}", line(order))).collect();
        format!("Waiting for review, more will come:{}", lines.concat())
    }

    fn call(scene: &mut Scene<'_, Self>, verb: &Verb, args: Args<'_>) -> Result<String, String> {
        let id = args.text("order_id");
        let found = scene.spec.orders.iter().position(|order| order.id == id);
        let index = found.filter(|index| scene.state.entry(*index).is_some_and(|e| e.has_come));
        let index = index.ok_or_else(|| format!("no order {:?} has come", short(id)))?;
        let order = &scene.spec.orders[index];
        if scene.state.orders[index].status != Status::Open {
            return Err(format!("order {id} is {} already", scene.state.orders[index].status));
        }
        match verb.name {
            "show_order" => {
                scene.state.orders[index].was_shown = true;
                Ok(record(order, scene.spec, scene.state))
            }
            "verify_identity" => Ok(verify(order, &mut scene.state.orders[index], scene.stream)),
            name => {
                let approves = name == "approve";
                decide(scene, index, if approves { Status::Approved } else { Status::Blocked });
                Ok(format!("{id} {}.", scene.state.orders[index].status))
            }
        }
    }

    fn say(scene: &mut Scene<'_, Self>, _: &str) -> String {
        format!("{} orders wait. Decide about them with the tools.", scene.state.n_waiting())
    }

    fn news(scene: &mut Scene<'_, Self>) -> Option<String> {
        let mut lines = Vec::new();
        charge_back(scene, &mut lines);
        arrive(scene, &mut lines);
        let is_idle = scene.state.n_waiting() == 0;
        if is_idle && let Some(next) = next_arrival(scene) {
            scene.state.idle += next;
            arrive(scene, &mut lines);
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn is_over(spec: &Spec, state: &State) -> bool {
        let is_open =
            |(order, entry): (&Order, &Entry)| entry.status == Status::Open && state.is_real(order);
        !spec.orders.iter().zip(&state.orders).any(is_open)
    }

    fn readings(spec: &Spec, state: &State, effort: &Effort) -> Readings {
        let all =
            || spec.orders.iter().zip(&state.orders).filter(|(order, _)| state.is_real(order));
        let honest = || all().filter(|(order, _)| !order.is_fraud);
        let value: f64 = all().map(|(order, entry)| entry.value(order)).sum();
        let margin: f64 = all().map(|(order, entry)| entry.margin(order)).sum();
        let kept: f64 = honest().map(|(order, entry)| order.kept(entry.csat())).sum();
        let fees = all().filter(|(_, entry)| entry.passed.is_some()).count() as f64 * CHECK_FEE;
        let turned_away = |entry: &Entry| if entry.status == Status::Approved { 0.0 } else { 1.0 };
        let in_time =
            all().filter(|(_, e)| e.status != Status::Open && e.waited <= IN_TIME).count();
        let (n, n_decided) = (all().count(), state.n_decided);
        let (tried, lost) = fraud_money(spec, state);
        let (worst, best) = bounds(spec);
        let most_kept: f64 = honest().map(|(order, _)| order.kept(5.0)).sum();
        let most_margin: f64 = honest().map(|(order, _)| order.margin()).sum();
        Readings::default()
            .scaled(Kpi::NetValue, value - fees - effort.wages(), worst, best)
            .scaled(Kpi::Margin, margin - fees, 0.0, most_margin)
            .scaled(Kpi::Ltv, kept, 0.0, most_kept)
            .plain(Kpi::FalsePositives, mean_or(0.0, honest().map(|(_, entry)| turned_away(entry))))
            .plain(Kpi::FraudLoss, share_or(0.0, lost, tried))
            .plain(Kpi::Csat, mean_or(1.0, honest().map(|(_, entry)| entry.csat())))
            .plain(Kpi::Sla, share_or(0.0, in_time as f64, n as f64))
            .scaled(
                Kpi::Latency,
                mean_or(0.0, all().map(|(_, entry)| entry.wait())),
                LONGEST_WAIT,
                0.0,
            )
            .scaled(Kpi::HandlingTime, effort.minutes_for_each(n_decided, 10.0), 10.0, 1.0)
            .scaled(
                Kpi::CostToServe,
                (fees + effort.wages()) / n.max(1) as f64,
                2.0 * CHECK_FEE,
                0.0,
            )
            .plain(
                Kpi::Fairness,
                1.0 - gap(honest().map(|(order, e)| (order.group, turned_away(e)))),
            )
    }
}

impl Entry {
    /// Satisfaction of an honest customer.
    fn csat(&self) -> f64 {
        if self.status != Status::Approved {
            return 1.0;
        }
        let check = if self.passed.is_some() { 1.0 } else { 0.0 };
        let late = if self.waited > IN_TIME { 1.5 } else { 0.0 };
        points(5.0 - check - late)
    }

    fn value(&self, order: &Order) -> f64 {
        if self.status == Status::Approved { order.approved(self.csat()) } else { order.blocked() }
    }

    fn margin(&self, order: &Order) -> f64 {
        match self.status {
            Status::Approved if order.is_fraud => order.approved(1.0),
            Status::Approved => order.margin(),
            Status::Blocked | Status::Open => 0.0,
        }
    }

    /// What is not decided waits for ever, which counts as the longest wait.
    fn wait(&self) -> f64 {
        if self.status == Status::Open { LONGEST_WAIT } else { self.waited }
    }
}

/// Value where everything is decided the worse way, and the better.
fn bounds(spec: &Spec) -> (f64, f64) {
    let value =
        |order: &Order, pick: fn(f64, f64) -> f64| pick(order.approved(5.0), order.blocked());
    let worst = spec.orders.iter().map(|order| value(order, f64::min)).sum();
    let first = spec.orders.iter().filter(|order| order.follows.is_none());
    (worst, first.map(|order| value(order, f64::max)).sum())
}

/// The money that frauds tried to get, and what they got.
fn fraud_money(spec: &Spec, state: &State) -> (f64, f64) {
    let frauds = || spec.orders.iter().zip(&state.orders).filter(|(order, _)| order.is_fraud);
    let tried =
        frauds().filter(|(order, _)| state.is_real(order)).map(|(order, _)| order.amount).sum();
    let got = frauds().filter(|(_, entry)| entry.status == Status::Approved);
    (tried, got.map(|(order, _)| order.amount).sum())
}

fn decide(scene: &mut Scene<'_, FraudReview>, index: usize, status: Status) {
    let clock = scene.effort.minutes + scene.state.idle;
    scene.state.n_decided += 1;
    let decided_as = scene.state.n_decided;
    let since = scene.spec.orders[index].arrives;
    let entry = &mut scene.state.orders[index];
    entry.status = status;
    entry.decided_as = decided_as;
    // A second try comes whenever it comes; its wait is counted from then on and is short.
    entry.waited =
        if scene.spec.orders[index].follows.is_some() { 0.0 } else { (clock - since).max(0.0) };
}

fn verify(order: &Order, entry: &mut Entry, stream: &mut Stream) -> String {
    let is_right = stream.chance(CHECK_IS_RIGHT);
    let passed = *entry.passed.get_or_insert(order.is_fraud != is_right);
    let outcome = if passed { "passed" } else { "failed" };
    format!("Identity check of {}: {outcome}.", order.id)
}

fn charge_back(scene: &mut Scene<'_, FraudReview>, lines: &mut Vec<String>) {
    let n_decided = scene.state.n_decided;
    for (order, entry) in scene.spec.orders.iter().zip(&mut scene.state.orders) {
        let is_due =
            entry.status == Status::Approved && n_decided >= entry.decided_as + UNTIL_CHARGEBACK;
        if order.is_fraud && is_due && !entry.is_charged_back {
            entry.is_charged_back = true;
            lines.push(format!(
                "Chargeback: {} over {} was fraud, device {}.",
                order.id,
                money(order.amount),
                order.device
            ));
        }
    }
}

fn arrive(scene: &mut Scene<'_, FraudReview>, lines: &mut Vec<String>) {
    let clock = scene.effort.minutes + scene.state.idle;
    for (index, order) in scene.spec.orders.iter().enumerate() {
        let has_come = scene.state.entry(index).is_none_or(|entry| entry.has_come);
        if !has_come && scene.state.comes(order, clock) {
            scene.state.orders[index].has_come = true;
            lines.push(format!("New: {}", line(order)));
        }
    }
}

/// Minutes until the next order comes; `None` where none does.
fn next_arrival(scene: &Scene<'_, FraudReview>) -> Option<f64> {
    let clock = scene.effort.minutes + scene.state.idle;
    let coming = scene.spec.orders.iter().zip(&scene.state.orders);
    let coming = coming.filter(|(order, entry)| !entry.has_come && order.follows.is_none());
    coming.map(|(order, _)| (order.arrives - clock).max(0.0)).reduce(f64::min)
}

fn line(order: &Order) -> String {
    let address = if order.other_address {
        "ships to another address"
    } else {
        "ships to the billed address"
    };
    let Order { id, customer, group, .. } = order;
    format!("{id}: {customer}, {group}, {}, {address}", money(order.amount))
}

fn record(order: &Order, spec: &Spec, state: &State) -> String {
    let known = if order.is_device_known { "seen before" } else { "never seen before" };
    let is_shared = |(other, entry): &(&Order, &Entry)| {
        other.device == order.device && other.id != order.id && entry.has_come
    };
    let shared = spec.orders.iter().zip(&state.orders).find(is_shared);
    let shared = shared.map(|(other, _)| format!(", shared with {}", other.id)).unwrap_or_default();
    let checked = match state.orders.iter().zip(&spec.orders).find(|(_, o)| o.id == order.id) {
        Some((Entry { passed: Some(true), .. }, _)) => " Identity check passed.",
        Some((Entry { passed: Some(false), .. }, _)) => " Identity check failed.",
        _ => "",
    };
    format!(
        "{}. Account {} days old, {} orders today, device {} {known}{shared}. Later margin of a content customer about {}.{checked}",
        line(order),
        order.account_days,
        order.orders_today,
        order.device,
        money(order.later)
    )
}
