//! Cursors of lists: opaque to the client; a word for the kind of list and the place that the next page
//! starts after. A cursor of one list is none of another.

use broker_core::identity::{Name, Sequence};
use units::Timestamp;

use super::receipt::parse_number;

/// After a name, in a list that is sorted by name.
#[must_use]
pub fn of_name(name: &Name) -> String {
    format!("name~{name}")
}

/// Reads what [`of_name`] wrote.
#[must_use]
pub fn name(text: &str) -> Option<Name> {
    Name::parse(text.strip_prefix("name~")?).ok()
}

/// The kinds of list that are sorted by a time and, where times are equal, by sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeline {
    /// The waiting messages of a queue, in the queue's order.
    Waiting,
    /// Dead letters, newest first.
    DeadLetters,
    /// What a topic retains, oldest first.
    Retained,
}

impl Timeline {
    const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting~",
            Self::DeadLetters => "dead~",
            Self::Retained => "retained~",
        }
    }

    /// After a place in such a list.
    #[must_use]
    pub fn cursor(self, at: Timestamp, Sequence(sequence): Sequence) -> String {
        format!("{}{}~{sequence}", self.word(), at.as_millis())
    }

    /// Reads what [`Timeline::cursor`] wrote.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<(Timestamp, Sequence)> {
        let (at, sequence) = text.strip_prefix(self.word())?.split_once('~')?;
        let at = parse_number(at).filter(|at| *at <= Timestamp::MAX.as_millis())?;
        Some((Timestamp::from_millis(at), Sequence(parse_number(sequence)?)))
    }
}

/// The kinds of list whose places are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// The audit trail, newest first.
    Audit,
    /// Paced redrives, newest first.
    Redrives,
    /// Groups of dead letters, largest first.
    Groups,
}

impl Numbered {
    const fn word(self) -> &'static str {
        match self {
            Self::Audit => "audit~",
            Self::Redrives => "redrives~",
            Self::Groups => "groups~",
        }
    }

    /// After a place in such a list.
    #[must_use]
    pub fn cursor(self, number: u64) -> String {
        format!("{}{number}", self.word())
    }

    /// The largest number that a place can have.
    const fn largest(self) -> u64 {
        match self {
            Self::Audit => i64::MAX.unsigned_abs(),
            Self::Redrives | Self::Groups => u32::MAX as u64,
        }
    }

    /// Reads what [`Numbered::cursor`] wrote.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<u64> {
        parse_number(text.strip_prefix(self.word())?).filter(|number| *number <= self.largest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let orders = Name::parse("orders").unwrap();
        assert_eq!(name(&of_name(&orders)), Some(orders));
        let place = (Timestamp::from_millis(1_795_493_700_123), Sequence(42));
        assert_eq!(Timeline::Waiting.parse(&Timeline::Waiting.cursor(place.0, place.1)), Some(place));
    }

    #[test]
    fn a_cursor_of_another_list_is_none_of_this() {
        let dead = Timeline::DeadLetters.cursor(Timestamp::from_millis(1), Sequence(2));
        assert_eq!(Timeline::Waiting.parse(&dead), None);
        assert_eq!(name(&dead), None);
        for text in ["", "!", "bm", "dead~0", "dead~+1~2", "orders"] {
            assert_eq!(Timeline::DeadLetters.parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_text_that_was_given_is_taken() {
        for text in ["dead~01~2", "dead~1~02", "dead~1~+2", "dead~253402300800000~1"] {
            assert_eq!(Timeline::DeadLetters.parse(text), None, "{text:?}");
        }
        for list in [Numbered::Audit, Numbered::Redrives, Numbered::Groups] {
            assert_eq!(list.parse(&list.cursor(list.largest())), Some(list.largest()));
            for other in [list.cursor(list.largest() + 1), list.cursor(7).replace('7', "+7")] {
                assert_eq!(list.parse(&other), None, "{other}");
            }
        }
    }
}
