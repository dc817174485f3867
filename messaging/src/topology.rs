//! Which topics, queues and subscriptions a system consists of, and how they are declared until it holds.
//! What they are called in a given system is that system's matter.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    outage::Outage,
    transport::{Transport, TransportError},
};

/// All of a system's topics, queues and subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// The topics, by name.
    pub topics: Vec<String>,
    /// The queues.
    pub queues: Vec<QueueSpec>,
    /// Which queue hears which topic. Both stand above.
    pub subscriptions: Vec<SubscriptionSpec>,
}

/// A queue, as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// 1 to 128 of `a-z A-Z 0-9 . _ -`.
    pub name: String,
    /// Whether messages of one partition key go out one at a time, in publish order.
    pub ordered_by_key: bool,
}

/// A topic's link to a queue, as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionSpec {
    /// The topic.
    pub topic: String,
    /// The queue that hears it.
    pub queue: String,
    /// What happens when the queue is full.
    pub on_full: OnFull,
    /// Types of events that whoever works on the queue has no use for. An engine that can filter keeps
    /// them from it; from one that can't they come, to be acknowledged without effect.
    pub without_types: Vec<String>,
}

/// What a full queue does to a publish to its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// The whole publish is refused, and tried again later.
    Reject,
    /// This queue alone misses it.
    Drop,
}

/// Declares until it holds: while the transport is away it waits and tries again. Call it before the
/// first publish and the first receive, so that no event is lost for want of a queue.
///
/// # Errors
/// What waiting can't mend: settings that conflict with what is there, or that are refused.
/// `Ok(false)` when `shutdown` came first.
pub async fn declare(
    transport: &Arc<dyn Transport>,
    topology: &Topology,
    shutdown: &CancellationToken,
) -> Result<bool, TransportError> {
    let mut outage = Outage::new("declaring the topology");
    loop {
        let declared = tokio::select! {
            () = shutdown.cancelled() => return Ok(false),
            declared = transport.declare(topology) => declared,
        };
        match declared {
            Ok(()) => {
                outage.over();
                return Ok(true);
            }
            Err(error) if error.may_pass() => {
                let pause = outage.failed(&error, error.retry_after());
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(false),
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Err(error) => return Err(error),
        }
    }
}
