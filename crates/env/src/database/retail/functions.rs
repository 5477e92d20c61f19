//! The tools by name.

use std::sync::Arc;

use serde_json::Value;

use super::super::rows::Database;
use super::super::tool::{Arguments, ToolFunction};
use super::{account, calculate, items, lookup, order};

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
