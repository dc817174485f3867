//! Places in the feed.

/// Where in the feed something stands. Activities are counted from the start of the process; what was
/// left out is told right behind the activity that it was told after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

impl Position {
    /// Of the activity with that number; the first one's is 1.
    pub(crate) const fn of(number: u64) -> Self {
        Self(number * 2)
    }

    /// Right behind it.
    pub(crate) const fn behind(number: u64) -> Self {
        Self(number * 2 + 1)
    }

    /// From a number that [`Self::get`] gave.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Just before it.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The number of the activity that stands there, or right before it.
    pub(super) const fn activity(self) -> u64 {
        self.0 / 2
    }
}
