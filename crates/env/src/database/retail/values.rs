//! Reading arguments and rows, and the order that a call is about.

use serde_json::Value;

use super::super::rows::Database;
use super::super::tool::Arguments;

/// A text argument; the schemas require those that are read.
pub(super) fn text<'a>(arguments: &'a Arguments, key: &str) -> &'a str {
    arguments.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A list of texts.
pub(super) fn texts<'a>(arguments: &'a Arguments, key: &str) -> Vec<&'a str> {
    let items = arguments.get(key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The text of a field of a row.
pub(super) fn field<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A copy of the order of an argument, which must be in this state.
pub(super) fn order_in(
    database: &Database,
    arguments: &Arguments,
    state: &str,
) -> Result<Value, String> {
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
pub(super) fn store_order(database: &mut Database, order: Value) -> Result<Value, String> {
    let id = field(&order, "order_id").to_owned();
    database.put("orders", &id, order.clone());
    Ok(order)
}
