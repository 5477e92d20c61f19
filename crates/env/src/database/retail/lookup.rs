//! Tools that only look.

use serde_json::{Map, Value};

use super::super::rows::Database;
use super::super::tool::Arguments;
use super::values::{field, text};

type Answer = Result<Value, String>;

pub(super) fn user_by_email(database: &mut Database, arguments: &Arguments) -> Answer {
    let email = text(arguments, "email").to_lowercase();
    find_user(database, |user| field(user, "email").to_lowercase() == email)
}

pub(super) fn user_by_name_zip(database: &mut Database, arguments: &Arguments) -> Answer {
    let wanted = |key: &str| text(arguments, key).to_lowercase();
    let (first, last, zip) = (wanted("first_name"), wanted("last_name"), text(arguments, "zip"));
    find_user(database, |user| {
        let name = |key: &str| user.get("name").map(|name| field(name, key).to_lowercase());
        name("first_name").as_ref() == Some(&first)
            && name("last_name").as_ref() == Some(&last)
            && user.get("address").is_some_and(|address| field(address, "zip") == zip)
    })
}

fn find_user(database: &Database, fits: impl Fn(&Value) -> bool) -> Answer {
    let found = database.rows("users").into_iter().find(|(_, user)| fits(user));
    found.map(|(id, _)| id.into()).ok_or_else(|| "there is no such user".to_owned())
}

pub(super) fn order(database: &mut Database, arguments: &Arguments) -> Answer {
    row(database, "orders", "order", text(arguments, "order_id"))
}

pub(super) fn product(database: &mut Database, arguments: &Arguments) -> Answer {
    row(database, "products", "product", text(arguments, "product_id"))
}

pub(super) fn user(database: &mut Database, arguments: &Arguments) -> Answer {
    row(database, "users", "user", text(arguments, "user_id"))
}

fn row(database: &Database, table: &str, what: &str, key: &str) -> Answer {
    database.row(table, key).cloned().ok_or_else(|| format!("there is no {what} {key}"))
}

/// Product ids by name, in the order of names.
pub(super) fn product_types(database: &mut Database, _: &Arguments) -> Answer {
    let rows = database.rows("products");
    let mut names: Vec<(&str, &str)> =
        rows.iter().map(|(id, row)| (field(row, "name"), *id)).collect();
    names.sort_unstable();
    let types: Map<String, Value> =
        names.into_iter().map(|(name, id)| (name.to_owned(), id.into())).collect();
    Ok(types.into())
}
