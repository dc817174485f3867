//! Reading orders: one, or a page of them, newest first.

use std::str::FromStr;

use events::OrderId;
use sqlx::{QueryBuilder, Sqlite};

use super::{
    Store, StoreError,
    row::{OrderRow, order_columns},
};
use crate::order::{Order, StatusName};

/// Which orders a list holds.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// Those of that status.
    pub status: Option<StatusName>,
    /// Those of the customer with that email address, whatever its case.
    pub customer: Option<String>,
    /// Those that need a person, or those that don't.
    pub attention: Option<bool>,
    /// Those placed before the one of that number.
    pub before: Option<i64>,
}

/// An idempotency key and its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Counts up as keys are stored.
    pub number: i64,
    /// As the client chose it.
    pub key: String,
    /// The order that it was answered with.
    pub order_id: OrderId,
}

impl Store {
    /// The newest `limit` keys, those stored before the one of number `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys(&self, before: Option<i64>, limit: usize) -> Result<Vec<StoredKey>, StoreError> {
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT rowid, key, order_id FROM idempotency_keys WHERE ?1 IS NULL OR rowid < ?1 \
             ORDER BY rowid DESC LIMIT ?2",
        )
        .bind(before)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.database.reader())
        .await?;
        let key = |(number, key, order): (i64, String, String)| {
            let unreadable = |source: <OrderId as FromStr>::Err| StoreError::Unreadable {
                what: format!("the order of key {key:?}"),
                source: source.into(),
            };
            let order_id = order.parse().map_err(unreadable)?;
            Ok(StoredKey { number, key, order_id })
        };
        rows.into_iter().map(key).collect()
    }

    /// An order, if there is one of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row: Option<OrderRow> =
            sqlx::query_as(concat!("SELECT ", order_columns!(), " FROM orders WHERE id = ?"))
                .bind(id.to_string())
                .fetch_optional(self.database.reader())
                .await?;
        row.map(Order::try_from).transpose()
    }

    /// The newest `limit` orders that match, each with its number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders(&self, filter: &Filter, limit: usize) -> Result<Vec<(i64, Order)>, StoreError> {
        let mut query =
            QueryBuilder::<Sqlite>::new(concat!("SELECT ", order_columns!(), " FROM orders WHERE true"));
        if let Some(status) = filter.status {
            query.push(" AND status = ").push_bind(status);
        }
        if let Some(customer) = &filter.customer {
            query.push(" AND customer_email = ").push_bind(customer).push(" COLLATE NOCASE");
        }
        match filter.attention {
            Some(true) => _ = query.push(" AND attention <> '[]'"),
            Some(false) => _ = query.push(" AND attention = '[]'"),
            None => {}
        }
        if let Some(before) = filter.before {
            query.push(" AND number < ").push_bind(before);
        }
        query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows: Vec<OrderRow> = query.build_query_as().fetch_all(self.database.reader()).await?;
        rows.into_iter().map(|row| Ok((row.number, Order::try_from(row)?))).collect()
    }
}
