//! The tables of stock and reservations. What an event does is `reservation`'s rule; here it is carried
//! out, set-based, on the caller's transaction.

mod moves;
mod shelf;

use events::{OrderId, Sku, StockLine};
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use crate::reservation::{State, Step};

pub use shelf::{SetOnHand, list, on_hand, set_on_hand};

/// The tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// An order's reservation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Of which order.
    pub order_id: OrderId,
    /// How it stands.
    pub state: State,
    /// What the order asked for.
    pub lines: Vec<StockLine>,
}

/// What a step came to: for the others to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// There is nothing to tell.
    Quietly,
    /// All lines are held.
    Reserved(Vec<StockLine>),
    /// There was too little of these.
    Rejected(Vec<Sku>),
    /// These are free again.
    Released(Vec<StockLine>),
}

/// The reservation of an order, on the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn load(
    connection: &mut SqliteConnection,
    order_id: OrderId,
) -> Result<Option<Reservation>, sqlx::Error> {
    let select = sqlx::query("SELECT order_id, state, lines FROM reservations WHERE order_id = ?1");
    let row = select.bind(order_id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
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

/// Carries out a step of an order's reservation whose lines are `lines`, on the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn carry_out(
    connection: &mut SqliteConnection,
    order_id: OrderId,
    lines: Vec<StockLine>,
    step: Step,
) -> Result<Done, sqlx::Error> {
    let json = json(&lines);
    match step {
        Step::Nothing => Ok(Done::Quietly),
        Step::Reserve if moves::reserve(connection, &json, lines.len()).await? => {
            insert(connection, order_id, State::Reserved, &json).await?;
            Ok(Done::Reserved(lines))
        }
        Step::Reserve => {
            insert(connection, order_id, State::Rejected, &json).await?;
            Ok(Done::Rejected(moves::short(connection, &json).await?))
        }
        Step::Commit => {
            moves::commit(connection, &json).await?;
            turn(connection, order_id, State::Committed).await?;
            Ok(Done::Quietly)
        }
        Step::Release => {
            moves::release(connection, &json).await?;
            turn(connection, order_id, State::Released).await?;
            Ok(Done::Released(lines))
        }
        Step::PutBack => {
            moves::put_back(connection, &json).await?;
            turn(connection, order_id, State::Released).await?;
            Ok(Done::Released(lines))
        }
        Step::Bury => {
            insert(connection, order_id, State::Released, &json).await?;
            Ok(Done::Quietly)
        }
    }
}

/// The reservation of an order, as it is committed.
///
/// # Errors
/// What the database says.
pub async fn get(pool: &SqlitePool, order_id: OrderId) -> Result<Option<Reservation>, sqlx::Error> {
    load(&mut *pool.acquire().await?, order_id).await
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

async fn insert(
    connection: &mut SqliteConnection,
    order_id: OrderId,
    state: State,
    lines: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO reservations (order_id, state, lines) VALUES (?1, ?2, ?3)")
        .bind(order_id.to_string())
        .bind(state.name())
        .bind(lines)
        .execute(connection)
        .await?;
    Ok(())
}

async fn turn(connection: &mut SqliteConnection, order_id: OrderId, state: State) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE reservations SET state = ?2 WHERE order_id = ?1")
        .bind(order_id.to_string())
        .bind(state.name())
        .execute(connection)
        .await?;
    Ok(())
}

fn json(lines: &[StockLine]) -> String {
    serde_json::to_string(lines).expect("texts and numbers are always JSON")
}

fn strange(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds {value:?}").into())
}
