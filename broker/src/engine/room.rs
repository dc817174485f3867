//! Whether the disk has room for more messages: asked before the core decides, so that acks, which need
//! some room too, still find it.

use std::time::{Duration, Instant};

use crate::store::Store;

/// How long it holds that there is room: not so long that a burst of publishes leaves none for acks.
const ROOM_HOLDS: Duration = Duration::from_millis(10);
/// How long it holds that there is none.
const NO_ROOM_HOLDS: Duration = Duration::from_secs(1);

/// The latest answer.
#[derive(Debug)]
pub(crate) struct Room {
    floor: u64,
    asked: Option<(Instant, bool)>,
}

impl Room {
    pub(crate) fn new(floor: u64) -> Self {
        Self { floor, asked: None }
    }

    /// A commit found no room, whatever the file system says: it may count quotas that are not asked for
    /// here. To find out again costs a restore of the core, so publishes wait a while for it.
    pub(crate) fn ran_out(&mut self, now: Instant) {
        self.asked = Some((now, false));
    }

    /// Whether more than the floor is free. A store that does not know is believed to have room: then
    /// the commit finds out.
    pub(crate) fn is_left(&mut self, store: &mut dyn Store, now: Instant) -> bool {
        if let Some((at, is_left)) = self.asked
            && now.saturating_duration_since(at) < if is_left { ROOM_HOLDS } else { NO_ROOM_HOLDS }
        {
            return is_left;
        }
        let is_left = match store.free_space() {
            Ok(free) => free > self.floor,
            Err(error) => {
                tracing::warn!(error = %error, "the free space is not known");
                true
            }
        };
        if !is_left && self.asked.is_none_or(|(_, was_left)| was_left) {
            tracing::error!(floor_bytes = self.floor, "too little room on the disk: publishes are refused");
        }
        if !is_left {
            store.give_back();
        }
        self.asked = Some((now, is_left));
        is_left
    }
}
