//! The retail benchmark's tools, written from their schemas and the policy's text.
//!
//! The benchmark's files describe what each tool does; these functions do it. Where the text leaves a choice:
//!
//! - An order whose items were modified has the state `pending (items modified)` and takes no further action,
//!   as the policy says.
//! - Exchanging an item for the very same one is allowed: the policy speaks of "a different option", but the
//!   schemas do not, and one task in ten asks for it.
//! - A refund goes, for every payment method, back as far as it was paid with; gift cards get it at once.
//! - Amounts are rounded to cents after every sum.

mod account;
mod calculate;
mod items;
mod lookup;
mod money;
mod order;

use std::sync::Arc;

use super::rows::Database;
use super::tool::{Arguments, ToolFunction};
use serde_json::Value;

/// Every tool by its name.
pub(crate) fn retail_functions() -> Vec<(&'static str, ToolFunction)> {
    type Plain = fn(&mut Database, &Arguments) -> Result<Value, String>;
    let all: [(&str, Plain); 16] = [
        ("calculate", calculate::calculate),
        ("cancel_pending_order", order::cancel),
        ("exchange_delivered_order_items", items::exchange),
        ("find_user_id_by_email", lookup::user_by_email),
        ("find_user_id_by_name_zip", lookup::user_by_name_zip),
        ("get_order_details", lookup::order),
        ("get_product_details", lookup::product),
        ("get_user_details", lookup::user),
        ("list_all_product_types", lookup::product_types),
        ("modify_pending_order_address", account::order_address),
        ("modify_pending_order_items", items::modify),
        ("modify_pending_order_payment", order::payment),
        ("modify_user_address", account::user_address),
        ("return_delivered_order_items", items::give_back),
        ("think", |_, _| Ok("".into())),
        ("transfer_to_human_agents", |_, _| Ok("Transfer successful".into())),
    ];
    all.into_iter().map(|(name, function)| (name, Arc::new(function) as ToolFunction)).collect()
}

/// A text argument; the schemas require those that are read.
fn text<'a>(arguments: &'a Arguments, key: &str) -> &'a str {
    arguments.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A list of texts.
fn texts<'a>(arguments: &'a Arguments, key: &str) -> Vec<&'a str> {
    let items = arguments.get(key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The text of a field of a row.
fn field<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A copy of the order of an argument, which must be in this state.
fn order_in(database: &Database, arguments: &Arguments, state: &str) -> Result<Value, String> {
    let id = text(arguments, "order_id");
    let order = database.row("orders", id).ok_or_else(|| format!("there is no order {id}"))?;
    let status = field(order, "status");
    if status == state {
        Ok(order.clone())
    } else {
        Err(format!("the order is {status}, not {state}"))
    }
}

/// Puts a changed order back and answers with it.
fn store_order(database: &mut Database, order: Value) -> Result<Value, String> {
    let id = field(&order, "order_id").to_owned();
    database.put("orders", &id, order.clone());
    Ok(order)
}
