//! Calls that may concern very many messages: purge, discard and redrive. They are carried out in slices, each a
//! durable group of its own, with the commands of others decided in between, so that nobody waits for long.
//!
//! Which dead letters are meant is decided once, at the start; those that are in another state when it is their
//! slice's turn are passed over. A purge means what was published before it: what comes to wait again while it
//! goes on, after a nack or a redrive, goes too. Where a slice fails, what the earlier ones did stays done, and the audit
//! trail's one item of the call says how much that is. Dropping the future ends the call after the slice under
//! way.

use std::time::Instant;

use broker_core::{
    Core,
    command::{Command, DeadLetters},
    core::Rehearsal,
    identity::{Name, Sequence},
    reply::{Redriven, Refusal, Reply},
};
use tokio::sync::oneshot;

use super::Broker;
use crate::{
    engine::{choosing::FEW, line::Item, note::Note},
    error::BrokerError,
};

/// How many messages a slice is of: some milliseconds' work.
const SLICE: usize = 1000;

impl Broker {
    /// Drops the messages of a queue that wait, of those published before; how many.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn purge(&self, queue: Name, note: &Note) -> Result<u64, BrokerError> {
        let name = queue.clone();
        let seen = self.look(move |core, _| core.queue(&name).map(|_| core.high_water().next_sequence));
        let next = seen.await?.ok_or_else(|| Refusal::QueueNotFound(queue.clone()))?;
        let (before, limit) = (Some(Sequence(next)), Some(SLICE as u64));
        let mut purged = 0;
        loop {
            let slice = Command::PurgeQueue { name: queue.clone(), before, limit };
            let count = removed(&self.send_slice(slice, note, purged).await?);
            purged += count;
            if count < SLICE as u64 {
                return Ok(purged);
            }
        }
    }

    /// Discards all dead letters that a queue has at the start; how many.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn discard_all(&self, queue: Name, note: &Note) -> Result<u64, BrokerError> {
        let name = queue.clone();
        let seen = self.look(move |core, _| core.queue(&name).map(|_| core.dead_letters(&name, None, 1)));
        let newest = seen.await?.ok_or_else(|| Refusal::QueueNotFound(queue.clone()))?.pop();
        let Some(newest) = newest else { return Ok(0) };
        let mut discarded = 0;
        loop {
            let which = DeadLetters::Oldest { most: SLICE, last: (newest.since, newest.sequence) };
            let slice = Command::DiscardDeadLetters { queue: queue.clone(), which };
            let count = removed(&self.send_slice(slice, note, discarded).await?);
            discarded += count;
            if count < SLICE as u64 {
                return Ok(discarded);
            }
        }
    }

    /// Discards those of these messages that are dead letters of a queue; how many.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn discard(&self, queue: &Name, which: &[Sequence], note: &Note) -> Result<u64, BrokerError> {
        let mut discarded = 0;
        for slice in slices(which) {
            let which = DeadLetters::Sequences(slice.to_vec());
            let slice = Command::DiscardDeadLetters { queue: queue.clone(), which };
            discarded += removed(&self.send_slice(slice, note, discarded).await?);
        }
        Ok(discarded)
    }

    /// Redrives those of these messages that are dead letters of a queue back into it or to another queue, the
    /// first of them up to the limit, or until there is no more room. Those of a slice can be received before
    /// the next one is redriven: that is why they go in publish order.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn redrive(
        &self,
        queue: &Name,
        which: &[Sequence],
        to: Option<&Name>,
        limit: Option<u64>,
        note: &Note,
    ) -> Result<Redriven, BrokerError> {
        let mut all = Redriven::default();
        for slice in slices(&in_publish_order(which, limit)) {
            let earlier = all.sequences.len() as u64;
            let left = limit.map(|limit| limit - earlier);
            let (which, queue) = (DeadLetters::Sequences(slice.to_vec()), queue.clone());
            let slice = Command::Redrive { queue, which, to: to.cloned(), limit: left };
            if let Reply::Redriven(redriven) = self.send_slice(slice, note, earlier).await? {
                all.sequences.extend(redriven.sequences);
                all.held.extend(redriven.held);
                all.stopped_full = redriven.stopped_full;
            }
            if all.is_over(limit) {
                break;
            }
        }
        Ok(all)
    }

    /// What [`Self::redrive`] would do now. It changes nothing.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn rehearse_redrive(
        &self,
        queue: &Name,
        which: &[Sequence],
        to: Option<&Name>,
        limit: Option<u64>,
    ) -> Result<Redriven, BrokerError> {
        let mut rehearsal = Rehearsal::default();
        for slice in slices(&in_publish_order(which, limit)) {
            let (queue, slice, to) = (queue.clone(), slice.to_vec(), to.cloned());
            let look =
                move |core: &Core, _| core.rehearse_redrive(&queue, &slice, to.as_ref(), limit, rehearsal);
            rehearsal = self.look(look).await??;
            if rehearsal.redriven.is_over(limit) {
                break;
            }
        }
        Ok(rehearsal.redriven)
    }

    /// Has a slice decided. The first waits in line as any command does; for those that follow, the call was
    /// let in already.
    async fn send_slice(&self, slice: Command, note: &Note, earlier: u64) -> Result<Reply, BrokerError> {
        if earlier == 0 {
            return self.send_by_hand(slice, note.clone()).await;
        }
        let (reply, answer) = oneshot::channel();
        let note = Some(Box::new(note.after(earlier)));
        self.line.push_own(Item::Command { command: slice, note, reply, arrived: Instant::now(), few: FEW });
        answer.await.map_err(|_| BrokerError::Stopped)?
    }
}

/// Those within the limit in publish order, and then the others, which have their turn for those of the first
/// that are dead letters no more.
fn in_publish_order(which: &[Sequence], limit: Option<u64>) -> Vec<Sequence> {
    let mut ordered = which.to_vec();
    let first = limit.map_or(which.len(), |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (first, others) = ordered.split_at_mut(first.min(which.len()));
    first.sort_unstable();
    others.sort_unstable();
    ordered
}

/// The slices of a list; of an empty one too there is one, so that it is asked whether the queue is there.
fn slices(which: &[Sequence]) -> impl Iterator<Item = &[Sequence]> {
    let nothing = which.is_empty().then_some(which);
    nothing.into_iter().chain(which.chunks(SLICE))
}

/// How many messages a slice removed.
fn removed(reply: &Reply) -> u64 {
    match reply {
        Reply::Removed { count } => *count,
        _ => 0,
    }
}
