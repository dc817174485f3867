//! Handing messages out of a queue, and foreseeing which those will be.

use units::Timestamp;

use crate::{
    change::Effects,
    command::Receive,
    core::{Core, Step},
    identity::Sequence,
    reply::{Refusal, Reply},
    settings_check::check_lease,
};

impl Core {
    /// What a receive hands out now, so that whoever keeps the stored events can see before whether they are
    /// whole; none of an unknown queue. What expired and stands in its way goes first, as it would by the
    /// receive itself, but no more than `left`, which says afterwards how many more may go. `None` when there are more:
    /// then it is to be tried again after other work.
    pub fn foresee(
        &mut self,
        receive: &Receive,
        now: Timestamp,
        left: &mut usize,
        effects: &mut Effects,
    ) -> Option<Vec<Sequence>> {
        self.advance(now);
        let step = &mut Step { now, effects };
        match self.queue_id(&receive.queue) {
            Ok(id) => self.with_queue(id, step, |queue, turn| queue.foresee(receive, left, turn)),
            Err(_) => Some(Vec::new()),
        }
    }

    pub(super) fn receive(&mut self, receive: Receive, step: &mut Step<'_>) -> Result<Reply, Refusal> {
        let id = self.queue_id(&receive.queue)?;
        receive.lease.map_or(Ok(()), check_lease)?;
        let mut next_lease = self.high_water.next_lease;
        let deliveries =
            self.with_queue(id, step, |queue, turn| queue.receive(receive, &mut next_lease, turn));
        self.high_water.next_lease = next_lease;
        Ok(Reply::Delivered(deliveries))
    }
}
