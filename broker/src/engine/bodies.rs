//! The records of messages that were just written, so that handing them out soon reads no disk.

use std::collections::VecDeque;

use broker_core::identity::Sequence;
use bytes::Bytes;

/// How many messages it spans at the most, whatever their size.
const MAX_SPAN: usize = 65_536;

/// A window over the newest messages, by number. Numbers grow, so a place in the window is the distance
/// from its first one.
#[derive(Debug)]
pub(crate) struct Bodies {
    first: u64,
    window: VecDeque<Option<Bytes>>,
    bytes: usize,
    max_bytes: usize,
}

impl Bodies {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { first: 0, window: VecDeque::new(), bytes: 0, max_bytes }
    }

    /// Keeps a record. Nothing is let go before [`Self::trim`].
    pub(crate) fn put(&mut self, sequence: Sequence, record: Bytes) {
        if self.window.is_empty() {
            self.first = sequence.0;
        }
        let Some(place) = sequence.0.checked_sub(self.first).and_then(|place| usize::try_from(place).ok())
        else {
            return;
        };
        if place >= self.window.len() {
            self.window.resize(place + 1, None);
        }
        self.bytes += record.len();
        if let Some(replaced) = self.window[place].replace(record) {
            self.bytes -= replaced.len();
        }
    }

    /// A record, where it is kept.
    pub(crate) fn get(&self, sequence: Sequence) -> Option<Bytes> {
        self.window.get(self.place(sequence)?)?.clone()
    }

    /// Lets a record go.
    pub(crate) fn remove(&mut self, sequence: Sequence) {
        let Some(slot) = self.place(sequence).and_then(|place| self.window.get_mut(place)) else { return };
        if let Some(record) = slot.take() {
            self.bytes -= record.len();
        }
        while let Some(None) = self.window.front() {
            self.window.pop_front();
            self.first += 1;
        }
    }

    /// Lets the oldest go until the rest is within bounds.
    pub(crate) fn trim(&mut self) {
        while self.bytes > self.max_bytes || self.window.len() > MAX_SPAN {
            let Some(oldest) = self.window.pop_front() else { break };
            self.first += 1;
            self.bytes -= oldest.map_or(0, |record| record.len());
        }
    }

    /// Lets all go.
    pub(crate) fn clear(&mut self) {
        self.window.clear();
        self.bytes = 0;
    }

    fn place(&self, sequence: Sequence) -> Option<usize> {
        usize::try_from(sequence.0.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn the_newest_are_kept_within_bounds() {
        let mut bodies = Bodies::new(8);
        for (sequence, text) in [(10, "aaaa"), (12, "bbbb"), (13, "cccc")] {
            bodies.put(Sequence(sequence), body(text));
        }
        assert_eq!(bodies.get(Sequence(10)), Some(body("aaaa")));
        bodies.trim();
        assert_eq!(bodies.get(Sequence(10)), None);
        assert_eq!(bodies.get(Sequence(11)), None);
        assert_eq!(bodies.get(Sequence(12)), Some(body("bbbb")));
        assert_eq!(bodies.get(Sequence(13)), Some(body("cccc")));
    }

    #[test]
    fn what_is_gone_makes_room() {
        let mut bodies = Bodies::new(8);
        bodies.put(Sequence(1), body("aaaa"));
        bodies.put(Sequence(2), body("bbbb"));
        bodies.remove(Sequence(1));
        bodies.remove(Sequence(1));
        bodies.put(Sequence(3), body("cccc"));
        bodies.trim();
        assert_eq!(bodies.get(Sequence(1)), None);
        assert_eq!(bodies.get(Sequence(2)), Some(body("bbbb")));
        bodies.clear();
        assert_eq!(bodies.get(Sequence(2)), None);
    }
}
