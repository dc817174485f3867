//! What a look sees: committed state only.

use broker_core::Core;
use units::Timestamp;

use super::{journey::Journeys, metrics::Metrics, room};

/// The engine's state between two groups.
pub(crate) struct View<'a> {
    /// The rules' state.
    pub(crate) core: &'a Core,
    /// The broker's present time.
    pub(crate) now: Timestamp,
    /// What happened lately.
    pub(crate) journeys: &'a Journeys,
    /// What is measured.
    pub(crate) metrics: &'a Metrics,
    /// How many receives wait.
    pub(crate) parked: usize,
    /// What the disk has.
    pub(crate) room: room::Figures,
}
