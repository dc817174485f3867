//! order-service's database: orders, products, idempotency keys, and what goes with them into the
//! outbox. Rules live in `saga`; here they are carried out, each in one transaction.

mod advancing;
mod deadlines;
mod placing;
mod products;
mod reading;
mod row;

use std::path::Path;

use messaging::{Database, DatabaseError, Outbox};
use sqlx::migrate::Migrator;

pub use self::{
    advancing::{Change, Outcome},
    deadlines::Due,
    placing::{Placement, Stored},
    reading::Filter,
};
use crate::changes::Changes;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What order-service calls itself in its events (CloudEvents `source`) and as a consumer.
pub const SOURCE: &str = "/order-service";

/// The database and whom to wake when it changed. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    outbox: Outbox,
    changes: Changes,
}

/// Why the database could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The transaction failed.
    #[error("the database failed")]
    Database(#[from] DatabaseError),
    /// A statement failed.
    #[error("a statement failed")]
    Statement(#[from] sqlx::Error),
    /// What is stored can't be read.
    #[error("{what} is stored in a form that can't be read")]
    Unreadable {
        /// Which order or product.
        what: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no such order.
    #[error("there is no order {0}")]
    NoSuchOrder(events::OrderId),
    /// The order's state was not the one that was decided on.
    #[error("order {0} changed meanwhile")]
    ChangedMeanwhile(events::OrderId),
}

impl Store {
    /// Opens the database in a data folder, and creates or migrates it.
    ///
    /// # Errors
    /// When the file can't be opened, or is of a newer version.
    pub async fn open(folder: &Path) -> Result<Self, DatabaseError> {
        let database = Database::open(&folder.join("order.db"), &MIGRATIONS).await?;
        Ok(Self { outbox: Outbox::new(database.clone()), database, changes: Changes::default() })
    }

    /// Ends the writer after what waits, and closes the file.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// What is to be published.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Whose status changed in this process.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }
}
