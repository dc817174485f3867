//! A transport with faults: in front of a real one, it loses answers and says no when told to.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use messaging::{
    Destination, Event, Topology, Transport,
    transport::{
        Delivery, Guarantee, PublishError, Receive, Settle, Settled, Settlement, TransportError, Verdict,
    },
};

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is not even sent.
    NotSent(TransportError),
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// It is carried out, and no answer ever comes.
    NeverAnswers,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn Transport>,
    publish: Mutex<VecDeque<Fault>>,
    receive: Mutex<VecDeque<Fault>>,
    settle: Mutex<VecDeque<Fault>>,
    pub(crate) published: Mutex<Vec<Vec<Event>>>,
    pub(crate) settled: Mutex<Vec<Vec<Settle>>>,
    pub(crate) receives: AtomicUsize,
    pub(crate) receive_most: AtomicUsize,
    /// What is received can't be read as an event.
    pub(crate) garbles: AtomicBool,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            publish: Mutex::default(),
            receive: Mutex::default(),
            settle: Mutex::default(),
            published: Mutex::default(),
            settled: Mutex::default(),
            receives: AtomicUsize::new(0),
            receive_most: AtomicUsize::new(0),
            garbles: AtomicBool::new(false),
        })
    }

    pub(crate) fn fail_publish(&self, faults: impl IntoIterator<Item = Fault>) {
        self.publish.lock().unwrap().extend(faults);
    }

    pub(crate) fn fail_receive(&self, faults: impl IntoIterator<Item = Fault>) {
        self.receive.lock().unwrap().extend(faults);
    }

    pub(crate) fn fail_settle(&self, faults: impl IntoIterator<Item = Fault>) {
        self.settle.lock().unwrap().extend(faults);
    }
}

pub(crate) fn unreachable() -> TransportError {
    TransportError::Unreachable { detail: "lost".to_owned(), retry_after: None }
}

async fn through<T>(
    faults: &Mutex<VecDeque<Fault>>,
    call: impl Future<Output = T>,
) -> Result<T, TransportError> {
    let fault = faults.lock().unwrap().pop_front();
    match fault {
        None => Ok(call.await),
        Some(Fault::NotSent(error)) => Err(error),
        Some(Fault::AnswerLost) => {
            call.await;
            Err(unreachable())
        }
        Some(Fault::NeverAnswers) => {
            call.await;
            std::future::pending().await
        }
    }
}

#[async_trait]
impl Transport for Faulty {
    fn system(&self) -> &'static str {
        self.inner.system()
    }

    fn guarantee(&self, guarantee: Guarantee) -> Verdict {
        self.inner.guarantee(guarantee)
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, to: &Destination, events: &[Event]) -> Vec<Result<(), PublishError>> {
        self.published.lock().unwrap().push(events.to_vec());
        match through(&self.publish, self.inner.publish(to, events)).await {
            Ok(results) => results,
            Err(error) => vec![Err(error.into()); events.len()],
        }
    }

    async fn receive(&self, queue: &str, receive: &Receive) -> Result<Vec<Delivery>, TransportError> {
        self.receives.fetch_add(1, Ordering::SeqCst);
        self.receive_most.fetch_max(receive.max, Ordering::SeqCst);
        let mut deliveries = through(&self.receive, self.inner.receive(queue, receive)).await??;
        if self.garbles.load(Ordering::SeqCst) {
            for delivery in &mut deliveries {
                delivery.event = Event::from_json("garbled".into());
            }
        }
        Ok(deliveries)
    }

    async fn settle(&self, queue: &str, settlements: &[Settlement]) -> Result<Vec<Settled>, TransportError> {
        let settles = settlements.iter().map(|settlement| settlement.settle.clone()).collect();
        self.settled.lock().unwrap().push(settles);
        through(&self.settle, self.inner.settle(queue, settlements)).await?
    }

    async fn ready(&self) -> Result<(), TransportError> {
        self.inner.ready().await
    }
}
