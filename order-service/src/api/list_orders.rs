//! `GET /orders`: a page of orders, newest first.

use axum::{Json, extract::State};
use serde::Deserialize;
use serve::{
    extract::Query,
    page::{Limit, Page, invalid_cursor},
    problem::{Problem, ProblemBody},
};
use utoipa::IntoParams;

use super::App;
use crate::{
    order::{Order, StatusName},
    store::Filter,
};

/// Which orders, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ask {
    /// Only those of that status.
    #[param(inline)]
    status: Option<StatusName>,
    /// Only those of the customer with this email address.
    customer: Option<String>,
    /// Only those that need a person (true), or that don't (false).
    attention: Option<bool>,
    /// How many orders at the most.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^[0-7][0-9a-f]{15}$")]
    cursor: Option<String>,
}

/// Orders, newest first.
#[utoipa::path(get, path = "/orders", tag = "orders", params(Ask), responses(
    (status = 200, description = "A page of orders", body = Page<Order>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_orders(
    State(app): State<App>,
    Query(ask): Query<Ask>,
) -> Result<Json<Page<Order>>, Problem> {
    let before = ask.cursor.as_deref().map(read_cursor).transpose()?;
    let filter = Filter { status: ask.status, customer: ask.customer, attention: ask.attention, before };
    let limit = ask.limit.get();
    let mut orders = app.0.store.orders(&filter, limit + 1).await?;
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next_cursor = orders.last().filter(|_| more).map(|(number, _)| cursor(*number));
    Ok(Json(Page { items: orders.into_iter().map(|(_, order)| order).collect(), next_cursor }))
}

/// A cursor is the number of the last order shown, in 16 hex digits.
pub(super) fn cursor(number: i64) -> String {
    format!("{number:016x}")
}

pub(super) fn read_cursor(text: &str) -> Result<i64, Problem> {
    let number = i64::from_str_radix(text, 16).map_err(|_| invalid_cursor())?;
    if cursor(number) == text { Ok(number) } else { Err(invalid_cursor()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        assert_eq!(read_cursor(&cursor(42)).unwrap(), 42);
        for wrong in ["", "42", "-1", "000000000000002A", "00000000000000000000000000000042", "x"] {
            assert!(read_cursor(wrong).is_err(), "{wrong}");
        }
    }
}
