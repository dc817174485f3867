//! Reading orders: one, or a page of them, newest first.

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

impl Store {
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
