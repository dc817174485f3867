//! The catalogue's products in the database.

use events::{Currency, Money, Sku};

use super::{Store, StoreError};
use crate::product::Product;

/// A product's row: sku, name, amount, currency.
type Row = (String, String, i64, String);

impl Store {
    /// The products of these SKUs, those that there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn products_of(&self, skus: &[Sku]) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sku, name, amount, currency FROM products \
             WHERE sku IN (SELECT value FROM json_each(?))",
        )
        .bind(sqlx::types::Json(skus))
        .fetch_all(self.database.reader())
        .await?;
        rows.into_iter().map(product).collect()
    }

    /// The first `limit` products by SKU, after one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn products(&self, after: &str, limit: usize) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sku, name, amount, currency FROM products WHERE sku > ? ORDER BY sku LIMIT ?",
        )
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.database.reader())
        .await?;
        rows.into_iter().map(product).collect()
    }

    /// Adds or changes a product. Answers whether it was added.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_product(&self, product: Product) -> Result<bool, StoreError> {
        let put = self.database.write(move |connection| {
            Box::pin(async move {
                let added = sqlx::query(
                    "INSERT INTO products (sku, name, amount, currency) VALUES (?, ?, ?, ?) \
                     ON CONFLICT DO NOTHING",
                )
                .bind(product.sku.as_str())
                .bind(&product.name)
                .bind(product.price.amount)
                .bind(product.price.currency.as_str())
                .execute(&mut *connection)
                .await?;
                if added.rows_affected() == 0 {
                    sqlx::query("UPDATE products SET name = ?, amount = ?, currency = ? WHERE sku = ?")
                        .bind(&product.name)
                        .bind(product.price.amount)
                        .bind(product.price.currency.as_str())
                        .bind(product.sku.as_str())
                        .execute(connection)
                        .await?;
                }
                Ok::<_, StoreError>(added.rows_affected() > 0)
            })
        });
        put.await
    }
}

fn product((sku, name, amount, currency): Row) -> Result<Product, StoreError> {
    let currency = Currency::parse(&currency)
        .map_err(|source| StoreError::Unreadable { what: format!("product {sku}"), source: source.into() })?;
    Ok(Product { sku: Sku::new(&sku), name, price: Money::new(amount, currency) })
}
