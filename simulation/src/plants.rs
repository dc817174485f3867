//! Bugs on purpose, one at a time, to show that the simulation can fail. Each is planted at a seam: it
//! corrupts what crosses between client, core, store and disk, so that the broker itself is built as ever.

use std::{collections::BTreeMap, fmt, time::Duration};

use broker_core::{
    change::{
        Change, CopyRecord, CopyState, MessageRecord, Placement, RedriveProgress, RedriveRecord,
        SubscriptionRecord, TopicRecord,
    },
    command::{Command, Nack},
    identity::{QueueId, Receipt, TopicId},
    reply::{Delivered, Refusal, Reply},
};
use bytes::Bytes;

use crate::{
    layer::LayerKind,
    model::{Model, State},
};

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Bug {
    AnsweredBeforeCommit,
    ChangeDropped,
    FenceStripped,
    CountForgotten,
    IdsForgotten,
    RedriveAtEnd,
    LimitOffByOne,
    CopyTwice,
    LeasesForgotten,
    StaleReceive,
    RetainedForgotten,
    ClockGoesBack,
    HistoryDropped,
    CountersNotWritten,
    NumbersNotWritten,
    FilterForgotten,
    ChosenTooEarly,
    PaceStartsOver,
    GoneComesBack,
    ExtendNotWritten,
    SyncSkipped,
    CheckpointUnsynced,
    BodyTorn,
    AnsweredThoughFailed,
    FailedSyncTriedAgain,
    TimeNotWritten,
}

impl Bug {
    /// All of them, with what goes wrong and in which layer it is planted.
    pub const ALL: [(Self, LayerKind, &str); 26] = [
        (Self::AnsweredBeforeCommit, LayerKind::Core, "answers are given before the commit"),
        (Self::ChangeDropped, LayerKind::Core, "one change in fifty is not written"),
        (Self::FenceStripped, LayerKind::Core, "a receipt's lease is not looked at"),
        (Self::CountForgotten, LayerKind::Core, "delivery counts are lost at a restart"),
        (Self::IdsForgotten, LayerKind::Core, "deduplication is forgotten at a restart"),
        (Self::RedriveAtEnd, LayerKind::Core, "a redriven message is written to the end of its key"),
        (Self::LimitOffByOne, LayerKind::Core, "a queue takes one message too many"),
        (Self::CopyTwice, LayerKind::Core, "a message's copy is written for a second queue too"),
        (Self::LeasesForgotten, LayerKind::Core, "leases are lost at a restart"),
        (Self::StaleReceive, LayerKind::Core, "a receive_id is answered when its lease is over"),
        (Self::RetainedForgotten, LayerKind::Core, "what a topic retains is lost at a restart"),
        (Self::ClockGoesBack, LayerKind::Core, "the clock starts at the wall clock's time alone"),
        (Self::HistoryDropped, LayerKind::Core, "failures are not written"),
        (Self::CountersNotWritten, LayerKind::Core, "counters are not written"),
        (Self::NumbersNotWritten, LayerKind::Core, "numbers are given again after a restart"),
        (Self::FilterForgotten, LayerKind::Core, "filters are lost at a restart"),
        (Self::ChosenTooEarly, LayerKind::Core, "a replay by a filter misses what is published meanwhile"),
        (Self::PaceStartsOver, LayerKind::Core, "a paced redrive starts over at a restart"),
        (Self::GoneComesBack, LayerKind::Core, "copies that are gone come back at a restart"),
        (Self::ExtendNotWritten, LayerKind::Core, "an extended lease keeps its length on disk"),
        (Self::SyncSkipped, LayerKind::Store, "no file is ever synced"),
        (Self::CheckpointUnsynced, LayerKind::Store, "the database is not synced at a checkpoint"),
        (Self::BodyTorn, LayerKind::Store, "one body in fifty is written torn"),
        (Self::AnsweredThoughFailed, LayerKind::Store, "a failed commit is answered as done"),
        (Self::FailedSyncTriedAgain, LayerKind::Store, "after a failed sync the broker goes on"),
        (Self::TimeNotWritten, LayerKind::Store, "the time of the last group is not kept"),
    ];

    /// The bug of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().map(|(bug, ..)| bug).find(|bug| bug.to_string() == name)
    }
}

impl fmt::Display for Bug {
    /// `CopyTwice` as `copy-twice`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in format!("{self:?}").char_indices() {
            if letter.is_uppercase() && place > 0 {
                write!(f, "-")?;
            }
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// At most one bug, and what it takes to keep it up.
#[derive(Debug, Default)]
pub struct Plant {
    bug: Option<Bug>,
    seen: u32,
    received: BTreeMap<String, Vec<Delivered>>,
}

impl Plant {
    /// Plants a bug, or none.
    #[must_use]
    pub fn new(bug: Option<Bug>) -> Self {
        Self { bug, ..Self::default() }
    }

    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// True once in fifty times.
    fn at_times(&mut self) -> bool {
        self.seen += 1;
        self.seen.is_multiple_of(50)
    }

