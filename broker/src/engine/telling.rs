//! Telling the feed what a group did: which of it is told, and with what names and texts. While nobody
//! watches, nothing of this is done.

use std::{
    collections::HashMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use broker_core::{
    Core,
    activity::{Activity, ActivityKind},
    identity::QueueId,
};
use units::Timestamp;

use super::{
    Engine,
    feed::{Feed, LeftOut, Position, Told, ToldActivity, ToldMessage},
};
use crate::{
    record::stored,
    store::{Found, StoreError},
};

/// How long it goes on after the last watcher has gone, so that one whose connection broke misses nothing.
const LINGER: Duration = Duration::from_secs(60);
/// The time over which activities are counted.
const WINDOW: Duration = Duration::from_millis(100);
/// How many activities of one queue (or topic) are told in a window.
const OF_ONE: u32 = 100;
/// How many are told in a window in all.
const OF_ALL: u32 = 400;

/// What activities are counted by: what is rare has a share of its own, so that load does not hide it.
type Share = (Option<u32>, bool);
type Counts = HashMap<(Option<QueueId>, ActivityKind), u64>;

/// The state of the telling.
#[derive(Debug)]
pub(crate) struct Telling {
    feed: Arc<Feed>,
    is_open: bool,
    wanted_until: Instant,
    window: Instant,
    shares: HashMap<Share, u32>,
    all: [u32; 2],
    left_out: Counts,
    /// What was left out of windows that are over, to be told with the next group.
    ended: Counts,

    // Of the group under way:
    told: Vec<(usize, Told)>,
    fresh_left_out: Counts,
}

impl Telling {
    pub(crate) fn new(feed: Arc<Feed>) -> Self {
        let now = Instant::now();
        Self {
            feed,
            is_open: false,
            wanted_until: now,
            window: now,
            shares: HashMap::new(),
            all: [0; 2],
            left_out: Counts::new(),
            ended: Counts::new(),
            told: Vec::new(),
            fresh_left_out: Counts::new(),
        }
    }

    /// When what was left out is to be told, though nothing more happens.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        (!self.left_out.is_empty() || !self.ended.is_empty()).then(|| self.window + WINDOW)
    }

    /// A group is about to be told. Whether anybody wants it, or did a moment ago.
    fn begin_group(&mut self, now: Instant) -> bool {
        if self.feed.watchers() > 0 {
            self.wanted_until = now + LINGER;
            if !mem::replace(&mut self.is_open, true) {
                self.feed.open();
            }
        } else if self.is_open && now > self.wanted_until {
            self.is_open = false;
            self.left_out.clear();
            self.ended.clear();
            self.feed.close();
        }
        if now.saturating_duration_since(self.window) >= WINDOW {
            self.begin_window(now);
        }
        self.is_open
    }

    /// A window is over, and the next one begins.
    fn begin_window(&mut self, now: Instant) {
        self.window = now;
        self.shares.clear();
        self.all = [0; 2];
        add(&mut self.ended, &mut self.left_out);
    }

    /// Whether an activity is told; where not, it is counted.
    fn choose(&mut self, activity: &Activity) -> bool {
        let is_usual = is_usual(activity.what);
        let of = activity.queue.map(|queue| queue.0).or_else(|| activity.topic.map(|topic| topic.0));
        let (share, all) =
            (self.shares.entry((of, is_usual)).or_default(), &mut self.all[usize::from(is_usual)]);
        let is_told = *share < OF_ONE && *all < OF_ALL;
        if is_told {
            *share += 1;
            *all += 1;
        } else {
            *self.fresh_left_out.entry((activity.queue, activity.what)).or_default() += 1;
        }
        is_told
    }

    /// The group is committed: so many activities happened, and what was prepared is told.
    pub(super) fn committed(&mut self, activities: usize, core: &Core, at: Timestamp) {
        let before = self.feed.count(activities as u64);
        if !self.is_open {
            return;
        }
        let left_out = self.tell_left_out(core, at).map(|told| (Position::behind(before), told));
        add(&mut self.left_out, &mut self.fresh_left_out);
        if left_out.is_some() || !self.told.is_empty() {
            let told = self.told.drain(..);
            let told = told.map(|(index, told)| (Position::of(before + 1 + index as u64), told));
            self.feed.tell(left_out.into_iter().chain(told));
        }
    }

    /// The group could not be committed: nothing of it happened.
    pub(super) fn forget(&mut self) {
        self.told.clear();
        self.fresh_left_out.clear();
    }

    /// What was left out of the windows that are over.
    fn tell_left_out(&mut self, core: &Core, at: Timestamp) -> Option<Told> {
        if self.ended.is_empty() {
            return None;
        }
        let name = |id: QueueId| core.queue_by_id(id).map(|queue| queue.name.clone());
        let counts = self.ended.drain();
        let counts = counts.map(|((queue, what), count)| (queue.and_then(name), what, count)).collect();
        Some(Told::LeftOut(LeftOut { at, counts }))
    }
}

