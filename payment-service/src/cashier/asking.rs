//! One question to the gateway, within the time limit. An answer that did not come, and a refusal, are
//! looked up, never guessed.

use std::{future::Future, time::Instant};

use events::Order;
use messaging::Failure;
use units::Timestamp;

use super::Cashier;
use crate::{
    gateway::{GatewayError, IdempotencyKey, Instruction, Operation, Reference, Standing},
    payment::{Attempt, AttemptOutcome, Payment},
};

/// What came of a question.
#[derive(Clone)]
pub(super) struct Answer {
    /// For those who look.
    pub(super) attempt: Attempt,
    /// For the payment.
    pub(super) found: Found,
}

/// How the money stands after a question, as far as it is known.
#[derive(Clone)]
pub(super) enum Found {
    /// Certainly like this, for the reason given where it was declined.
    Stands(Standing, String),
    /// Certainly like this; the operation was refused for good.
    Refused(Standing, String),
    /// The operation was certainly not carried out, and may be another time.
    NotDone(GatewayError),
    /// Nobody can tell yet.
    Unresolved(GatewayError),
}

impl Cashier {
    /// The gateway's reference for an order, which costs nothing and holds nothing.
    pub(super) async fn open(&self, order: &Order) -> Result<Reference, Failure> {
        self.within(self.gateway.open(order.order_id, order.total)).await.map_err(super::failure)
    }

    /// Asks for an operation; `None` where there is no charge, so that there is nothing to ask.
    pub(super) async fn ask(&self, payment: &Payment, operation: Operation) -> Option<Answer> {
        let charge = payment.charge.as_ref()?;
        let instruction = Instruction {
            key: IdempotencyKey::of(payment.order_id, operation),
            operation,
            reference: charge.reference.clone(),
            order_id: payment.order_id,
            amount: payment.amount,
            method: charge.method.clone(),
        };
        let asked = Instant::now();
        let said = self.within(self.gateway.carry_out(&instruction)).await;
        let outcome = outcome(&said);
        count(operation, outcome, asked);
        let error = said.as_ref().err().map(ToString::to_string);
        let found = self.find_out(&instruction, said).await;
        Some(Answer { attempt: Attempt { at: Timestamp::now(), operation, outcome, error }, found })
    }

    async fn find_out(&self, instruction: &Instruction, said: Result<(), GatewayError>) -> Found {
        let error = match said {
            Ok(()) => return Found::Stands(after(instruction.operation), String::new()),
            Err(GatewayError::Declined { reason }) => return Found::Stands(Standing::Declined, reason),
            Err(error @ (GatewayError::Transient { .. } | GatewayError::Throttled { .. })) => {
                return Found::NotDone(error);
            }
            Err(error) => error,
        };
        match (error, self.within(self.gateway.look_up(&instruction.reference)).await) {
            (GatewayError::Refused { reason }, Ok(standing)) => Found::Refused(standing, reason),
            (unknown, Ok(standing)) if is_before(standing, instruction.operation) => {
                // It may still be on its way: asked again under its key, it can't be done twice.
                Found::Unresolved(unknown)
            }
            (unknown, Ok(standing)) => Found::Stands(standing, unknown.to_string()),
            (_, Err(error)) => Found::Unresolved(error),
        }
    }

    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let waited = self.time_limit;
        tokio::time::timeout(waited, call).await.unwrap_or(Err(GatewayError::Unknown { waited }))
    }
}

/// How the money stands once an operation was carried out.
const fn after(operation: Operation) -> Standing {
    match operation {
        Operation::Authorize => Standing::Authorized,
        Operation::Capture => Standing::Captured,
        Operation::Void => Standing::Voided,
        Operation::Refund => Standing::Refunded,
    }
}

/// Whether an operation may still be to come where the money stands like this.
const fn is_before(standing: Standing, operation: Operation) -> bool {
    match operation {
        Operation::Authorize => matches!(standing, Standing::Open),
        Operation::Capture | Operation::Void => matches!(standing, Standing::Open | Standing::Authorized),
        Operation::Refund => matches!(standing, Standing::Open | Standing::Authorized | Standing::Captured),
    }
}

const fn outcome(said: &Result<(), GatewayError>) -> AttemptOutcome {
    match said {
        Ok(()) => AttemptOutcome::Done,
        Err(GatewayError::Declined { .. }) => AttemptOutcome::Declined,
        Err(GatewayError::Refused { .. }) => AttemptOutcome::Refused,
        Err(GatewayError::Unknown { .. }) => AttemptOutcome::Unknown,
        Err(_) => AttemptOutcome::Failed,
    }
}

fn count(operation: Operation, outcome: AttemptOutcome, asked: Instant) {
    let outcome = match outcome {
        AttemptOutcome::Done => "done",
        AttemptOutcome::Declined => "declined",
        AttemptOutcome::Failed => "failed",
        AttemptOutcome::Refused => "refused",
        AttemptOutcome::Unknown => "unknown",
    };
    metrics::histogram!("payment_gateway_call_seconds", "operation" => operation.name(), "outcome" => outcome)
        .record(asked.elapsed().as_secs_f64());
}
