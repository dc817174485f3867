//! A paced redrive: its dead letters, how far it is, and when the next one has its turn.

use std::{sync::Arc, time::Duration};

use units::Timestamp;

use crate::{
    change::{RedriveProgress, RedriveRecord},
    identity::{RedriveId, Sequence},
    view::RedriveView,
};

/// How long it waits for room in a full queue before it looks again.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(1);
/// How far it may fall behind its pace; what is beyond is not made up for.
const LONGEST_LAG: Duration = Duration::from_secs(1);

/// A paced redrive.
#[derive(Debug)]
pub(crate) struct Redrive {
    pub(crate) record: RedriveRecord,
    /// Since when its pace counts, and how many were redriven since.
    since: Timestamp,
    done: u64,
    waits_for_room: bool,
}

impl Redrive {
    pub(crate) fn new(record: RedriveRecord) -> Self {
        let since = record.started_at;
        Self { record, since, done: 0, waits_for_room: false }
    }

    pub(crate) fn id(&self) -> RedriveId {
        self.record.id
    }

    pub(crate) fn is_over(&self) -> bool {
        self.record.progress.ended_at.is_some()
    }

    /// Its pace counts from that time on.
    pub(crate) fn pace_from(&mut self, at: Timestamp) {
        (self.since, self.done) = (at, 0);
    }

    /// When the next one has its turn.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let millis = (self.done * 1000).div_ceil(u64::from(self.record.per_second));
        (!self.is_over()).then(|| self.since.plus(Duration::from_millis(millis)))
    }

    /// The dead letter whose turn it is, where it is one's turn already.
    pub(crate) fn turn(&mut self, now: Timestamp) -> Option<Sequence> {
        let due = self.next_deadline().filter(|due| *due <= now)?;
        if now.since(due) > LONGEST_LAG {
            self.pace_from(now);
        }
        let place = usize::try_from(self.record.progress.passed).ok()?;
        self.record.sequences.get(place).copied()
    }

    /// It had its turn.
    pub(crate) fn passed(&mut self, was_redriven: bool) {
        self.waits_for_room = false;
        self.record.progress.passed += 1;
        if was_redriven {
            self.record.progress.redriven += 1;
            self.done += 1;
        }
    }

    /// There is no room for it: it keeps its turn.
    pub(crate) fn wait_for_room(&mut self, now: Timestamp) {
        self.waits_for_room = true;
        self.pace_from(now.plus(WAIT_FOR_ROOM));
    }

    /// Ends it where all had their turn.
    pub(crate) fn end_if_done(&mut self, now: Timestamp) {
        if self.remaining() == 0 {
            self.end(now);
        }
    }

    /// Ends it; its list is needed no longer.
    pub(crate) fn end(&mut self, now: Timestamp) {
        self.waits_for_room = false;
        self.record.progress.ended_at.get_or_insert(now);
        self.record.sequences = Arc::default();
    }

    /// How many dead letters its list holds.
    pub(crate) fn listed(&self) -> usize {
        self.record.sequences.len()
    }

    pub(crate) fn progress(&self) -> RedriveProgress {
        self.record.progress
    }

    fn remaining(&self) -> u64 {
        self.record.total.saturating_sub(self.record.progress.passed)
    }

    pub(crate) fn view(&self) -> RedriveView {
        let RedriveRecord { id, from, to, per_second, started_at, progress, .. } = &self.record;
        RedriveView {
            id: *id,
            from: from.clone(),
            to: to.clone(),
            per_second: *per_second,
            started_at: *started_at,
            redriven: progress.redriven,
            skipped: progress.passed - progress.redriven,
            remaining: self.remaining(),
            waits_for_room: self.waits_for_room,
            ended_at: progress.ended_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Name;

    #[test]
    fn one_that_ended_keeps_no_list_and_still_says_how_many_are_left() {
        let name = Name::parse("jobs").unwrap();
        let mut redrive = Redrive::new(RedriveRecord {
            id: RedriveId(1),
            from: name.clone(),
            to: name,
            per_second: 1,
            started_at: Timestamp::default(),
            total: 3,
            sequences: Arc::from([Sequence(1), Sequence(2), Sequence(3)]),
            progress: RedriveProgress::default(),
        });
        redrive.passed(true);
        redrive.end(Timestamp::default());
        assert_eq!((redrive.listed(), redrive.view().redriven, redrive.view().remaining), (0, 1, 2));
    }
}
