//! What can be simulated: the core over committed state in maps, or the whole engine over the real store
//! code on a simulated disk.

mod core;
mod store;

use std::fmt;

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
