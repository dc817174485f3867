//! What can be simulated: the core over committed state in maps, or the whole engine over the real store
//! code on a simulated disk.

mod core;
mod store;

use std::{fmt, ops::AddAssign};

pub use self::{core::CoreLayer, store::StoreLayer};
use crate::{invariants::Checked, operation::Turn, plants::Bug};

/// Something that a script can be played on.
pub trait Layer {
    /// Plays a turn, and checks all that must hold after it.
    ///
    /// # Errors
    /// What did not hold.
    fn turn(&mut self, turn: &Turn) -> Checked;

    /// Stops and starts once more, and checks all.
    ///
    /// # Errors
    /// What did not hold.
    fn finish(&mut self) -> Checked;

    /// What it met so far.
    fn tally(&self) -> Tally;
}

/// What a broker met, to show that it was not spared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Starts after a stop or a death.
    pub starts: u64,
    /// Groups that the broker died of.
    pub deaths: u64,
    /// Such groups that turned out to have happened all the same.
    pub happened: u64,
    /// Commits that found no room, and were undone in memory.
    pub undone: u64,
    /// Calls that were refused for want of room.
    pub refused: u64,
    /// Answers that were refusals by the rules.
    pub refusals: u64,
    /// Deliveries.
    pub delivered: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.starts += other.starts;
        self.deaths += other.deaths;
        self.happened += other.happened;
        self.undone += other.undone;
        self.refused += other.refused;
        self.refusals += other.refusals;
        self.delivered += other.delivered;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { starts, deaths, happened, undone, refused, refusals, delivered } = self;
        write!(
            f,
            "{delivered} deliveries, {refusals} refusals by the rules, {refused} for want of room, {undone} commits \
             undone, {deaths} groups that the broker died of ({happened} had happened), {starts} starts"
        )
    }
}

/// Which layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// The core alone.
    Core,
    /// The engine, the store code and SQLite over the simulated disk.
    Store,
}

impl LayerKind {
    /// A fresh broker with a bug planted, or none.
    #[must_use]
    pub fn open(self, bug: Option<Bug>) -> Box<dyn Layer> {
        match self {
            Self::Core => Box::new(CoreLayer::new(bug)),
            Self::Store => Box::new(StoreLayer::new(bug)),
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Store => "store",
        })
    }
}
