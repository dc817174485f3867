//! Settings of queues and topics as the JSON text that their tables keep. Durations are milliseconds,
//! sizes bytes. A field that an older version did not write has its default.

use std::time::Duration;

use broker_core::{
    filter::Filter,
    settings::{Backoff, OnExpiry, OnFull, Ordering, Overflow, QueueSettings, Start, TopicSettings},
};
use serde::{Deserialize, Serialize};
use units::{Size, Timestamp};

use crate::{filter, store::StoreError};

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct StoredQueue {
    lease: u64,
    max_deliveries: u32,
    backoff_initial: u64,
    backoff_factor: f64,
    backoff_max: u64,
    backoff_jitter: f64,
    ordering: String,
    deduplication_window: u64,
    max_deduplication_ids: u64,
    max_messages: u64,
    max_bytes: u64,
    overflow: String,
    delay: u64,
    ttl: Option<u64>,
    on_expiry: String,
    dead_letter_retention: u64,
    max_dead_letters: u64,
}

impl Default for StoredQueue {
    fn default() -> Self {
        Self::from(&QueueSettings::default())
    }
}

impl From<&QueueSettings> for StoredQueue {
    fn from(settings: &QueueSettings) -> Self {
        Self {
            lease: millis(settings.lease),
            max_deliveries: settings.max_deliveries,
            backoff_initial: millis(settings.backoff.initial),
            backoff_factor: settings.backoff.factor,
            backoff_max: millis(settings.backoff.max),
            backoff_jitter: settings.backoff.jitter,
            ordering: word(ORDERINGS, settings.ordering),
            deduplication_window: millis(settings.deduplication_window),
            max_deduplication_ids: settings.max_deduplication_ids,
            max_messages: settings.max_messages,
            max_bytes: settings.max_bytes.get(),
            overflow: word(OVERFLOWS, settings.overflow),
            delay: millis(settings.delay),
            ttl: settings.ttl.map(millis),
            on_expiry: word(EXPIRIES, settings.on_expiry),
            dead_letter_retention: millis(settings.dead_letter_retention),
            max_dead_letters: settings.max_dead_letters,
        }
    }
}

impl TryFrom<StoredQueue> for QueueSettings {
    type Error = StoreError;

