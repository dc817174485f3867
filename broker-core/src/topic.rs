//! A topic: its settings, its subscriptions, the ids that were published to it, and the messages that it
//! retains for replay.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use units::Timestamp;

use crate::{
    change::{SubscriptionRecord, TopicRecord},
    command::{Span, SubscriptionPatch},
    counters::TopicCounters,
    deduplication::{Deduplication, Window},
    filter::Filter,
    identity::{Name, QueueId, Sequence, TopicId},
    message::Messages,
    reply::Refusal,
    settings::{OnFull, Start, TopicSettings},
    turn::Turn,
    view::{Retained, TopicView},
};

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: TopicId,
    pub(crate) name: Name,
    pub(crate) settings: TopicSettings,
    pub(crate) subscriptions: BTreeMap<QueueId, Subscription>,
    pub(crate) remembered: Deduplication,
    /// What it keeps for replay, by when it was published.
    retained: BTreeSet<(Timestamp, Sequence)>,
    retained_bytes: u64,
    pub(crate) counters: TopicCounters,
}

/// A queue's link to a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) on_full: OnFull,
    pub(crate) filter: Option<Filter>,
    pub(crate) start: Start,
    /// How many messages this subscriber missed because it was full.
    pub(crate) dropped: u64,
}

impl Subscription {
    /// This subscription with a change applied.
    pub(crate) fn patched(mut self, patch: SubscriptionPatch, new: bool) -> Result<Self, Refusal> {
        if !new && patch.start.is_some_and(|start| start != self.start) {
            return Err(Refusal::SettingConflict { setting: "from" });
        }
        self.on_full = patch.on_full.unwrap_or(self.on_full);
        self.filter = patch.filter.unwrap_or(self.filter);
        self.start = patch.start.unwrap_or(self.start);
        Ok(self)
    }
}

impl Start {
    /// Which retained messages it begins with; `None` for none.
    pub(crate) fn span(self) -> Option<Span> {
        match self {
            Self::New => None,
            Self::Earliest => Some(Span::default()),
            Self::Since(from) => Some(Span { from: Some(from), to: None }),
        }
    }
}

impl Topic {
    pub(crate) fn new(record: TopicRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            settings: record.settings,
            subscriptions: BTreeMap::new(),
            remembered: Deduplication::default(),
            retained: BTreeSet::new(),
            retained_bytes: 0,
            counters: TopicCounters::default(),
        }
    }

    pub(crate) fn record(&self) -> TopicRecord {
        TopicRecord { id: self.id, name: self.name.clone(), settings: self.settings.clone() }
    }

    /// How long, and how many, ids published to it are remembered.
    pub(crate) fn window(&self) -> Window {
        Window { length: self.settings.deduplication_window, max_ids: self.settings.max_deduplication_ids }
    }

    /// The number under which its copies of retained messages are filed: queues and topics draw theirs from
    /// one counter.
    pub(crate) const fn shelf(&self) -> QueueId {
        QueueId(self.id.0)
    }

    /// Whether what is published now is kept.
    pub(crate) const fn retains(&self) -> bool {
        !self.settings.retention.is_zero()
    }

    /// The record of a subscription that is there.
    pub(crate) fn subscription_record(&self, queue: QueueId) -> Option<SubscriptionRecord> {
        let Subscription { on_full, filter, start, dropped } = self.subscriptions.get(&queue)?.clone();
        Some(SubscriptionRecord { topic: self.id, queue, on_full, filter, start, dropped })
    }

    /// Keeps a message of which it has a copy.
    pub(crate) fn retain(&mut self, sequence: Sequence, messages: &Messages) {
        let message = messages.message_of(messages.copy_in(sequence, self.shelf()));
        self.retained.insert((message.published_at, sequence));
        self.retained_bytes += u64::from(message.size);
    }

    /// What it retains of that time, after that place, oldest first.
    pub(crate) fn retained(
        &self,
        span: Span,
        after: Option<Retained>,
    ) -> impl Iterator<Item = Retained> + '_ {
        let first = Bound::Included((span.from.unwrap_or_default(), Sequence(0)));
        let next = after.map(|after| Bound::Excluded((after.published_at, after.sequence)));
        let to = span.to.unwrap_or(Timestamp::MAX);
        let range = self.retained.range((next.unwrap_or(first), Bound::Unbounded));
        let within = range.take_while(move |(published_at, _)| *published_at <= to);
        within.map(|(published_at, sequence)| Retained { published_at: *published_at, sequence: *sequence })
    }

    pub(crate) fn retained_sequences(&self) -> impl Iterator<Item = Sequence> + '_ {
        self.retained.iter().map(|(_, sequence)| *sequence)
    }

    /// When it wants to be looked at next; in the past when there is work left over.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let oldest = self.retained.first().map(|(published_at, _)| match self.is_over_full() {
            true => Timestamp::default(),
            false => published_at.plus(self.settings.retention),
        });
        [oldest, self.remembered.next_due(self.window())].into_iter().flatten().min()
    }

    /// Lets go what is not to be kept any longer, and forgets ids, as far as the budget of steps goes.
    pub(crate) fn catch_up(&mut self, budget: &mut usize, turn: &mut Turn<'_>) {
        while *budget > 0
            && let Some((published_at, sequence)) = self.retained.first().copied()
            && (self.is_over_full() || published_at.plus(self.settings.retention) <= turn.now)
        {
            self.let_go(published_at, sequence, turn);
            *budget -= 1;
        }
        self.remembered.forget(self.window(), turn.now, budget);
    }

    fn let_go(&mut self, published_at: Timestamp, sequence: Sequence, turn: &mut Turn<'_>) {
        let slot = turn.messages.copy_in(sequence, self.shelf());
        self.retained.remove(&(published_at, sequence));
        self.retained_bytes -= u64::from(turn.messages.message_of(slot).size);
        let change = turn.messages.remove_copy(slot);
        turn.write(change);
    }

    fn is_over_full(&self) -> bool {
        self.retained_bytes > self.settings.retention_bytes.get()
    }

    pub(crate) fn view(&self) -> TopicView<'_> {
        TopicView {
            id: self.id,
            name: &self.name,
            settings: &self.settings,
            retained: self.retained.len() as u64,
            retained_bytes: self.retained_bytes,
            counters: self.counters,
            remembered_ids: self.remembered.len(),
            ids_forgotten_early: self.remembered.forgotten_early(),
        }
    }
}
