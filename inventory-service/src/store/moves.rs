//! The moves of stock, each one statement for all lines of an order. `?1` is the lines as JSON, at most
//! one a SKU.

use events::Sku;
use sqlx::{AssertSqlSafe, SqliteConnection};

/// The lines as a table.
const LINES: &str =
    "(SELECT value ->> 'sku' AS sku, value ->> 'quantity' AS quantity FROM json_each(?1)) AS line";

/// Holds all `count` lines, or none. Whether there is too little of any is told before the first row
/// changes: the condition that names no row of `stock` is evaluated once.
pub(super) async fn reserve(
    connection: &mut SqliteConnection,
    lines: &str,
    count: usize,
) -> Result<bool, sqlx::Error> {
    let sql = format!(
        "UPDATE stock SET reserved = reserved + line.quantity FROM {LINES}
         WHERE stock.sku = line.sku AND NOT EXISTS (
             SELECT 1 FROM {LINES} LEFT JOIN stock AS held ON held.sku = line.sku
             WHERE held.sku IS NULL OR held.on_hand - held.reserved < line.quantity)"
    );
    let held = sqlx::query(AssertSqlSafe(sql)).bind(lines).execute(connection).await?;
    Ok(held.rows_affected() == count as u64)
}

/// Of what there is too little.
pub(super) async fn short(connection: &mut SqliteConnection, lines: &str) -> Result<Vec<Sku>, sqlx::Error> {
    let sql = format!(
        "SELECT line.sku FROM {LINES} LEFT JOIN stock ON stock.sku = line.sku
         WHERE stock.sku IS NULL OR on_hand - reserved < line.quantity ORDER BY line.sku"
    );
    let skus: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(lines).fetch_all(connection).await?;
    Ok(skus.iter().map(|sku| Sku::new(sku)).collect())
}

/// What is held leaves the stock.
pub(super) async fn commit(connection: &mut SqliteConnection, lines: &str) -> Result<(), sqlx::Error> {
    let set = "reserved = reserved - line.quantity, on_hand = on_hand - line.quantity,
               committed = committed + line.quantity";
    update(connection, set, lines).await
}

/// What is held is free again.
pub(super) async fn release(connection: &mut SqliteConnection, lines: &str) -> Result<(), sqlx::Error> {
    update(connection, "reserved = reserved - line.quantity", lines).await
}

/// What has left comes back.
pub(super) async fn put_back(connection: &mut SqliteConnection, lines: &str) -> Result<(), sqlx::Error> {
    let set = "on_hand = on_hand + line.quantity, committed = committed - line.quantity";
    update(connection, set, lines).await
}

async fn update(connection: &mut SqliteConnection, set: &str, lines: &str) -> Result<(), sqlx::Error> {
    let sql = format!("UPDATE stock SET {set} FROM {LINES} WHERE stock.sku = line.sku");
    sqlx::query(AssertSqlSafe(sql)).bind(lines).execute(connection).await?;
    Ok(())
}
