//! The small words of a script as the broker has them: times, filters, ids, changes of settings.

use std::{sync::Arc, time::Duration};

use broker_core::{
    command::{DeadLetters, When},
    filter::Filter,
    identity::{Identity, Name, Selector, Sequence},
    settings::{QueueSettingsPatch, Start},
};
use units::Timestamp;

use crate::{
    model::Model,
    operation::{From, QueueChange, Taste, Which},
};

pub(super) fn changed(settings: QueueSettingsPatch, change: QueueChange) -> QueueSettingsPatch {
    match change {
        QueueChange::Nothing => settings,
        QueueChange::MaxMessages(n) => {
            QueueSettingsPatch { max_messages: Some(u64::from(n).max(1)), ..settings }
        }
        QueueChange::MaxDeliveries(n) => {
            QueueSettingsPatch { max_deliveries: Some(u32::from(n).max(1)), ..settings }
        }
        QueueChange::MaxDeadLetters(n) => QueueSettingsPatch { max_dead_letters: Some(n.into()), ..settings },
        QueueChange::Overflow(overflow) => QueueSettingsPatch { overflow: Some(overflow), ..settings },
        QueueChange::Ordering(ordering) => QueueSettingsPatch { ordering: Some(ordering), ..settings },
        QueueChange::Ttl(ttl) => {
            let ttl = ttl.map(|ttl| ms(u64::from(ttl).max(1)));
            QueueSettingsPatch { ttl: Some(ttl), ..settings }
        }
        QueueChange::Lease(length) => {
            QueueSettingsPatch { lease: Some(ms(u64::from(length).max(100))), ..settings }
        }
    }
}

pub(crate) const fn ms(length: u64) -> Duration {
    Duration::from_millis(length)
}

pub(super) fn ago(now: Timestamp, length: u32) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub(length.into()))
}

/// A delay as a length or, where it is even, as a time.
pub(super) fn when(delay: u16, now: Timestamp) -> When {
    let delay = ms(delay.into());
    if delay.as_millis().is_multiple_of(2) { When::At(now.plus(delay)) } else { When::After(delay) }
}

pub(super) fn kind(kind: u8) -> &'static str {
    ["kind-0", "kind-1", "other"][usize::from(kind % 3)]
}

pub(super) fn filter(taste: Taste) -> Option<Filter> {
    let terms = |value: &str| [(Arc::from("type"), Arc::from(value))].into();
    match taste {
        Taste::All => None,
        Taste::Only(wanted) => Some(Filter::Exact(terms(kind(wanted)))),
        Taste::Not(unwanted) => Some(Filter::Not(Arc::new(Filter::Exact(terms(kind(unwanted)))))),
        Taste::Prefix => Some(Filter::Prefix(terms("kind"))),
    }
}

pub(super) fn since(from: From, now: Timestamp) -> Option<Timestamp> {
    match from {
        From::New => Some(now),
        From::Earliest => None,
        From::Ago(length) => Some(ago(now, length)),
    }
}

pub(super) fn begins(start: From, now: Timestamp) -> Start {
    match start {
        From::New => Start::New,
        From::Earliest => Start::Earliest,
        From::Ago(length) => Start::Since(ago(now, length)),
    }
}

pub(super) fn identity(id: u8) -> Identity {
    Identity { whole: u128::from(id) << 64 | 7, id: id.into() }
}

pub(super) fn selector(id: u8) -> Selector {
    Selector { id: id.into(), whole: None }
}

pub(super) fn letters(which: &Which, queue: &Name, model: &Model) -> DeadLetters {
    match which {
        Which::All => DeadLetters::All,
        Which::Ids(ids) => DeadLetters::Ids(ids.iter().map(|id| selector(*id)).collect()),
        Which::Oldest(most) => {
            let newest = model.queues.get(queue).and_then(|queue| queue.dead().pop());
            DeadLetters::Oldest {
                most: usize::from(*most),
                last: newest.unwrap_or((Timestamp::default(), Sequence(0))),
            }
        }
        Which::Numbers(back) => DeadLetters::Sequences(latest(back, model)),
    }
}

/// The messages that were published so many before the one that comes next, each once, in publish order.
pub(super) fn latest(back: &[u8], model: &Model) -> Vec<Sequence> {
    let mut sequences: Vec<_> = back.iter().map(|back| counted_back(model, *back)).collect();
    sequences.sort_unstable();
    sequences.dedup();
    sequences
}

/// The message that was published so many before the one that comes next.
pub(super) fn counted_back(model: &Model, back: u8) -> Sequence {
    Sequence(model.next.next_sequence.saturating_sub(back.into()))
}

/// The name of a queue or topic of the scenery.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("the scenery's names are names")
}
