//! The stock's table: read and written back for those who work on it, looked at, set by hand.

use events::Sku;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow, types::Json};

use crate::stock::Stock;

/// What became of setting the stock of a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetOnHand {
    /// It is new.
    Added(Stock),
    /// It is as wanted.
    Changed(Stock),
    /// More than that is held for orders: nothing was changed.
    BelowReserved(Stock),
}

/// The stock of a SKU.
///
/// # Errors
/// What the database says.
pub async fn on_hand(connection: &mut SqliteConnection, sku: &Sku) -> Result<Option<Stock>, sqlx::Error> {
    let select = sqlx::query("SELECT * FROM stock WHERE sku = ?1").bind(sku.as_str());
    select.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// The stock of those SKUs, as far as there are.
///
/// # Errors
/// What the database says.
pub async fn stock_of(connection: &mut SqliteConnection, skus: &[&Sku]) -> Result<Vec<Stock>, sqlx::Error> {
    let select = sqlx::query("SELECT * FROM stock WHERE sku IN (SELECT value FROM json_each(?1))");
    let rows = select.bind(Json(skus)).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Writes back what is on hand, held and gone of SKUs that were read on the same transaction.
///
/// # Errors
/// What the database says.
pub async fn write_back(
    connection: &mut SqliteConnection,
    stock: impl Iterator<Item = &Stock>,
) -> Result<(), sqlx::Error> {
    let rows: Vec<_> =
        stock.map(|stock| (&stock.sku, stock.on_hand, stock.reserved, stock.committed)).collect();
    sqlx::query(
        "UPDATE stock SET on_hand = now ->> 1, reserved = now ->> 2, committed = now ->> 3
         FROM (SELECT value AS now FROM jsonb_each(?1)) WHERE sku = now ->> 0",
    )
    .bind(Json(rows))
    .execute(connection)
    .await?;
    Ok(())
}

/// Up to `limit` SKUs after `after`, by SKU.
///
/// # Errors
/// What the database says.
pub async fn list(pool: &SqlitePool, after: &str, limit: usize) -> Result<Vec<Stock>, sqlx::Error> {
    let select = sqlx::query("SELECT * FROM stock WHERE sku > ?1 ORDER BY sku LIMIT ?2").bind(after);
    let rows = select.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(pool).await?;
    rows.iter().map(read).collect()
}

/// Sets how many pieces of a SKU are on hand: the difference was received, or taken out.
///
/// # Errors
/// What the database says.
pub async fn set_on_hand(
    connection: &mut SqliteConnection,
    sku: &Sku,
    wanted: i64,
) -> Result<SetOnHand, sqlx::Error> {
    let before = on_hand(connection, sku).await?;
    if let Some(before) = before.as_ref().filter(|before| before.reserved > wanted) {
        return Ok(SetOnHand::BelowReserved(before.clone()));
    }
    let row = sqlx::query(
        "INSERT INTO stock (sku, on_hand, received) VALUES (?1, ?2, ?2)
         ON CONFLICT DO UPDATE SET on_hand = ?2, received = received + ?2 - on_hand RETURNING *",
    )
    .bind(sku.as_str())
    .bind(wanted)
    .fetch_one(connection)
    .await?;
    let after = read(&row)?;
    Ok(if before.is_some() { SetOnHand::Changed(after) } else { SetOnHand::Added(after) })
}

fn read(row: &SqliteRow) -> Result<Stock, sqlx::Error> {
    Ok(Stock {
        sku: Sku::new(row.try_get("sku")?),
        on_hand: row.try_get("on_hand")?,
        reserved: row.try_get("reserved")?,
        received: row.try_get("received")?,
        committed: row.try_get("committed")?,
    })
}
