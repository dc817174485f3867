//! That a broker could start from it, and that each queue's totals then add up as the contract says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use broker_core::{Core, Why, change::Effects, view::QueueView};

use super::Verifier;
use crate::store::{
    StoreError,
    sqlite::{load, remembered::RememberedRows},
    verify::{Fault, FaultKind},
};

impl Verifier<'_> {
    pub(super) fn start(&mut self) {
        // What contradicts itself may break the core's own assertions.
        match catch_unwind(AssertUnwindSafe(|| self.core())) {
            Ok(Ok(core)) => {
                for queue in core.queues(None) {
                    self.totals(&queue);
                }
            }
            Ok(Err(error)) => self.fault(FaultKind::Start, error.to_string()),
            Err(_) => self.fault(FaultKind::Start, "what is stored contradicts itself"),
        }
    }

    /// The core as it was at the latest commit.
    fn core(&self) -> Result<Core, StoreError> {
        let (high_water, at) = match load::last(self.connection)? {
            Some(last) => last,
            None => (Core::new(0).high_water(), Default::default()),
        };
        let mut restore = Core::restore(0, high_water);
        load::all(self.connection, &mut restore, &mut RememberedRows::default())?;
        Ok(restore.finish(Why::Start, at, &mut Effects::default()))
    }

    fn totals(&mut self, queue: &QueueView<'_>) {
        let (total, now) = (&queue.counters, &queue.gauges);
        let came = total.published + total.replayed + total.redriven_in;
        let went = total.acked + total.dead_lettered + total.expired + total.dropped + total.purged;
        let here = now.ready + now.leased + now.delayed;
        let mut fault = |detail| {
            let queues = vec![queue.name.to_string()];
            self.report.add(Fault { queues, ..Fault::new(FaultKind::Counters, detail) });
        };
        if came != here + went {
            fault(format!("{came} came, but {went} went and {here} are here"));
        }
        let killed = now.dead + total.redriven_out + total.discarded;
        if total.dead_lettered != killed {
            let (died, dead) = (total.dead_lettered, now.dead);
            fault(format!("{died} died, but {} left and {dead} are dead", killed - dead));
        }
    }
}
