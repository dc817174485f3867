//! A queue's settings as JSON, given and set. Defaults and rules are the core's; the ranges stand here
//! once more so that the schema can show them.

use broker_core::settings::{
    Backoff, BackoffPatch, OnExpiry, Ordering, Overflow, QueueSettings, QueueSettingsPatch,
};
use serde::{Deserialize, Serialize};
use units::{Size, duration};
use utoipa::ToSchema;

use crate::api::given::{
    Bytes, Capacity, Count, CountOrNone, Deliveries, Given, Lease, LifetimeOrNull, Object, OrNull, Pause,
    Span, Whole, Word,
};

/// The settings of a queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settings {
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "30s")]
    lease: std::time::Duration,
    max_deliveries: u32,
    backoff: BackoffSettings,
    ordering: OrderingText,
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "5m")]
    deduplication_window: std::time::Duration,
    max_deduplication_ids: u64,
    max_messages: u64,
    #[schema(value_type = u64)]
    max_bytes: Size,
    overflow: OverflowText,
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "0s")]
    delay: std::time::Duration,
    #[serde(with = "duration::option")]
    #[schema(value_type = Option<String>)]
    ttl: Option<std::time::Duration>,
    on_expiry: OnExpiryText,
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "14d")]
    dead_letter_retention: std::time::Duration,
    max_dead_letters: u64,
}

/// The pause between deliveries.
#[derive(Debug, Serialize, ToSchema)]
struct BackoffSettings {
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "1s")]
    initial: std::time::Duration,
    factor: f64,
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "1m")]
    max: std::time::Duration,
    jitter: f64,
}

impl From<&QueueSettings> for Settings {
    fn from(settings: &QueueSettings) -> Self {
        Self {
            lease: settings.lease,
            max_deliveries: settings.max_deliveries,
            backoff: settings.backoff.into(),
            ordering: settings.ordering.into(),
            deduplication_window: settings.deduplication_window,
            max_deduplication_ids: settings.max_deduplication_ids,
            max_messages: settings.max_messages,
            max_bytes: settings.max_bytes,
            overflow: settings.overflow.into(),
            delay: settings.delay,
            ttl: settings.ttl,
            on_expiry: settings.on_expiry.into(),
            dead_letter_retention: settings.dead_letter_retention,
            max_dead_letters: settings.max_dead_letters,
        }
    }
}

impl From<Backoff> for BackoffSettings {
    fn from(Backoff { initial, factor, max, jitter }: Backoff) -> Self {
        Self { initial, factor, max, jitter }
    }
}

/// The settings to set; those left out keep their values, or take their defaults in a new queue.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsToSet {
    /// How long a lease lasts when a receive names none.
    #[serde(default)]
    #[schema(value_type = Lease)]
    lease: Given<Lease>,
    /// After how many failed deliveries a message is a dead letter.
    #[serde(default)]
    #[schema(value_type = Deliveries)]
    max_deliveries: Given<Deliveries>,
    /// The pause before a nacked message is ready again.
    #[serde(default)]
    #[schema(value_type = BackoffToSet)]
    backoff: Given<Object<BackoffToSet>>,
    /// What order is kept.
    #[serde(default)]
    #[schema(value_type = OrderingText)]
    ordering: Given<Word<OrderingText>>,
    /// How long ids are remembered; 0s turns deduplication off.
    #[serde(default)]
    #[schema(value_type = Pause)]
    deduplication_window: Given<Pause>,
    /// How many ids are remembered; beyond it the oldest is forgotten early.
    #[serde(default)]
    #[schema(value_type = Count)]
    max_deduplication_ids: Given<Count>,
    /// How many messages may be ready, leased and delayed together.
    #[serde(default)]
    #[schema(value_type = Count)]
    max_messages: Given<Count>,
    /// How many bytes they may take.
    #[serde(default)]
    #[schema(value_type = Capacity)]
    max_bytes: Given<Capacity>,
    /// What a full queue does with one more message. The oldest is the first in line by when it can first be
    /// received: one that is scheduled gives way last.
    #[serde(default)]
    #[schema(value_type = OverflowText)]
    overflow: Given<Word<OverflowText>>,
    /// How long each message that comes from now on, without a delay of its own, waits before it can be received.
    #[serde(default)]
    #[schema(value_type = Pause)]
    delay: Given<Pause>,
    /// How long a message that comes from now on may wait once it can be received, if its own TTL does not end
    /// earlier; null is for ever.
    #[serde(default)]
    #[schema(value_type = LifetimeOrNull)]
    ttl: Given<LifetimeOrNull>,
    /// What becomes of a message whose TTL passed.
    #[serde(default)]
    #[schema(value_type = OnExpiryText)]
    on_expiry: Given<Word<OnExpiryText>>,
    /// How long dead letters are kept; 0s keeps none.
    #[serde(default)]
    #[schema(value_type = Pause)]
    dead_letter_retention: Given<Pause>,
    /// How many dead letters are kept; the oldest beyond it is discarded, and 0 keeps none.
    #[serde(default)]
    #[schema(value_type = CountOrNone)]
    max_dead_letters: Given<CountOrNone>,
}

