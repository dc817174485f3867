//! A topic: its settings, its subscriptions, and the ids that were published to it.

use std::collections::BTreeMap;

use crate::{
    change::{SubscriptionRecord, TopicRecord},
    deduplication::{Deduplication, Window},
    identity::{Name, QueueId, TopicId},
    settings::{OnFull, TopicSettings},
    view::TopicView,
};

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: TopicId,
    pub(crate) name: Name,
    pub(crate) settings: TopicSettings,
    pub(crate) subscriptions: BTreeMap<QueueId, Subscription>,
    pub(crate) remembered: Deduplication,
}

/// A queue's link to a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) on_full: OnFull,
    /// How many messages this subscriber missed because it was full.
    pub(crate) dropped: u64,
}

impl Topic {
    pub(crate) fn new(record: TopicRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            settings: record.settings,
            subscriptions: BTreeMap::new(),
            remembered: Deduplication::default(),
        }
    }

    pub(crate) fn record(&self) -> TopicRecord {
        TopicRecord { id: self.id, name: self.name.clone(), settings: self.settings.clone() }
    }

    /// How long, and how many, ids published to it are remembered.
    pub(crate) fn window(&self) -> Window {
        Window { length: self.settings.deduplication_window, max_ids: self.settings.max_deduplication_ids }
    }

    /// The record of a subscription that is there.
    pub(crate) fn subscription_record(&self, queue: QueueId) -> Option<SubscriptionRecord> {
        let Subscription { on_full, dropped } = *self.subscriptions.get(&queue)?;
        Some(SubscriptionRecord { topic: self.id, queue, on_full, dropped })
    }

    pub(crate) fn view(&self) -> TopicView<'_> {
        TopicView {
            id: self.id,
            name: &self.name,
            settings: &self.settings,
            remembered_ids: self.remembered.len(),
            ids_forgotten_early: self.remembered.forgotten_early(),
        }
    }
}
