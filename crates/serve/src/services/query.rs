//! Which piece of a list is asked for.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::unusable;
use crate::App;
use crate::api_error::ApiError;
use crate::store::{Page, PageAsked};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    limit: Option<usize>,
    after: Option<String>,
}

/// `?limit=20&after=ID`.
pub(crate) struct ListQuery(pub(crate) PageAsked);

/// Items of a piece where nothing is said.
const USUAL: usize = 20;

impl FromRequestParts<App> for ListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<Query>::from_request_parts(parts, app).await;
        let axum::extract::Query(Query { limit, after }) =
            query.map_err(|error| unusable("invalid_query", "query", error.body_text()))?;
        let limit = limit.unwrap_or(USUAL);
        if !(1..=PageAsked::MAX_ITEMS).contains(&limit) {
            let most = PageAsked::MAX_ITEMS;
            let message = format!("it is {limit}; allowed are 1 to {most}");
            return Err(unusable("invalid_value", "limit", message));
        }
        Ok(ListQuery(PageAsked { limit, after }))
    }
}

/// The body of a piece: its items, and where the next one begins.
pub(crate) fn page_body<T>(
    page: &Page<T>,
    id: impl Fn(&T) -> &str,
    body: impl Fn(&T) -> Value,
) -> Value {
    let next = page.items.last().filter(|_| page.has_more).map(id);
    let data: Vec<Value> = page.items.iter().map(body).collect();
    json!({"object": "list", "data": data, "next_cursor": next})
}
