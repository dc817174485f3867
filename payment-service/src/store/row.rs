//! One row of the payments' table, from and to the domain.

use events::{Currency, Customer, Money, OrderId};
use messaging::Event;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::{Row, sqlite::SqliteRow};
use units::Timestamp;

use crate::{
    gateway::{Operation, Reference},
    payment::{Attempt, Charge, Payment, Status},
};

/// A payment, and what is announced of it follows from.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The payment.
    pub payment: Payment,
    /// The event that last told something new.
    pub cause: Cause,
}

/// What an announcement takes over from the event that it follows from, also when it is made long
/// after that event was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    id: String,
    correlation_id: String,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

impl Cause {
    /// What follows from `event`.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            id: event.id().to_owned(),
            correlation_id: event.correlation_id().unwrap_or_else(|| event.id()).to_owned(),
            traceparent: event.traceparent().map(ToOwned::to_owned),
            tracestate: event.extension("tracestate").map(ToOwned::to_owned),
        }
    }

    /// `event` as one that follows from this, with an order's partition key.
    #[must_use]
    pub fn of_which(&self, event: Event, partition_key: String) -> Event {
        let event = event
            .with_partition_key(partition_key)
            .with_correlation_id(&self.correlation_id)
            .with_causation_id(&self.id);
        let event = match &self.traceparent {
            Some(traceparent) => event.with_traceparent(traceparent),
            None => event,
        };
        match &self.tracestate {
            Some(tracestate) => event.with_extension("tracestate", tracestate),
            None => event,
        }
    }
}

/// What the row says.
pub(super) fn read(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column);
    let currency = text("currency")?;
    let currency = Currency::parse(&currency).map_err(|_| strange("currency", &currency))?;
    let charge = optional("method")?.zip(optional("reference")?);
    let status = text("status")?;
    let intent = optional("intent")?;
    let order_id = text("order_id")?;
    let payment = Payment {
        order_id: order_id.parse().map_err(|_| strange("order_id", &order_id))?,
        amount: Money::new(row.try_get("amount")?, currency),
        customer: parsed("customer", &text("customer")?)?,
        charge: charge.map(|(method, reference)| Charge { method, reference: Reference(reference) }),
        confirmed: row.try_get("confirmed")?,
        cancelled: row.try_get("cancelled")?,
        status: Status::named(&status).ok_or_else(|| strange("status", &status))?,
        intent: intent
            .map(|name| Operation::named(&name).ok_or_else(|| strange("intent", &name)))
            .transpose()?,
        attempts: parsed("attempts", &text("attempts")?)?,
    };
    Ok(Stored { payment, cause: parsed("cause", &text("cause")?)? })
}

/// A row as it is written, with its columns' names; what is kept as JSON stands in it as such.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    order_id: OrderId,
    amount: i64,
    currency: &'a str,
    customer: &'a Customer,
    method: Option<&'a str>,
    reference: Option<&'a str>,
    confirmed: bool,
    cancelled: bool,
    status: &'static str,
    intent: Option<&'static str>,
    due_at: i64,
    cause: &'a Cause,
    attempts: &'a [Attempt],
}

impl<'a> Written<'a> {
    pub(super) fn of(stored: &'a Stored, due_at: Timestamp) -> Self {
        let Stored { payment, cause } = stored;
        Self {
            order_id: payment.order_id,
            amount: payment.amount.amount,
            currency: payment.amount.currency.as_str(),
            customer: &payment.customer,
            method: payment.charge.as_ref().map(|charge| charge.method.as_str()),
            reference: payment.charge.as_ref().map(|charge| charge.reference.0.as_str()),
            confirmed: payment.confirmed,
            cancelled: payment.cancelled,
            status: payment.status.name(),
            intent: payment.intent.map(Operation::name),
            due_at: super::millis(due_at),
            cause,
            attempts: &payment.attempts,
        }
    }
}

fn parsed<T: DeserializeOwned>(column: &str, json: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(json).map_err(|_| strange(column, json))
}

fn strange(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds {value:?}").into())
}
