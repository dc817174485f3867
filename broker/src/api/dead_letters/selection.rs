//! Which dead letters a call means by their type, source, reason and time, and looking through a queue for them.

use broker_core::{
    identity::{Name, QueueId, Sequence},
    view::DeadLetter,
};
use serde_json::{Map, Value};
use serve::problem::Problem;
use units::Timestamp;

use super::{AT_ONCE, item::Item};
use crate::api::{Api, queues};

/// Where a dead letter stands in its queue's list.
pub(super) type Place = (Timestamp, Sequence);

/// What a dead letter must be like; nothing given is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Its event's type.
    pub(super) kind: Option<String>,
    /// Its event's source.
    pub(super) source: Option<String>,
    /// A part of its last reason.
    pub(super) reason: Option<String>,
    /// When it last failed at the earliest.
    pub(super) since: Option<Timestamp>,
    /// When it last failed at the latest.
    pub(super) until: Option<Timestamp>,
}

impl Selection {
    /// Whether it means all.
    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// For the audit trail.
    pub(super) fn described(&self) -> Map<String, Value> {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let members = [
            ("type", self.kind.clone()),
            ("source", self.source.clone()),
            ("reason", self.reason.clone()),
            ("since", time(self.since)),
            ("until", time(self.until)),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }

    /// Whether its time fits, which is known before its event is read.
    fn wants_time(&self, letter: &DeadLetter) -> bool {
        self.since.is_none_or(|since| letter.last_failed_at >= since)
            && self.until.is_none_or(|until| letter.last_failed_at <= until)
    }

    fn wants(&self, item: &Item) -> bool {
        let of_type = self.kind.as_ref().is_none_or(|wanted| *wanted == item.r#type);
        let of_source = self.source.as_ref().is_none_or(|wanted| *wanted == item.source);
        let text = item.reason.as_deref().unwrap_or_default();
        of_type && of_source && self.reason.as_ref().is_none_or(|part| text.contains(part.as_str()))
    }
}

/// A stretch of a queue's dead letters, newest first.
pub(super) struct Slice {
    queue: QueueId,
    letters: Vec<DeadLetter>,
}

impl Slice {
    /// Looks at those before a place.
    pub(super) async fn before(api: &Api, queue: &Name, before: Option<Place>) -> Result<Self, Problem> {
        let wanted = queue.clone();
        let seen = queues::look_into(api, queue, move |core| {
            Some((core.queue(&wanted)?.id, core.dead_letters(&wanted, before, AT_ONCE)))
        });
        let (queue, letters) = seen.await?.ok_or_else(|| queues::not_found(queue.clone()))?;
        Ok(Self { queue, letters })
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Where the next stretch begins; `None` where this is the last one.
    pub(super) fn next(&self) -> Option<Place> {
        let last = self.letters.last().filter(|_| self.len() == AT_ONCE);
        last.map(|letter| (letter.since, letter.sequence))
    }

    /// Those that are meant, with their places.
    pub(super) async fn fitting(&self, api: &Api, wanted: &Selection) -> Result<Vec<(Place, Item)>, Problem> {
        let letters: Vec<&DeadLetter> = self.letters.iter().filter(|it| wanted.wants_time(it)).collect();
        let sequences: Vec<Sequence> = letters.iter().map(|letter| letter.sequence).collect();
        let records = api.broker.records(sequences.clone()).await?;
        let failures = api.broker.last_failures(self.queue, sequences).await?;
        let mut found = Vec::new();
        for ((letter, record), failure) in letters.into_iter().zip(records).zip(failures) {
            // One that was redriven or discarded since the look has no record any more.
            let Some(record) = record else { continue };
            let item = Item::of(letter, &record, failure.as_ref())?;
            if wanted.wants(&item) {
                found.push(((letter.since, letter.sequence), item));
            }
        }
        Ok(found)
    }
}

/// Shows all that are meant, newest first.
pub(super) async fn each(
    api: &Api,
    queue: &Name,
    wanted: &Selection,
    mut show: impl FnMut(Sequence, Item),
) -> Result<(), Problem> {
    let mut before = None;
    loop {
        let slice = Slice::before(api, queue, before).await?;
        for ((_, sequence), item) in slice.fitting(api, wanted).await? {
            show(sequence, item);
        }
        before = slice.next();
        if before.is_none() {
            return Ok(());
        }
    }
}
