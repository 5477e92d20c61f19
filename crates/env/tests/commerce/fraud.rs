//! Policies for the fraud review.

use serde_json::{Value, json};
use stateset_core::{Message, Stream};

use super::play::{View, calls, is, list, number, text};

/// The first order that waits, with what happened to it.
fn waiting<'v>(view: &View<'v>) -> Option<(&'v Value, &'v Value)> {
    let orders = list(view.spec, "orders").iter().zip(list(view.memory, "orders"));
    let mut here = orders.filter(|(_, entry)| is(entry, "has_come") && entry["status"] == "open");
    here.next()
}

fn act(name: &str, order: &Value) -> Message {
    calls(&[(name, json!({"order_id": order["id"]}))])
}

/// Applies `choose` to the first order that waits.
fn each(view: &View<'_>, choose: impl FnOnce(&Value, &Value) -> &'static str) -> Message {
    match waiting(view) {
        Some((order, entry)) => act(choose(order, entry), order),
        None => Message::assistant("Is anything else waiting?"),
    }
}

pub(crate) fn random(view: &View<'_>, stream: &mut Stream) -> Message {
    each(view, |_, _| ["show_order", "verify_identity", "approve", "block"][stream.index(4)])
}

/// Shows the order first, as an honest policy must, then applies `choose`.
fn after_showing(view: &View<'_>, choose: impl FnOnce(&Value, &Value) -> &'static str) -> Message {
    each(
        view,
        |order, entry| if is(entry, "was_shown") { choose(order, entry) } else { "show_order" },
    )
}

/// Goes by the address alone, which every list shows.
pub(crate) fn naive(view: &View<'_>, _: &mut Stream) -> Message {
    each(view, |order, _| if is(order, "other_address") { "block" } else { "approve" })
}

fn signals(order: &Value) -> [bool; 4] {
    [
        is(order, "other_address"),
        number(order, "account_days") < 30.0,
        number(order, "orders_today") >= 3.0,
        !is(order, "is_device_known"),
    ]
}

fn shares_a_device(view: &View<'_>, order: &Value) -> bool {
    let is_other = |(other, entry): (&Value, &Value)| {
        other["device"] == order["device"] && other["id"] != order["id"] && is(entry, "has_come")
    };
    list(view.spec, "orders").iter().zip(list(view.memory, "orders")).any(is_other)
}

/// Counts signals, the address in the north only; blocks from two on, and what shares a device.
pub(crate) fn sensible(view: &View<'_>, _: &mut Stream) -> Message {
    after_showing(view, |order, _| {
        let [address, rest @ ..] = signals(order);
        let counts_address = address && text(order, "group") == "north";
        let n = rest.iter().filter(|signal| **signal).count() + usize::from(counts_address);
        if n >= 2 || shares_a_device(view, order) { "block" } else { "approve" }
    })
}

/// Weighs the signals by the odds that they are drawn with, and takes the best of approving, blocking
/// and checking first.
pub(crate) fn optimal(view: &View<'_>, _: &mut Stream) -> Message {
    after_showing(view, |order, entry| {
        if shares_a_device(view, order) {
            return "block";
        }
        match entry["passed"].as_bool() {
            Some(true) => return "approve",
            Some(false) => return "block",
            None => {}
        }
        let p = probability(order);
        let (amount, later) = (number(order, "amount"), number(order, "later"));
        let (margin, loss) = (0.3 * amount, amount + 15.0);
        let approve = (1.0 - p) * (margin + 0.95 * later) - p * loss;
        let block = (1.0 - p) * 0.05 * later;
        let passes = 0.95 * (margin + 0.725 * later) + 0.05 * 0.05 * later;
        let check = (1.0 - p) * passes - p * 0.05 * loss - 4.0 - 2.5;
        if check > approve.max(block) {
            "verify_identity"
        } else if approve > block {
            "approve"
        } else {
            "block"
        }
    })
}

/// The probability of fraud, given the signals.
fn probability(order: &Value) -> f64 {
    let address = if text(order, "group") == "north" { 0.15 } else { 0.45 };
    let table = [(0.7, address), (0.7, 0.2), (0.5, 0.08), (0.8, 0.3)];
    let odds = table.iter().zip(signals(order)).map(|((fraud, honest), is_seen)| {
        if is_seen { fraud / honest } else { (1.0 - fraud) / (1.0 - honest) }
    });
    let odds: f64 = 0.3 / 0.7 * odds.product::<f64>();
    odds / (1.0 + odds)
}

pub(crate) fn always(name: &'static str) -> impl Fn(&View<'_>, &mut Stream) -> Message {
    move |view, _| each(view, |_, _| name)
}

/// Checks everybody.
pub(crate) fn verify_all(view: &View<'_>, _: &mut Stream) -> Message {
    each(view, |_, entry| match entry["passed"].as_bool() {
        None => "verify_identity",
        Some(true) => "approve",
        Some(false) => "block",
    })
}

/// As sensible, but the south is blocked.
pub(crate) fn unkind_to_the_south(view: &View<'_>, stream: &mut Stream) -> Message {
    match waiting(view) {
        Some((order, _)) if text(order, "group") == "south" => act("block", order),
        _ => sensible(view, stream),
    }
}