/// The parts of the backoff to set: `initial * factor^(n-1)`, at most `max`, give or take `jitter`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BackoffToSet {
    /// The pause after the first failure.
    #[serde(default)]
    #[schema(value_type = Pause)]
    initial: Given<Pause>,
    /// What each further failure multiplies it by.
    #[serde(default)]
    #[schema(value_type = f64, minimum = 1)]
    factor: Given<f64>,
    /// The longest pause.
    #[serde(default)]
    #[schema(value_type = Pause)]
    max: Given<Pause>,
    /// How far the pause is spread at random, as a part of it.
    #[serde(default)]
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    jitter: Given<f64>,
}

impl From<SettingsToSet> for QueueSettingsPatch {
    fn from(set: SettingsToSet) -> Self {
        Self {
            lease: set.lease.map(|Span(lease)| lease),
            max_deliveries: set.max_deliveries.map(|Whole(number)| u32::try_from(number).unwrap_or(u32::MAX)),
            backoff: set.backoff.0.map(|Object(backoff)| backoff.into()).unwrap_or_default(),
            ordering: set.ordering.map(|Word(ordering)| ordering.into()),
            deduplication_window: set.deduplication_window.map(|Span(window)| window),
            max_deduplication_ids: set.max_deduplication_ids.map(|Whole(number)| number),
            max_messages: set.max_messages.map(|Whole(number)| number),
            max_bytes: set.max_bytes.map(|Bytes(size)| size),
            overflow: set.overflow.map(|Word(overflow)| overflow.into()),
            delay: set.delay.map(|Span(delay)| delay),
            ttl: set.ttl.map(|OrNull(ttl)| ttl.map(|Span(ttl)| ttl)),
            on_expiry: set.on_expiry.map(|Word(on_expiry)| on_expiry.into()),
            dead_letter_retention: set.dead_letter_retention.map(|Span(retention)| retention),
            max_dead_letters: set.max_dead_letters.map(|Whole(number)| number),
        }
    }
}

impl From<BackoffToSet> for BackoffPatch {
    fn from(set: BackoffToSet) -> Self {
        Self {
            initial: set.initial.map(|Span(initial)| initial),
            factor: *set.factor,
            max: set.max.map(|Span(max)| max),
            jitter: *set.jitter,
        }
    }
}

/// An enumeration of the core as the contract writes it, both ways.
macro_rules! texts {
    ($(#[$doc:meta])* $text:ident = $core:ident { $($variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        enum $text { $($variant),* }

        impl From<$core> for $text {
            fn from(value: $core) -> Self {
                match value { $($core::$variant => Self::$variant),* }
            }
        }

        impl From<$text> for $core {
            fn from(value: $text) -> Self {
                match value { $($text::$variant => Self::$variant),* }
            }
        }
    };
}

texts! {
    /// What order a queue keeps.
    OrderingText = Ordering { None, Key, Fifo }
}
texts! {
    /// What a full queue does with one more message.
    OverflowText = Overflow { Reject, DropOldest, DeadLetterOldest }
}
texts! {
    /// What becomes of a message whose TTL passed.
    OnExpiryText = OnExpiry { Drop, DeadLetter }
}
