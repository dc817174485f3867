//! A gateway between the service and the sandbox that does what a network and a company's computer do:
//! refuses, throttles, loses what is asked or answered, and is slow at the worst moment.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use events::{Money, OrderId};
use payment_service::gateway::{
    Gateway, GatewayError, Instruction, Operation, Reference, Standing, sandbox::Sandbox,
};
use tokio::sync::Semaphore;

/// What happens to one call.
#[derive(Clone)]
pub(crate) enum Fate {
    /// The gateway refuses for good.
    Refused,
    /// The gateway asks to wait.
    Throttled,
    /// The call never arrives, and nobody can tell.
    Lost,
    /// The call is carried out, and the answer is lost.
    AnswerLost,
    /// The call waits before it arrives.
    HeldBefore(Gate),
    /// The call is carried out, and its answer waits.
    HeldAfter(Gate),
}

/// Where a call waits until it is let through.
#[derive(Clone)]
pub(crate) struct Gate {
    reached: Arc<Semaphore>,
    opened: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { reached: Arc::new(Semaphore::new(0)), opened: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until a call waits here.
    pub(crate) async fn reached(&self) {
        let reached = tokio::time::timeout(Duration::from_secs(10), self.reached.acquire());
        reached.await.expect("a call comes").unwrap().forget();
    }

    /// Lets the call through.
    pub(crate) fn open(&self) {
        self.opened.add_permits(1);
    }

    async fn pass(&self) {
        self.reached.add_permits(1);
        self.opened.acquire().await.unwrap().forget();
    }
}

/// The sandbox, with a fate for some calls.
#[derive(Clone)]
pub(crate) struct Interference {
    sandbox: Sandbox,
    fates: Arc<Mutex<VecDeque<(Operation, Fate)>>>,
    blind: Arc<Mutex<bool>>,
}

impl Interference {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox, fates: Arc::default(), blind: Arc::default() }
    }

    /// The next call of that operation meets this fate.
    pub(crate) fn next(&self, operation: Operation, fate: Fate) {
        self.fates.lock().unwrap().push_back((operation, fate));
    }

    /// Whether look-ups are not answered.
    pub(crate) fn blind(&self, blind: bool) {
        *self.blind.lock().unwrap() = blind;
    }

    fn fate(&self, operation: Operation) -> Option<Fate> {
        let mut fates = self.fates.lock().unwrap();
        let at = fates.iter().position(|(of, _)| *of == operation)?;
        fates.remove(at).map(|(_, fate)| fate)
    }
}

#[async_trait]
impl Gateway for Interference {
    async fn open(&self, order_id: OrderId, amount: Money) -> Result<Reference, GatewayError> {
        self.sandbox.open(order_id, amount).await
    }

    async fn carry_out(&self, instruction: &Instruction) -> Result<(), GatewayError> {
        let unknown = Err(GatewayError::Unknown { waited: Duration::from_secs(1) });
        match self.fate(instruction.operation) {
            None => self.sandbox.carry_out(instruction).await,
            Some(Fate::Refused) => Err(GatewayError::Refused { reason: "expired".to_owned() }),
            Some(Fate::Throttled) => Err(GatewayError::Throttled { after: Duration::from_secs(7) }),
            Some(Fate::Lost) => unknown,
            Some(Fate::AnswerLost) => {
                self.sandbox.carry_out(instruction).await?;
                unknown
            }
            Some(Fate::HeldBefore(gate)) => {
                // The caller may have gone by then; the call arrives all the same.
                let (sandbox, instruction) = (self.sandbox.clone(), instruction.clone());
                let call = async move {
                    gate.pass().await;
                    sandbox.carry_out(&instruction).await
                };
                tokio::spawn(call).await.unwrap()
            }
            Some(Fate::HeldAfter(gate)) => {
                self.sandbox.carry_out(instruction).await?;
                gate.pass().await;
                Ok(())
            }
        }
    }

    async fn look_up(&self, reference: &Reference) -> Result<Standing, GatewayError> {
        if *self.blind.lock().unwrap() {
            return Err(GatewayError::Transient { reason: "nobody answers".to_owned() });
        }
        self.sandbox.look_up(reference).await
    }
}
