//! Payment methods, balances and what was paid for an order.

use serde_json::{Value, json};

use super::super::rows::Database;
use super::values::field;

/// To whole cents.
pub(super) fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

/// The payment method `id` of the user whose order it is.
pub(super) fn method<'a>(
    database: &'a Database,
    order: &Value,
    id: &str,
) -> Result<&'a Value, String> {
    let user = database.row("users", field(order, "user_id"));
    let methods = user.and_then(|user| user.get("payment_methods"));
    methods
        .and_then(|methods| methods.get(id))
        .ok_or_else(|| format!("the user has no payment method {id}"))
}

/// The balance of a gift card; `None` for other methods.
pub(super) fn balance(method: &Value) -> Option<f64> {
    let is_card = field(method, "source") == "gift_card";
    is_card.then(|| method.get("balance").and_then(Value::as_f64).unwrap_or(0.0))
}

/// Refuses a gift card whose balance is below `amount`.
pub(super) fn check_balance(method: &Value, amount: f64) -> Result<(), String> {
    match balance(method) {
        Some(balance) if balance < amount => {
            Err(format!("the gift card's balance of {balance} does not cover {}", cents(amount)))
        }
        _ => Ok(()),
    }
}

/// Adds to the balance of a gift card; does nothing to other methods.
pub(super) fn add_to_card(database: &mut Database, order: &Value, id: &str, amount: f64) {
    let Some(user) = database.row_mut("users", field(order, "user_id")) else { return };
    let Some(method) = user.pointer_mut(&format!("/payment_methods/{id}")) else { return };
    if let Some(balance) = balance(method) {
        method["balance"] = cents(balance + amount).into();
    }
}

/// What is paid, by payment method, in the order of the first payments: payments less refunds.
pub(super) fn paid(order: &Value) -> Vec<(String, f64)> {
    let mut paid: Vec<(String, f64)> = Vec::new();
    for entry in order.get("payment_history").and_then(Value::as_array).into_iter().flatten() {
        let amount = entry.get("amount").and_then(Value::as_f64).unwrap_or(0.0);
        let sign = if field(entry, "transaction_type") == "refund" { -1.0 } else { 1.0 };
        let id = field(entry, "payment_method_id");
        match paid.iter_mut().find(|(known, _)| known == id) {
            Some((_, sum)) => *sum = cents(*sum + sign * amount),
            None => paid.push((id.to_owned(), sign * amount)),
        }
    }
    paid.retain(|(_, sum)| *sum > 0.0);
    paid
}

/// Notes a payment or refund on an order, and books it where it concerns a gift card.
pub(super) fn book(database: &mut Database, order: &mut Value, kind: &str, id: &str, amount: f64) {
    let amount = cents(amount);
    let entry = json!({"transaction_type": kind, "amount": amount, "payment_method_id": id});
    if let Some(history) = order.get_mut("payment_history").and_then(Value::as_array_mut) {
        history.push(entry);
    }
    let sign = if kind == "refund" { 1.0 } else { -1.0 };
    add_to_card(database, order, id, sign * amount);
}
