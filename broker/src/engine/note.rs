//! Who does something by hand, and what: noted with it for the audit trail, in the same commit.

use std::sync::{Arc, OnceLock};

use broker_core::{
    change::{AuditRecord, Change},
    identity::Name,
    reply::Reply,
};
use units::Timestamp;

/// What the audit trail will say of a command, once it is carried out. Of a call that is carried out in
/// slices there is one item, which grows with each.
#[derive(Clone, Debug)]
pub struct Note {
    who: Arc<str>,
    action: &'static str,
    queue: Option<Arc<str>>,
    topic: Option<Arc<str>>,
    to: Option<Arc<str>>,
    request: Option<Arc<str>>,
    told: Told,
    /// The number and time of its item, once there is one.
    place: Arc<OnceLock<(u64, Timestamp)>>,
    /// How many messages earlier slices of the same call concerned.
    earlier: u64,
}

/// When the trail tells of it.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// Where it concerned a message.
    OfMessages,
    /// Where it changed settings.
    OfSettings,
    /// Whenever it was carried out.
    Always,
}

impl Note {
    /// That somebody does something to messages, named by a word such as `redrive`. Where it concerned
    /// none, nothing is told.
    #[must_use]
    pub fn new(who: &str, action: &'static str) -> Self {
        Self {
            who: Arc::from(who),
            action,
            queue: None,
            topic: None,
            to: None,
            request: None,
            told: Told::OfMessages,
            place: Arc::default(),
            earlier: 0,
        }
    }

    /// That somebody does something that counts even where it concerned no message, such as removing a
    /// queue.
    #[must_use]
    pub fn always(who: &str, action: &'static str) -> Self {
        Self { told: Told::Always, ..Self::new(who, action) }
    }

    /// That somebody sets what a queue, topic or subscription is to be. Where it was so already, nothing is told:
    /// services declare what they need at each start.
    #[must_use]
    pub fn settings(who: &str, action: &'static str) -> Self {
        Self { told: Told::OfSettings, ..Self::new(who, action) }
    }

    /// To that queue.
    #[must_use]
    pub fn queue(self, name: &Name) -> Self {
        Self { queue: Some(Arc::from(name.as_str())), ..self }
    }

    /// To that topic.
    #[must_use]
    pub fn topic(self, name: &Name) -> Self {
        Self { topic: Some(Arc::from(name.as_str())), ..self }
    }

    /// Into that queue.
    #[must_use]
    pub fn to(self, name: Option<&Name>) -> Self {
        Self { to: name.map(|name| Arc::from(name.as_str())), ..self }
    }

    /// As this JSON asked for.
    #[must_use]
    pub fn request(self, json: &serde_json::Value) -> Self {
        Self { request: Some(Arc::from(json.to_string())), ..self }
    }

    /// The note of the next slice of the same call, after slices that concerned so many messages.
    pub(crate) fn after(&self, earlier: u64) -> Self {
        Self { earlier, ..self.clone() }
    }

    /// What the trail says of it, by its reply and what it changed; `None` where it came to nothing. The first
    /// item of a call takes the next number.
    pub(super) fn record(
        &self,
        reply: &Reply,
        changes: &[Change],
        now: Timestamp,
        next: &mut u64,
    ) -> Option<AuditRecord> {
        let count = self.earlier + concerned(reply);
        match self.told {
            Told::OfMessages => (count > 0).then(|| self.item(count, now, next)),
            Told::OfSettings => changes.iter().any(is_of_settings).then(|| self.item(0, now, next)),
            Told::Always => Some(self.item(count, now, next)),
        }
    }

    /// What the trail says of what was done already, beside the engine.
    pub(super) fn of_what_is_done(&self, now: Timestamp, next: &mut u64) -> AuditRecord {
        self.item(0, now, next)
    }

    fn item(&self, count: u64, now: Timestamp, next: &mut u64) -> AuditRecord {
        let (number, at) = *self.place.get_or_init(|| {
            *next += 1;
            (*next - 1, now)
        });
        AuditRecord {
            number,
            at,
            who: Arc::clone(&self.who),
            action: Arc::from(self.action),
            queue: self.queue.clone(),
            topic: self.topic.clone(),
            to: self.to.clone(),
            count,
            request: self.request.clone(),
        }
    }
}

/// Whether it changes what a queue, topic or subscription is.
const fn is_of_settings(change: &Change) -> bool {
    matches!(
        change,
        Change::QueuePut(_)
            | Change::TopicPut(_)
            | Change::SubscriptionPut(_)
            | Change::SubscriptionGone(_, _)
    )
}

/// How many messages it concerned.
fn concerned(reply: &Reply) -> u64 {
    match reply {
        Reply::Removed { count } | Reply::Replayed { count } | Reply::RedriveStarted { count, .. } => *count,
        Reply::Redriven(redriven) => redriven.sequences.len() as u64,
        Reply::Put { .. } | Reply::Published(_) | Reply::Delivered(_) | Reply::Settled(_) => 0,
    }
}
