//! A payment gateway to try things out with: test methods, outages, and a ledger of its own. It is
//! another company's computer: it shares nothing with the service but this trait, and what it says it
//! did is synced to its own file first. Its books stand in `ledger`, its test methods in `method`.

mod books;
mod ledger;
mod method;
mod mode;

pub use ledger::{Carried, Ledger, LedgerError, LedgerPage};
pub use mode::Mode;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use events::{Money, OrderId};
use messaging::database::DatabaseError;

use super::{Gateway, GatewayError, Instruction, Reference, Standing};
use books::Verdict;
use ledger::Answer;

/// How long each answer takes in the mode `slow`.
const SLOW: Duration = Duration::from_secs(2);

/// The sandbox. Clones, and other processes on the same file, are the same gateway.
#[derive(Clone)]
pub struct Sandbox {
    ledger: Ledger,
}

impl Sandbox {
    /// Opens the sandbox's file, making it where it is missing.
    ///
    /// # Errors
    /// When the file can't be opened or is not a ledger.
    pub async fn open_file(file: &Path) -> Result<Self, DatabaseError> {
        Ok(Self { ledger: Ledger::open(file).await? })
    }

    /// The ledger and the mode, for those who look on.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

#[async_trait]
impl Gateway for Sandbox {
    /// The sandbox names a payment after its order: there is nothing to ask for and nothing to store.
    async fn open(&self, order_id: OrderId, _: Money) -> Result<Reference, GatewayError> {
        Ok(ledger::reference_of(order_id))
    }

    async fn carry_out(&self, instruction: &Instruction) -> Result<(), GatewayError> {
        let Answer { verdict, mode } = self.ledger.carry_out(instruction.clone()).await.map_err(broken)?;
        if mode == Mode::Slow {
            tokio::time::sleep(SLOW).await;
        }
        match verdict {
            Verdict::CarriedOut { then_silent: true } => std::future::pending().await,
            Verdict::CarriedOut { then_silent: false } | Verdict::CarriedOutBefore => Ok(()),
            Verdict::Declined(reason) => Err(GatewayError::Declined { reason }),
            Verdict::Refused(reason) => Err(GatewayError::Refused { reason: reason.to_owned() }),
            Verdict::Unavailable => Err(unavailable()),
        }
    }

    async fn look_up(&self, reference: &Reference) -> Result<Standing, GatewayError> {
        let (standing, mode) = self.ledger.look_up(reference).await.map_err(broken)?;
        match mode {
            Mode::Down => return Err(unavailable()),
            Mode::Slow => tokio::time::sleep(SLOW).await,
            Mode::Up => {}
        }
        Ok(standing)
    }
}

fn unavailable() -> GatewayError {
    GatewayError::Transient { reason: "503 Service Unavailable".to_owned() }
}

/// The sandbox's own disk failed, before it answered: whether the commit held is not known.
fn broken(error: LedgerError) -> GatewayError {
    tracing::error!(error = %error, "sandbox_ledger_failed");
    GatewayError::Unknown { waited: Duration::ZERO }
}
