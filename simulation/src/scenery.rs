//! The stage: few queues of every kind, small, so that everything happens often; two topics, one of which
//! retains.

use std::sync::Arc;

use broker_core::{
    identity::Name,
    settings::{BackoffPatch, OnExpiry, Ordering, Overflow, QueueSettingsPatch, TopicSettingsPatch},
};
use units::Size;

use crate::{
    clients::{ms, name},
    operation::{QUEUES, TOPICS},
};

/// Names and settings of the stage.
#[derive(Clone, Debug)]
pub struct Scenery {
    queues: Vec<Name>,
    topics: Vec<Name>,
    texts: Vec<Arc<str>>,
    has_bodies: bool,
}

impl Scenery {
    /// The stage, with bodies as the broker stores them or with only something that tells them apart.
    #[must_use]
    pub fn new(has_bodies: bool) -> Self {
        Self {
            queues: (0..QUEUES).map(|n| name(&format!("queue-{n}"))).collect(),
            topics: (0..TOPICS).map(|n| name(&format!("topic-{n}"))).collect(),
            texts: (0..8).map(|n| Arc::from(format!("text-{n}"))).collect(),
            has_bodies,
        }
    }

    /// Whether bodies are events as the broker stores them.
    #[must_use]
    pub const fn has_bodies(&self) -> bool {
        self.has_bodies
    }

    /// A queue's name.
    #[must_use]
    pub fn queue(&self, queue: u8) -> Name {
        self.queues[usize::from(queue % QUEUES)].clone()
    }

    /// A topic's name.
    #[must_use]
    pub fn topic(&self, topic: u8) -> Name {
        self.topics[usize::from(topic % TOPICS)].clone()
    }

    pub(crate) fn key(&self, key: u8) -> Arc<str> {
        Arc::clone(&self.texts[usize::from(key % 4)])
    }

    pub(crate) fn receive_id(&self, id: u8) -> Arc<str> {
        Arc::clone(&self.texts[usize::from(4 + id % 3)])
    }

    pub(crate) fn consumer(&self) -> Arc<str> {
        Arc::clone(&self.texts[7])
    }

    /// How a topic is made.
    #[must_use]
    pub fn topic_settings(&self, topic: u8) -> TopicSettingsPatch {
        TopicSettingsPatch {
            retention: Some(ms(if topic == 0 { 20_000 } else { 0 })),
            retention_bytes: Some(Size::bytes(250)),
            deduplication_window: Some(ms(3000)),
            max_deduplication_ids: Some(6),
        }
    }

    /// How a queue is made.
    #[must_use]
    pub fn queue_settings(&self, queue: u8) -> QueueSettingsPatch {
        let backoff = BackoffPatch {
            initial: Some(ms(500)),
            max: Some(ms(2000)),
            jitter: Some(0.0),
            ..Default::default()
        };
        let base = QueueSettingsPatch {
            lease: Some(ms(5000)),
            deduplication_window: Some(ms(3000)),
            max_messages: Some(12),
            max_bytes: Some(Size::bytes(300)),
            max_dead_letters: Some(6),
            dead_letter_retention: Some(ms(60_000)),
            backoff,
            ..Default::default()
        };
        match queue {
            0 => base,
            1 => QueueSettingsPatch { ordering: Some(Ordering::Key), ..base },
            2 => QueueSettingsPatch { ordering: Some(Ordering::Fifo), max_deliveries: Some(2), ..base },
            3 => QueueSettingsPatch {
                ordering: Some(Ordering::Key),
                max_messages: Some(5),
                overflow: Some(Overflow::DropOldest),
                ttl: Some(Some(ms(8000))),
                delay: Some(ms(700)),
                ..base
            },
            4 => QueueSettingsPatch {
                max_messages: Some(4),
                overflow: Some(Overflow::DeadLetterOldest),
                ttl: Some(Some(ms(6000))),
                on_expiry: Some(OnExpiry::DeadLetter),
                dead_letter_retention: Some(ms(30_000)),
                max_dead_letters: Some(3),
                max_deduplication_ids: Some(3),
                ..base
            },
            _ => QueueSettingsPatch { deduplication_window: Some(ms(0)), max_deliveries: Some(1), ..base },
        }
    }
}
