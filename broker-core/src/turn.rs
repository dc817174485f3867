//! What one step of the machine works with: the time, the messages, and what it leaves to be done.

use std::sync::Arc;

use units::Timestamp;

use crate::{
    activity::{Activity, ActivityKind},
    backoff::Jitter,
    change::{Change, Effects},
    identity::{LeaseId, QueueId},
    message::{Copy, Messages},
    slab::Slot,
};

/// One step of the machine, lent to a queue.
pub(crate) struct Turn<'a> {
    pub(crate) now: Timestamp,
    pub(crate) messages: &'a mut Messages,
    pub(crate) effects: &'a mut Effects,
    pub(crate) jitter: &'a mut Jitter,
    /// The latest lease that was given: no older one can name what comes into a queue now.
    pub(crate) latest_lease: LeaseId,
}

/// Who took part in what happened, and why it did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Circumstances<'a> {
    pub(crate) consumer: Option<&'a Arc<str>>,
    pub(crate) reason: Option<&'a Arc<str>>,
}

impl Turn<'_> {
    /// Leaves a change to be written.
    pub(crate) fn write(&mut self, change: Change) {
        self.effects.changes.push(change);
    }

    /// Leaves the present record of a copy to be written.
    pub(crate) fn write_copy(&mut self, slot: Slot<Copy>) {
        let record = self.messages.record(slot);
        self.write(Change::CopyPut(record));
    }

    /// Notes what happened to a copy.
    pub(crate) fn note(&mut self, what: ActivityKind, slot: Slot<Copy>, circumstances: Circumstances<'_>) {
        let queue = self.messages.copy(slot).queue;
        let message = self.messages.message_of(slot);
        self.effects.activities.push(Activity {
            at: self.now,
            what,
            queue: Some(queue),
            topic: None,
            sequence: Some(message.sequence),
            identity: Some(message.identity()),
            consumer: circumstances.consumer.cloned(),
            reason: circumstances.reason.cloned(),
        });
    }

    /// Notes what happened to a copy, with nothing more to tell.
    pub(crate) fn note_plainly(&mut self, what: ActivityKind, slot: Slot<Copy>) {
        self.note(what, slot, Circumstances::default());
    }

    /// Wakes whoever waits for messages of a queue.
    pub(crate) fn wake(&mut self, queue: QueueId) {
        self.effects.woken.push(queue);
    }
}
