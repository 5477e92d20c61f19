//! Which piece of a list is asked for.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::unusable;
use crate::App;
use crate::api_error::ApiError;
use crate::store::{Page, PageAsked};

/// Which piece of a list, newest first.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Most items; 20 where absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next_cursor` of the piece before.
    after: Option<String>,
}

/// `?limit=20&after=ID`.
pub(crate) struct ListQuery(pub(crate) PageAsked);

/// Items of a piece where nothing is said.
const USUAL: usize = 20;

impl FromRequestParts<App> for ListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let query = Query::<ListParams>::from_request_parts(parts, app).await;
        let Query(ListParams { limit, after }) =
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

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// Always `list`.
    object: &'static str,
    /// Its items.
    data: Vec<T>,
    /// Where the next piece begins; null where there is none.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A piece as it is shown.
    pub(crate) fn of<R>(
        page: &Page<R>,
        id: impl Fn(&R) -> &str,
        shown: impl Fn(&R) -> T,
    ) -> List<T> {
        let next = page.items.last().filter(|_| page.has_more).map(id);
        let next_cursor = next.map(str::to_owned);
        List { object: "list", data: page.items.iter().map(shown).collect(), next_cursor }
    }
}
