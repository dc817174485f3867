//! The tables of stock and reservations, read and written for many orders at once, on the caller's
//! transaction. What an event does is the rule of `reservation` and `warehouse`.

mod shelf;

use std::collections::HashMap;

use events::{OrderId, StockLine};
use serde::Serialize;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow, types::Json};

use crate::reservation::State;

pub use shelf::{SetOnHand, list, on_hand, set_on_hand, stock_of, write_back};

/// The tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// An order's reservation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reservation {
    /// Of which order.
    pub order_id: OrderId,
    /// How it stands.
    pub state: State,
    /// What the order asked for.
    pub lines: Vec<StockLine>,
}

/// The reservations of those orders, as far as there are, on the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn load(
    connection: &mut SqliteConnection,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Reservation>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT order_id, state, lines FROM reservations
         WHERE order_id IN (SELECT value FROM json_each(?1))",
    )
    .bind(Json(orders))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| read(row).map(|reservation| (reservation.order_id, reservation))).collect()
}

fn read(row: &SqliteRow) -> Result<Reservation, sqlx::Error> {
    let (order, state, lines): (String, String, String) =
        (row.try_get("order_id")?, row.try_get("state")?, row.try_get("lines")?);
    Ok(Reservation {
        order_id: order.parse().map_err(|_| strange("order_id", &order))?,
        state: State::named(&state).ok_or_else(|| strange("state", &state))?,
        lines: serde_json::from_str(&lines).map_err(|_| strange("lines", &lines))?,
    })
}

/// Writes reservations, on the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn save(
    connection: &mut SqliteConnection,
    reservations: &[Reservation],
) -> Result<(), sqlx::Error> {
    if reservations.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO reservations (order_id, state, lines)
         SELECT value ->> 'order_id', value ->> 'state', value ->> 'lines' FROM jsonb_each(?1) WHERE true
         ON CONFLICT DO UPDATE SET state = excluded.state",
    )
    .bind(Json(reservations))
    .execute(connection)
    .await?;
    Ok(())
}

/// The reservation of an order, as it is committed.
///
/// # Errors
/// What the database says.
pub async fn get(pool: &SqlitePool, order_id: OrderId) -> Result<Option<Reservation>, sqlx::Error> {
    Ok(load(&mut *pool.acquire().await?, &[order_id]).await?.remove(&order_id))
}

/// Up to `limit` reservations, of that state if one is named, whose order's id is below `before`; newest
/// order first.
///
/// # Errors
/// What the database says.
pub async fn reservations(
    pool: &SqlitePool,
    state: Option<State>,
    before: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Reservation>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT order_id, state, lines FROM reservations
         WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR order_id < ?2) ORDER BY order_id DESC LIMIT ?3",
    )
    .bind(state.map(State::name))
    .bind(before.map(|id| id.to_string()))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

fn strange(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds {value:?}").into())
}
