//! Asking the broker by its own handle, without a runtime: a question is put into the waiting line at once,
//! and its answer is there after the engine's step or never.

use std::{future::Future, pin::Pin, time::Duration};

use broker::{Broker, Delivery, Handout, error::BrokerError};
use broker_core::{
    command::Command,
    reply::{Refusal, Reply},
};
use futures_util::FutureExt as _;

type Asked<T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>>>>;

/// A question that is in the line.
pub(super) enum Question {
    Command(Asked<Reply>),
    Receive(Asked<Handout>),
}

/// An answer that was given.
#[derive(Debug)]
pub(super) enum Answer {
    /// Decided, as the core answers.
    Decided(Result<Reply, Refusal>),
    /// A receive's, with what the store adds to each delivery.
    Delivered(Handout),
    /// No room on the disk.
    StorageFull,
    /// Something that no simulated client may hear.
    Failed(BrokerError),
}

impl Question {
    /// Puts a command into the line.
    pub(super) fn ask(broker: &Broker, command: Command) -> Self {
        let broker = broker.clone();
        let mut question = match command {
            Command::Receive(receive) => {
                Self::Receive(Box::pin(async move { broker.receive(receive, Duration::ZERO).await }))
            }
            command => Self::Command(Box::pin(async move { broker.send(command).await })),
        };
        // Nothing can be answered yet; the line takes it.
        let early = question.look();
        debug_assert!(early.is_none(), "answered before it was decided: {early:?}");
        question
    }

    /// The answer, where it was given.
    pub(super) fn look(&mut self) -> Option<Answer> {
        let failed = |error| match error {
            BrokerError::Refused(refusal) => Answer::Decided(Err(refusal)),
            BrokerError::StorageFull | BrokerError::BelowFloor { .. } => Answer::StorageFull,
            other => Answer::Failed(other),
        };
        match self {
            Self::Command(asked) => asked
                .as_mut()
                .now_or_never()
                .map(|it| it.map_or_else(failed, |reply| Answer::Decided(Ok(reply)))),
            Self::Receive(asked) => {
                asked.as_mut().now_or_never().map(|it| it.map_or_else(failed, Answer::Delivered))
            }
        }
    }
}

/// What the core answered, without what the store added.
pub(super) fn reply_of(deliveries: &[Delivery]) -> Reply {
    Reply::Delivered(deliveries.iter().map(|delivery| delivery.delivered.clone()).collect())
}
