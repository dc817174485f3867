//! Whether the disk has room for more messages: asked before the core decides, so that acks, which need
//! some room too, still find it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    error::BrokerError,
    store::{Store, StoreError},
};

/// How long it holds that there is room: not so long that a burst of publishes leaves none for acks.
const ROOM_HOLDS: Duration = Duration::from_millis(10);
/// How long it holds that there is none.
const NO_ROOM_HOLDS: Duration = Duration::from_secs(1);

/// The latest answer.
#[derive(Debug)]
pub(crate) struct Room {
    floor: u64,
    /// How many bytes could be stored, where that is known.
    free: Option<u64>,
    asked: Option<(Instant, Result<(), BrokerError>)>,
    /// Publishes have been refused since they were last taken.
    refusing: bool,
}

/// What the disk has, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// What can still be stored, where that is known.
    pub(crate) free: Option<u64>,
    /// With that much or less, publishes are refused.
    pub(crate) floor: u64,
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// There is no more room than the floor.
    BelowFloor,
    /// A commit found none.
    RanOut,
    /// There is room again.
    Again,
}

impl Room {
    pub(crate) fn new(floor: u64) -> Self {
        Self { floor, free: None, asked: None, refusing: false }
    }

    /// What was last seen.
    pub(crate) fn figures(&self) -> Figures {
        Figures { free: self.free, floor: self.floor }
    }

    /// A commit found no room, whatever the file system says: it may count quotas that are not asked for
    /// here. To find out again costs a restore of the core, so publishes wait a while for it.
    pub(crate) fn ran_out(&mut self, store: &dyn Store, now: Instant) {
        let news = self.note_full(now);
        self.tell(news, store.folder());
    }

    /// A message was committed.
    pub(crate) fn took(&mut self, store: &dyn Store) {
        let news = self.note_taken();
        self.tell(news, store.folder());
    }

    /// Asks whether more than the floor is free: [`BrokerError::BelowFloor`], or [`BrokerError::StorageFull`] where
    /// a commit found none. A store that does not know is believed to have room: then the commit finds out.
    ///
    /// # Errors
    /// When the store failed for good.
    pub(crate) fn check(
        &mut self,
        store: &mut dyn Store,
        now: Instant,
    ) -> Result<Result<(), BrokerError>, StoreError> {
        if let Some((at, answer)) = &self.asked
            && now.saturating_duration_since(*at) < if answer.is_ok() { ROOM_HOLDS } else { NO_ROOM_HOLDS }
        {
            return Ok(answer.clone());
        }
        let free = store.free_space();
        let free = free.inspect_err(|error| tracing::warn!(error = %error, "the free space is not known"));
        let (answer, news) = self.note(free.ok(), now);
        self.tell(news, store.folder());
        if answer.is_err() {
            store.give_back()?;
        }
        Ok(answer)
    }

    /// So much is free. After a commit that found no room, it takes more than that to tell that there is some.
    fn note(&mut self, free: Option<u64>, now: Instant) -> (Result<(), BrokerError>, Option<News>) {
        let floor = self.floor;
        let answer = match free {
            Some(free) if free <= floor => Err(BrokerError::BelowFloor { free, floor }),
            _ => Ok(()),
        };
        let was_below = matches!(self.asked, Some((_, Err(BrokerError::BelowFloor { .. }))));
        let news = match &answer {
            Err(_) => (!self.refusing).then_some(News::BelowFloor),
            Ok(()) => was_below.then_some(News::Again),
        };
        self.refusing = answer.is_err() || self.refusing && !was_below;
        (self.free, self.asked) = (free, Some((now, answer.clone())));
        (answer, news)
    }

    fn note_full(&mut self, now: Instant) -> Option<News> {
        self.asked = Some((now, Err(BrokerError::StorageFull)));
        (!std::mem::replace(&mut self.refusing, true)).then_some(News::RanOut)
    }

    fn note_taken(&mut self) -> Option<News> {
        std::mem::take(&mut self.refusing).then_some(News::Again)
    }

    fn tell(&self, news: Option<News>, data: Option<&Path>) {
        let data = data.map(|data| tracing::field::display(data.display()));
        let (free_bytes, floor_bytes) = (self.free, self.floor);
        match news {
            None => {}
            Some(News::BelowFloor) => {
                tracing::error!(
                    free_bytes,
                    floor_bytes,
                    data,
                    "too little room on the disk: publishes are refused"
                );
            }
            Some(News::RanOut) => {
                tracing::error!(free_bytes, floor_bytes, data, "the disk is full: publishes are refused");
            }
            Some(News::Again) => {
                tracing::info!(
                    free_bytes,
                    floor_bytes,
                    data,
                    "there is room on the disk: publishes are taken again"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_publishes_are_refused_and_taken_again_is_told_once_each() {
        let (mut room, now) = (Room::new(10), Instant::now());
        let below = |free| Err(BrokerError::BelowFloor { free, floor: 10 });
        assert_eq!(room.note(Some(11), now), (Ok(()), None));
        assert_eq!(room.note(Some(10), now), (below(10), Some(News::BelowFloor)));
        assert_eq!(room.note(Some(3), now), (below(3), None));
        assert_eq!(room.note(Some(11), now), (Ok(()), Some(News::Again)));
        assert_eq!(room.note_taken(), None);
        assert_eq!(room.note(None, now), (Ok(()), None));
    }

    #[test]
    fn after_a_commit_that_found_no_room_one_that_found_some_tells_that_there_is() {
        let (mut room, now) = (Room::new(10), Instant::now());
        assert_eq!(room.note_full(now), Some(News::RanOut));
        assert_eq!(room.note(Some(11), now), (Ok(()), None));
        assert_eq!(room.note_full(now), None);
        assert_eq!(room.note(Some(11), now), (Ok(()), None));
        assert_eq!([room.note_taken(), room.note_taken()], [Some(News::Again), None]);
    }
}
