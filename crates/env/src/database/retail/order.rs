//! Cancelling a whole order, and changing how it is paid.

use serde_json::Value;

use super::super::rows::Database;
use super::super::tool::Arguments;
use super::money::{book, check_balance, method, paid};
use super::values::{order_in, store_order, text};

pub(super) fn cancel(database: &mut Database, arguments: &Arguments) -> Result<Value, String> {
    let mut order = order_in(database, arguments, "pending")?;
    for (id, amount) in paid(&order) {
        book(database, &mut order, "refund", &id, amount);
    }
    order["status"] = "cancelled".into();
    order["cancel_reason"] = text(arguments, "reason").into();
    store_order(database, order)
}

pub(super) fn payment(database: &mut Database, arguments: &Arguments) -> Result<Value, String> {
    let mut order = order_in(database, arguments, "pending")?;
    let id = text(arguments, "payment_method_id");
    let paid = paid(&order);
    let [(old, amount)] = paid.as_slice() else {
        return Err("the order is paid with several methods".to_owned());
    };
    let new = method(database, &order, id)?;
    if id == old {
        return Err("the new payment method must differ from the old one".to_owned());
    }
    check_balance(new, *amount)?;
    book(database, &mut order, "payment", id, *amount);
    book(database, &mut order, "refund", old, *amount);
    store_order(database, order)
}
