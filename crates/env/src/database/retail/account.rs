//! Addresses of orders and of users.

use serde_json::{Value, json};

use super::super::rows::Database;
use super::super::tool::Arguments;
use super::values::{order_in, store_order, text};

pub(super) fn order_address(
    database: &mut Database,
    arguments: &Arguments,
) -> Result<Value, String> {
    let mut order = order_in(database, arguments, "pending")?;
    order["address"] = address(arguments);
    store_order(database, order)
}

pub(super) fn user_address(
    database: &mut Database,
    arguments: &Arguments,
) -> Result<Value, String> {
    let id = text(arguments, "user_id");
    let user = database.row_mut("users", id).ok_or_else(|| format!("there is no user {id}"))?;
    user["address"] = address(arguments);
    Ok(user.clone())
}

fn address(arguments: &Arguments) -> Value {
    let part = |key: &str| text(arguments, key);
    json!({
        "address1": part("address1"), "address2": part("address2"), "city": part("city"),
        "country": part("country"), "state": part("state"), "zip": part("zip"),
    })
}
