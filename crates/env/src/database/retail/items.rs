//! Tools for some items of an order: returned, exchanged, or modified before they are sent.

use serde_json::Value;

use super::super::rows::Database;
use super::super::tool::Arguments;
use super::money::{balance, book, cents, check_balance, method, paid};
use super::values::{field, order_in, store_order, text, texts};

/// The state after items of a pending order were modified.
const MODIFIED: &str = "pending (items modified)";

pub(super) fn give_back(database: &mut Database, arguments: &Arguments) -> Result<Value, String> {
    let mut order = order_in(database, arguments, "delivered")?;
    let id = text(arguments, "payment_method_id");
    let is_card = balance(method(database, &order, id)?).is_some();
    if !is_card && !paid(&order).iter().any(|(paid_with, _)| paid_with == id) {
        return Err("a refund goes to the original payment method or a gift card".to_owned());
    }
    let items = texts(arguments, "item_ids");
    check_items(&order, &items)?;
    order["status"] = "return requested".into();
    order["return_items"] = sorted(&items);
    order["return_payment_method_id"] = id.into();
    store_order(database, order)
}

pub(super) fn exchange(database: &mut Database, arguments: &Arguments) -> Result<Value, String> {
    let mut order = order_in(database, arguments, "delivered")?;
    let swap = Swap::new(database, &order, arguments)?;
    order["status"] = "exchange requested".into();
    order["exchange_items"] = sorted(&texts(arguments, "item_ids"));
    order["exchange_new_items"] = sorted(&texts(arguments, "new_item_ids"));
    order["exchange_payment_method_id"] = text(arguments, "payment_method_id").into();
    order["exchange_price_difference"] = swap.difference.into();
    store_order(database, order)
}

pub(super) fn modify(database: &mut Database, arguments: &Arguments) -> Result<Value, String> {
    let mut order = order_in(database, arguments, "pending")?;
    let swap = Swap::new(database, &order, arguments)?;
    let id = text(arguments, "payment_method_id");
    let kind = if swap.difference > 0.0 { "payment" } else { "refund" };
    book(database, &mut order, kind, id, swap.difference.abs());
    let mut items: Vec<Value> = order["items"].as_array().cloned().unwrap_or_default();
    for (index, variant) in swap.replaced {
        let Some(item) = items.get_mut(index) else { continue };
        for key in ["item_id", "price", "options"] {
            item[key] = variant[key].clone();
        }
    }
    order["items"] = items.into();
    order["status"] = MODIFIED.into();
    store_order(database, order)
}

/// Items of an order and what takes their place.
struct Swap {
    /// Index of an item in its order, and the new variant.
    replaced: Vec<(usize, Value)>,
    /// New prices less old ones, in whole cents.
    difference: f64,
}

impl Swap {
    fn new(database: &Database, order: &Value, arguments: &Arguments) -> Result<Swap, String> {
        let (old, new) = (texts(arguments, "item_ids"), texts(arguments, "new_item_ids"));
        if old.len() != new.len() {
            return Err(format!("{} items, but {} new ones", old.len(), new.len()));
        }
        let places = check_items(order, &old)?;
        let items = order["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let (mut replaced, mut difference) = (Vec::new(), 0.0);
        for (place, new_id) in places.into_iter().zip(new) {
            let item = &items[place];
            let variant = available(database, field(item, "product_id"), new_id)?;
            let price = |value: &Value| value.get("price").and_then(Value::as_f64).unwrap_or(0.0);
            difference += price(&variant) - price(item);
            replaced.push((place, variant));
        }
        let difference = cents(difference);
        let payer = method(database, order, text(arguments, "payment_method_id"))?;
        check_balance(payer, difference)?;
        Ok(Swap { replaced, difference })
    }
}

/// The place of each item in its order; an item that is named twice must be there twice.
fn check_items(order: &Value, ids: &[&str]) -> Result<Vec<usize>, String> {
    let items = order["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if ids.is_empty() {
        return Err("there are no items in the call".to_owned());
    }
    let mut places: Vec<usize> = Vec::new();
    for id in ids {
        let fits =
            |place: &usize| !places.contains(place) && field(&items[*place], "item_id") == *id;
        let place = (0..items.len()).find(fits);
        places.push(place.ok_or_else(|| format!("the order has no item {id}, or not so often"))?);
    }
    Ok(places)
}

fn available(database: &Database, product: &str, id: &str) -> Result<Value, String> {
    let row = database.row("products", product);
    let variant = row.and_then(|row| row.get("variants")?.get(id));
    let variant = variant.ok_or_else(|| format!("{id} is no item of the product {product}"))?;
    if variant.get("available") == Some(&Value::Bool(true)) {
        Ok(variant.clone())
    } else {
        Err(format!("the item {id} is not available"))
    }
}

fn sorted(ids: &[&str]) -> Value {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.into()
}