/// Moves counts to others.
fn add(to: &mut Counts, from: &mut Counts) {
    for (what, count) in from.drain() {
        *to.entry(what).or_default() += count;
    }
}

/// What happens to every message that goes well.
const fn is_usual(what: ActivityKind) -> bool {
    use ActivityKind::{Acked, AutoAcked, Copied, Leased, Published};
    matches!(what, Published | Copied | Leased | Acked | AutoAcked)
}

impl Engine {
    /// Puts names and texts to what the group did, while the store still has its messages' records.
    pub(super) fn prepare_telling(&mut self) -> Result<(), StoreError> {
        if !self.telling.begin_group(Instant::now()) {
            return Ok(());
        }
        for index in 0..self.effects.activities.len() {
            if self.telling.choose(&self.effects.activities[index]) {
                let told = self.told(index)?;
                self.telling.told.push((index, Told::Activity(told)));
            }
        }
        Ok(())
    }

    fn told(&mut self, index: usize) -> Result<ToldActivity, StoreError> {
        let activity = self.effects.activities[index].clone();
        let queue = activity.queue.and_then(|id| self.core.queue_by_id(id)).map(|queue| queue.name.clone());
        let topic = activity.topic.and_then(|id| self.core.topic_by_id(id)).map(|topic| topic.name.clone());
        let record = match activity.sequence.map(|sequence| self.read(sequence)).transpose()? {
            Some(Found::Whole(record)) => Some(record),
            Some(Found::Damaged(_)) | None => None,
        };
        let message = record.and_then(|record| {
            let [id, source, kind] = stored::names(&record)?;
            Some(ToldMessage { id: id.into(), source: source.into(), kind: kind.into() })
        });
        let Activity { at, what, consumer, reason, .. } = activity;
        Ok(ToldActivity { at, what, queue, topic, message, consumer, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acked() -> Activity {
        let what = ActivityKind::Acked;
        let (queue, topic, sequence, identity) = (Some(QueueId(1)), None, None, None);
        Activity {
            at: Timestamp::default(),
            what,
            queue,
            topic,
            sequence,
            identity,
            consumer: None,
            reason: None,
        }
    }

    /// A group of so many activities; how many of them are told.
    fn group(telling: &mut Telling, activities: u32, now: Instant) -> usize {
        assert!(telling.begin_group(now));
        let told = (0..activities).filter(|_| telling.choose(&acked())).count();
        telling.committed(activities as usize, &Core::new(1), Timestamp::default());
        told
    }

    #[tokio::test]
    async fn what_happens_after_an_idle_time_is_told_however_much_happened_before() {
        let feed = Arc::new(Feed::new(1));
        let _watcher = feed.watch(None).unwrap();
        let mut telling = Telling::new(feed);
        let start = Instant::now();
        assert_eq!(group(&mut telling, OF_ONE, start), OF_ONE as usize);
        assert_eq!(group(&mut telling, 1, start), 0);
        assert_eq!(telling.next_deadline(), Some(telling.window + WINDOW));
        assert_eq!(group(&mut telling, 1, start + 36_000 * WINDOW), 1);
        assert_eq!(telling.next_deadline(), None);
    }
}
