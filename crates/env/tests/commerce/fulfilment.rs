//! Policies for fulfilment.

use serde_json::{Value, json};
use stateset_core::{Message, Stream};

use super::play::{View, calls, is, list, number, text};

type Call = (&'static str, Value);

fn message(list: Vec<Call>) -> Message {
    calls(&list)
}

fn day(view: &View<'_>) -> f64 {
    number(view.memory, "day")
}

/// Orders that have come and are open, with what happened to them; the urgent first.
fn open<'v>(view: &View<'v>) -> Vec<(&'v Value, &'v Value)> {
    let orders = list(view.spec, "orders").iter().zip(list(view.memory, "orders"));
    let here = |(order, entry): &(&Value, &Value)| {
        number(order, "day") <= day(view) && entry["status"] == "open"
    };
    let mut all: Vec<(&Value, &Value)> = orders.filter(here).collect();
    all.sort_by_key(|(order, _)| !is(order, "is_express"));
    all
}

fn on_hand(view: &View<'_>) -> Vec<[f64; 2]> {
    let units = |row: &Value| [0, 1].map(|side| row[side].as_f64().expect("units"));
    list(view.memory, "on_hand").iter().map(units).collect()
}

fn side(order: &Value) -> usize {
    usize::from(text(order, "group") == "south")
}

const SIDES: [&str; 2] = ["north", "south"];

fn on_order(order: &Value) -> Value {
    json!({"order_id": order["id"]})
}

fn ship(order: &Value, warehouse: usize) -> Call {
    ("ship", json!({"order_id": order["id"], "warehouse": SIDES[warehouse]}))
}

pub(crate) fn random(view: &View<'_>, stream: &mut Stream) -> Message {
    let all = open(view);
    let Some((order, _)) = stream.choose(&all) else {
        return message(vec![("close_day", json!({}))]);
    };
    let call = match stream.index(7) {
        0 | 1 => ship(order, stream.index(2)),
        2 => ("split_shipment", on_order(order)),
        3 => ("backorder", on_order(order)),
        4 => ("substitute", on_order(order)),
        5 => ("cancel", on_order(order)),
        _ => ("close_day", json!({})),
    };
    message(vec![call])
}

/// Sends from the nearer warehouse where it can, cancels the rest, buys nothing.
pub(crate) fn naive(view: &View<'_>, _: &mut Stream) -> Message {
    let mut stock = on_hand(view);
    let mut made: Vec<Call> = Vec::new();
    for (order, entry) in open(view).into_iter().take(7) {
        let (near, quantity) = (side(order), number(order, "quantity"));
        let units = &mut stock[number(entry, "product") as usize][near];
        if *units >= quantity {
            *units -= quantity;
            made.push(ship(order, near));
        } else {
            made.push(("cancel", on_order(order)));
        }
    }
    made.push(("close_day", json!({})));
    message(made)
}

/// Sends from the nearer warehouse, the other, or both; backorders what has to wait; and buys up to S
/// where stock on hand and on order, less what waits, falls to s, as long as orders come.
pub(crate) fn sensible(view: &View<'_>, _: &mut Stream) -> Message {
    const LITTLE: f64 = 3.0;
    const ENOUGH: f64 = 8.0;
    let mut stock = on_hand(view);
    let mut made: Vec<Call> = Vec::new();
    for (order, entry) in open(view) {
        let (near, quantity) = (side(order), number(order, "quantity"));
        let units = &mut stock[number(entry, "product") as usize];
        let far = 1 - near;
        if units[near] >= quantity {
            units[near] -= quantity;
            made.push(ship(order, near));
        } else if units[far] >= quantity {
            units[far] -= quantity;
            made.push(ship(order, far));
        } else if units[near] + units[far] >= quantity {
            units[far] -= quantity - units[near];
            units[near] = 0.0;
            made.push(("split_shipment", on_order(order)));
        } else {
            made.push(("backorder", on_order(order)));
        }
    }
    if day(view) <= 3.0 {
        let names = list(view.spec, "products");
        let last = day(view) == 3.0;
        for (product, name) in names.iter().enumerate() {
            let waiting = backordered(view, product, &made);
            let position = stock[product].iter().sum::<f64>() + coming(view, product) - waiting;
            let (low, high) = if last { (-0.5, 2.0) } else { (LITTLE, ENOUGH) };
            if position <= low {
                let quantity = (high - position) as u64;
                let side = if stock[product][0] <= stock[product][1] { "north" } else { "south" };
                made.push((
                    "restock",
                    json!({"product": name, "quantity": quantity, "warehouse": side}),
                ));
            }
        }
    }
    made.push(("close_day", json!({})));
    message(made)
}

fn coming(view: &View<'_>, product: usize) -> f64 {
    let of = |delivery: &&Value| number(delivery, "product") as usize == product;
    list(view.memory, "coming").iter().filter(of).map(|d| number(d, "quantity")).sum()
}

/// Units that wait, those of this turn included.
fn backordered(view: &View<'_>, product: usize, made: &[Call]) -> f64 {
    let now = |order: &Value| {
        made.iter().any(|(name, args)| *name == "backorder" && args["order_id"] == order["id"])
    };
    let orders = list(view.spec, "orders").iter().zip(list(view.memory, "orders"));
    orders
        .filter(|(order, entry)| entry["status"] == "backordered" || now(order))
        .filter(|(_, entry)| number(entry, "product") as usize == product)
        .map(|(order, _)| number(order, "quantity"))
        .sum()
}

/// The same for every order, then the day is closed.
pub(crate) fn always(name: &'static str) -> impl Fn(&View<'_>, &mut Stream) -> Message {
    move |view, _| {
        let all = open(view).into_iter().take(7);
        let mut made: Vec<Call> = all.map(|(order, _)| (name, on_order(order))).collect();
        made.push(("close_day", json!({})));
        message(made)
    }
}

pub(crate) fn only_close(_: &View<'_>, _: &mut Stream) -> Message {
    message(vec![("close_day", json!({}))])
}

/// As sensible, but orders of the south are cancelled.
pub(crate) fn unkind_to_the_south(view: &View<'_>, stream: &mut Stream) -> Message {
    let south: Vec<Call> = open(view)
        .into_iter()
        .filter(|(order, _)| side(order) == 1)
        .take(7)
        .map(|(order, _)| ("cancel", on_order(order)))
        .collect();
    if south.is_empty() { sensible(view, stream) } else { message(south) }
}
