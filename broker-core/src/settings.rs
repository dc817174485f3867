//! The settings of queues, topics and subscriptions, their defaults and ranges.

use std::time::Duration;

use units::{Size, Timestamp};

/// The shortest lease.
pub const MIN_LEASE: Duration = Duration::from_millis(100);
/// The longest lease.
pub const MAX_LEASE: Duration = Duration::from_hours(12);

/// How much paced redrives may hold in memory, all together; those that ended hold nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedriveLimits {
    /// How many may run at a time.
    pub running: usize,
    /// How many dead letters may stand in their lists; 8 bytes each.
    pub dead_letters: usize,
}

impl Default for RedriveLimits {
    /// 100 redrives, and 32 MB of lists.
    fn default() -> Self {
        Self { running: 100, dead_letters: 4_000_000 }
    }
}

/// What order a queue keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ordering {
    /// Publish order, as good as retries allow; nothing is held back.
    #[default]
    None,
    /// One message of a partition key in flight at a time, in publish order; other keys in parallel.
    Key,
    /// One message of the queue in flight at a time, in publish order.
    Fifo,
}

/// What a full queue does with one more message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// Refuse the publish.
    #[default]
    Reject,
    /// Drop the oldest waiting message.
    DropOldest,
    /// Make the oldest waiting message a dead letter.
    DeadLetterOldest,
}

/// What becomes of a message whose TTL passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExpiry {
    /// It is dropped and counted.
    #[default]
    Drop,
    /// It becomes a dead letter.
    DeadLetter,
}

/// What a topic does when one subscriber's queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// The whole publish is refused.
    #[default]
    Reject,
    /// This subscriber alone misses it; counted.
    Drop,
    /// This subscriber gets it as a dead letter; counted.
    DeadLetter,
}

/// What a subscription begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// What is published from now on.
    #[default]
    New,
    /// All that the topic has retained, and then what is published.
    Earliest,
    /// What the topic has retained of that time and later, and then what is published.
    Since(Timestamp),
}

/// The pause before a nacked message is ready again: `initial * factor^(n-1)`, at most `max`, give or
/// take `jitter` as a part of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub initial: Duration,
    /// What each further failure multiplies it by; 1 or more.
    pub factor: f64,
    /// The longest pause.
    pub max: Duration,
    /// How far the pause is spread at random, as a part of it: 0 to 1.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial: Duration::from_secs(1), factor: 2.0, max: Duration::from_mins(1), jitter: 0.1 }
    }
}

/// The settings of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSettings {
    /// How long a lease lasts when a receive names none.
    pub lease: Duration,
    /// After how many failed deliveries a message is a dead letter; 1 or more.
    pub max_deliveries: u32,
    /// The pause between deliveries.
    pub backoff: Backoff,
    /// What order it keeps.
    pub ordering: Ordering,
    /// How long the ids of direct publishes are remembered; zero turns deduplication off.
    pub deduplication_window: Duration,
    /// How many ids are remembered at the most; beyond it the oldest is forgotten early.
    pub max_deduplication_ids: u64,
    /// How many messages may be ready, leased and delayed together.
    pub max_messages: u64,
    /// How many bytes they may take.
    pub max_bytes: Size,
    /// What happens when it is full.
    pub overflow: Overflow,
    /// How long each message waits before it can be received.
    pub delay: Duration,
    /// How long a message may wait once it can be received.
    pub ttl: Option<Duration>,
    /// What becomes of a message whose TTL passed.
    pub on_expiry: OnExpiry,
    /// How long dead letters are kept.
    pub dead_letter_retention: Duration,
    /// How many dead letters are kept; the oldest beyond it is discarded.
    pub max_dead_letters: u64,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            max_deliveries: 3,
            backoff: Backoff::default(),
            ordering: Ordering::None,
            deduplication_window: Duration::from_mins(5),
            max_deduplication_ids: 2_000_000,
            max_messages: 1_000_000,
            max_bytes: Size::gibibytes(1),
            overflow: Overflow::Reject,
            delay: Duration::ZERO,
            ttl: None,
            on_expiry: OnExpiry::Drop,
            dead_letter_retention: Duration::from_hours(14 * 24),
            max_dead_letters: 1_000_000,
        }
    }
}

/// A change of a queue's settings: what is `None` keeps its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueSettingsPatch {
    /// See [`QueueSettings::lease`]; so for the others.
    pub lease: Option<Duration>,
    #[allow(missing_docs)]
    pub max_deliveries: Option<u32>,
    /// The parts of the backoff to set.
    pub backoff: BackoffPatch,
    #[allow(missing_docs)]
    pub ordering: Option<Ordering>,
    #[allow(missing_docs)]
    pub deduplication_window: Option<Duration>,
    #[allow(missing_docs)]
    pub max_deduplication_ids: Option<u64>,
    #[allow(missing_docs)]
    pub max_messages: Option<u64>,
    #[allow(missing_docs)]
    pub max_bytes: Option<Size>,
    #[allow(missing_docs)]
    pub overflow: Option<Overflow>,
    #[allow(missing_docs)]
    pub delay: Option<Duration>,
    /// `Some(None)` takes the TTL away.
    pub ttl: Option<Option<Duration>>,
    #[allow(missing_docs)]
    pub on_expiry: Option<OnExpiry>,
    #[allow(missing_docs)]
    pub dead_letter_retention: Option<Duration>,
    #[allow(missing_docs)]
    pub max_dead_letters: Option<u64>,
}

/// A change of a backoff: what is `None` keeps its value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct BackoffPatch {
    pub initial: Option<Duration>,
    pub factor: Option<f64>,
    pub max: Option<Duration>,
    pub jitter: Option<f64>,
}

/// The settings of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// How long published messages are kept for replay; zero keeps none.
    pub retention: Duration,
    /// How many bytes of them are kept; beyond it the oldest go.
    pub retention_bytes: Size,
    /// How long the ids published to it are remembered; zero turns deduplication off.
    pub deduplication_window: Duration,
    /// How many ids are remembered at the most.
    pub max_deduplication_ids: u64,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            retention: Duration::ZERO,
            retention_bytes: Size::gibibytes(1),
            deduplication_window: Duration::from_mins(5),
            max_deduplication_ids: 2_000_000,
        }
    }
}

/// A change of a topic's settings: what is `None` keeps its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct TopicSettingsPatch {
    pub retention: Option<Duration>,
    pub retention_bytes: Option<Size>,
    pub deduplication_window: Option<Duration>,
    pub max_deduplication_ids: Option<u64>,
}
