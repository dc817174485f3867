//! When each queue and topic, or each paced redrive, wants to be looked at next.

use std::collections::BTreeSet;

use units::Timestamp;

use crate::number_map::NumberMap;

/// One time for each destination (queues and topics draw their numbers from one counter).
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    by_time: BTreeSet<(Timestamp, u32)>,
    by_destination: NumberMap<u32, Timestamp>,
}

impl Agenda {
    /// Sets when a destination wants to be looked at; `None` for not at all.
    pub(crate) fn set(&mut self, destination: u32, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.by_destination.insert(destination, at),
            None => self.by_destination.remove(&destination),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, destination));
        }
        if let Some(at) = at {
            self.by_time.insert((at, destination));
        }
    }

    /// The first time, and whose it is.
    pub(crate) fn first(&self) -> Option<(Timestamp, u32)> {
        self.by_time.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_stands_at_its_latest_time_only() {
        let mut agenda = Agenda::default();
        agenda.set(1, Some(Timestamp::from_millis(5)));
        agenda.set(2, Some(Timestamp::from_millis(7)));
        agenda.set(1, Some(Timestamp::from_millis(9)));
        assert_eq!(agenda.first(), Some((Timestamp::from_millis(7), 2)));
        agenda.set(2, None);
        assert_eq!(agenda.first(), Some((Timestamp::from_millis(9), 1)));
    }
}