    fn try_from(stored: StoredQueue) -> Result<Self, StoreError> {
        Ok(Self {
            lease: Duration::from_millis(stored.lease),
            max_deliveries: stored.max_deliveries,
            backoff: Backoff {
                initial: Duration::from_millis(stored.backoff_initial),
                factor: stored.backoff_factor,
                max: Duration::from_millis(stored.backoff_max),
                jitter: stored.backoff_jitter,
            },
            ordering: meaning(ORDERINGS, &stored.ordering)?,
            deduplication_window: Duration::from_millis(stored.deduplication_window),
            max_deduplication_ids: stored.max_deduplication_ids,
            max_messages: stored.max_messages,
            max_bytes: Size::bytes(stored.max_bytes),
            overflow: meaning(OVERFLOWS, &stored.overflow)?,
            delay: Duration::from_millis(stored.delay),
            ttl: stored.ttl.map(Duration::from_millis),
            on_expiry: meaning(EXPIRIES, &stored.on_expiry)?,
            dead_letter_retention: Duration::from_millis(stored.dead_letter_retention),
            max_dead_letters: stored.max_dead_letters,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct StoredTopic {
    retention: u64,
    retention_bytes: u64,
    deduplication_window: u64,
    max_deduplication_ids: u64,
}

impl Default for StoredTopic {
    fn default() -> Self {
        Self::from(&TopicSettings::default())
    }
}

impl From<&TopicSettings> for StoredTopic {
    fn from(settings: &TopicSettings) -> Self {
        Self {
            retention: millis(settings.retention),
            retention_bytes: settings.retention_bytes.get(),
            deduplication_window: millis(settings.deduplication_window),
            max_deduplication_ids: settings.max_deduplication_ids,
        }
    }
}

pub(super) fn write_queue(settings: &QueueSettings) -> String {
    serde_json::to_string(&StoredQueue::from(settings)).expect("numbers and words always serialise")
}

pub(super) fn read_queue(text: &str) -> Result<QueueSettings, StoreError> {
    let stored: StoredQueue = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    stored.try_into()
}

pub(super) fn write_topic(settings: &TopicSettings) -> String {
    serde_json::to_string(&StoredTopic::from(settings)).expect("numbers always serialise")
}

pub(super) fn read_topic(text: &str) -> Result<TopicSettings, StoreError> {
    let stored: StoredTopic = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    Ok(TopicSettings {
        retention: Duration::from_millis(stored.retention),
        retention_bytes: Size::bytes(stored.retention_bytes),
        deduplication_window: Duration::from_millis(stored.deduplication_window),
        max_deduplication_ids: stored.max_deduplication_ids,
    })
}

/// The number that `subscriptions.on_full` keeps.
pub(super) fn write_on_full(on_full: OnFull) -> u8 {
    match on_full {
        OnFull::Reject => 0,
        OnFull::Drop => 1,
        OnFull::DeadLetter => 2,
    }
}

pub(super) fn read_on_full(number: u8) -> Result<OnFull, StoreError> {
    match number {
        0 => Ok(OnFull::Reject),
        1 => Ok(OnFull::Drop),
        2 => Ok(OnFull::DeadLetter),
        _ => Err(StoreError::Damaged(format!("on_full is {number}"))),
    }
}

/// The text that `subscriptions.filter` keeps.
pub(super) fn write_filter(filter: &Filter) -> String {
    filter::write(filter).to_string()
}

pub(super) fn read_filter(text: &str) -> Result<Filter, StoreError> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    filter::read_stored(&json).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// The text that `subscriptions.start` keeps: a word, or milliseconds since 1970.
pub(super) fn write_start(start: Start) -> String {
    match start {
        Start::New => "new".to_owned(),
        Start::Earliest => "earliest".to_owned(),
        Start::Since(at) => at.as_millis().to_string(),
    }
}

pub(super) fn read_start(text: &str) -> Result<Start, StoreError> {
    match text {
        "new" => Ok(Start::New),
        "earliest" => Ok(Start::Earliest),
        _ => match text.parse() {
            Ok(millis) => Ok(Start::Since(Timestamp::from_millis(millis))),
            Err(_) => Err(StoreError::Damaged(format!("{text:?} is no start of a subscription"))),
        },
    }
}

const ORDERINGS: &[(&str, Ordering)] =
    &[("none", Ordering::None), ("key", Ordering::Key), ("fifo", Ordering::Fifo)];
const OVERFLOWS: &[(&str, Overflow)] = &[
    ("reject", Overflow::Reject),
    ("drop-oldest", Overflow::DropOldest),
    ("dead-letter-oldest", Overflow::DeadLetterOldest),
];
const EXPIRIES: &[(&str, OnExpiry)] = &[("drop", OnExpiry::Drop), ("dead-letter", OnExpiry::DeadLetter)];

fn word<T: Copy + PartialEq>(words: &[(&str, T)], value: T) -> String {
    let known = words.iter().find(|(_, meaning)| *meaning == value);
    known.map(|(word, _)| (*word).to_owned()).expect("the table above names every value")
}

fn meaning<T: Copy>(words: &[(&str, T)], word: &str) -> Result<T, StoreError> {
    let known = words.iter().find(|(known, _)| *known == word);
    known.map(|(_, meaning)| *meaning).ok_or_else(|| StoreError::Damaged(format!("{word:?} is no setting")))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("settings: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_compose, proptest};

    use super::*;

    #[test]
    fn settings_are_read_back_the_same() {
        let settings = QueueSettings {
            ordering: Ordering::Fifo,
            overflow: Overflow::DeadLetterOldest,
            on_expiry: OnExpiry::DeadLetter,
            ttl: Some(Duration::from_millis(1)),
            backoff: Backoff { factor: 1.1, jitter: 0.3, ..Backoff::default() },
            ..QueueSettings::default()
        };
        assert_eq!(read_queue(&write_queue(&settings)).unwrap(), settings);
        let topic = TopicSettings { max_deduplication_ids: 5, ..TopicSettings::default() };
        assert_eq!(read_topic(&write_topic(&topic)).unwrap(), topic);
        for on_full in [OnFull::Reject, OnFull::Drop, OnFull::DeadLetter] {
            assert_eq!(read_on_full(write_on_full(on_full)).unwrap(), on_full);
        }
        for start in [Start::New, Start::Earliest, Start::Since(Timestamp::from_millis(7))] {
            assert_eq!(read_start(&write_start(start)).unwrap(), start);
        }
        let filter = Filter::Not(Filter::Exact([("type".into(), "t".into())].into()).into());
        assert_eq!(read_filter(&write_filter(&filter)).unwrap(), filter);
    }

    #[test]
    fn what_an_older_version_did_not_write_has_its_default() {
        assert_eq!(read_queue("{}").unwrap(), QueueSettings::default());
        assert_eq!(read_topic("{}").unwrap(), TopicSettings::default());
        assert!(read_queue(r#"{"ordering":"random"}"#).is_err());
    }

    prop_compose! {
        fn any_backoff()(
            initial in any_millis(), factor in 1.0..f64::MAX, max in any_millis(), jitter in 0.0..=1.0,
        ) -> Backoff {
            Backoff { initial, factor, max, jitter }
        }
    }

    fn any_millis() -> impl Strategy<Value = Duration> {
        any::<u64>().prop_map(Duration::from_millis)
    }

    fn one_of<T: Copy + std::fmt::Debug>(words: &'static [(&str, T)]) -> impl Strategy<Value = T> {
        (0..words.len()).prop_map(|place| words[place].1)
    }

    prop_compose! {
        fn any_settings()(
            (lease, delay, deduplication_window, dead_letter_retention) in
                (any_millis(), any_millis(), any_millis(), any_millis()),
            (max_deliveries, max_deduplication_ids, max_messages, max_dead_letters, bytes) in
                any::<(u32, u64, u64, u64, u64)>(),
            ttl in proptest::option::of(any_millis()),
            backoff in any_backoff(),
            ordering in one_of(ORDERINGS),
            overflow in one_of(OVERFLOWS),
            on_expiry in one_of(EXPIRIES),
        ) -> QueueSettings {
            QueueSettings {
                lease, max_deliveries, backoff, ordering, deduplication_window, max_deduplication_ids,
                max_messages, max_bytes: Size::bytes(bytes), overflow, delay, ttl, on_expiry,
                dead_letter_retention, max_dead_letters,
            }
        }
    }

    proptest! {
        #[test]
        fn any_settings_are_read_back_to_the_last_bit(settings in any_settings()) {
            prop_assert_eq!(read_queue(&write_queue(&settings)).unwrap(), settings);
        }
    }
}