    /// A command on its way to the core.
    pub(crate) fn command(&self, mut command: Command, model: &Model) -> Command {
        match (&mut command, self.bug) {
            (
                Command::Ack { receipts, .. } | Command::Nack(Nack { receipts, .. }),
                Some(Bug::FenceStripped),
            ) => {
                receipts.iter_mut().for_each(|receipt| strip_fence(receipt, model));
            }
            (Command::PutQueue { settings, .. }, Some(Bug::LimitOffByOne)) => {
                settings.max_messages = settings.max_messages.map(|max| max + 1);
            }
            _ => {}
        }
        command
    }

    /// An answer on its way to the client.
    pub(crate) fn answer(
        &mut self,
        command: &Command,
        answer: Result<Reply, Refusal>,
    ) -> Result<Reply, Refusal> {
        let (Some(Bug::StaleReceive), Command::Receive(receive), Ok(Reply::Delivered(now))) =
            (self.bug, command, &answer)
        else {
            return answer;
        };
        let Some(id) = &receive.receive_id else { return answer };
        let before = self.received.entry(format!("{} {id}", receive.queue)).or_insert_with(|| now.clone());
        Ok(Reply::Delivered(before.clone()))
    }

    /// A change on its way to the disk.
    pub(crate) fn change(&mut self, change: Change) -> Option<Change> {
        let Some(bug) = self.bug else { return Some(change) };
        match (bug, change) {
            (Bug::ChangeDropped, Change::CopyPut(record)) => {
                (!self.at_times()).then_some(Change::CopyPut(record))
            }
            (Bug::RedriveAtEnd, Change::CopyPut(record)) => Some(Change::CopyPut(at_end(record))),
            (Bug::CopyTwice, Change::MessagePut(record, body)) => {
                Some(Change::MessagePut(placed_twice(record), body))
            }
            (Bug::HistoryDropped, Change::FailurePut(_))
            | (Bug::ExtendNotWritten, Change::LeaseLength(..)) => None,
            (Bug::BodyTorn, Change::MessagePut(record, body)) => {
                let body = if self.at_times() { torn(&body) } else { body };
                Some(Change::MessagePut(record, body))
            }
            (_, change) => Some(change),
        }
    }

    pub(crate) fn restored_copy(&self, record: &CopyRecord) -> CopyRecord {
        let delivery_count = if self.is(Bug::CountForgotten) { 0 } else { record.delivery_count };
        CopyRecord { delivery_count, ..record.clone() }
    }

    pub(crate) fn restored_message(
        &self,
        record: &MessageRecord,
        topics: &BTreeMap<TopicId, TopicRecord>,
    ) -> MessageRecord {
        let mut record = record.clone();
        if self.is(Bug::RetainedForgotten) {
            record.placements.retain(|it| !topics.contains_key(&TopicId(it.queue.0)));
        }
        record
    }

    pub(crate) fn restored_subscription(&self, record: &SubscriptionRecord) -> SubscriptionRecord {
        let filter = record.filter.clone().filter(|_| !self.is(Bug::FilterForgotten));
        SubscriptionRecord { filter, ..record.clone() }
    }

    pub(crate) fn restored_redrive(&self, record: &RedriveRecord) -> RedriveRecord {
        let progress =
            if self.is(Bug::PaceStartsOver) { RedriveProgress::default() } else { record.progress };
        RedriveRecord { progress, ..record.clone() }
    }
}

/// Makes a receipt good whatever lease it names.
fn strip_fence(receipt: &mut Receipt, model: &Model) {
    let queue = model.queue_of(receipt.queue);
    let copy = queue.and_then(|it| it.copies.iter().find(|it| it.message.sequence == receipt.sequence));
    if let Some(State::Leased { lease, .. }) = copy.map(|copy| copy.state) {
        receipt.lease = lease;
    }
}

fn at_end(record: CopyRecord) -> CopyRecord {
    match record.state {
        CopyState::Waiting { available_at } if record.redrive_count > 0 => {
            CopyRecord { position_at: available_at.plus(Duration::from_millis(1)), ..record }
        }
        _ => record,
    }
}

fn placed_twice(mut record: MessageRecord) -> MessageRecord {
    if let Some(first) = record.placements.first().copied() {
        let other = QueueId(if first.queue.0 == 1 { 2 } else { 1 });
        if record.placements.iter().all(|it| it.queue != other) {
            record.placements.push(Placement { queue: other, ..first });
        }
    }
    record
}

fn torn(body: &Bytes) -> Bytes {
    let mut torn = body.to_vec();
    let half = torn.len() / 2;
    torn[half..].fill(b' ');
    Bytes::from(torn)
}
