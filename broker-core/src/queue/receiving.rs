//! Handing messages out: under a lease, again to the same `receive_id`, or for good with auto-ack.

use units::Timestamp;

use crate::{
    activity::ActivityKind,
    change::{Change, LeaseRecord},
    command::Receive,
    identity::{LeaseId, Receipt, Sequence},
    message::{Copy, Messages, State},
    queue::Queue,
    reply::Delivered,
    slab::Slot,
    turn::{Circumstances, Turn},
};

/// How many expired messages one receive that was not foreseen clears out of its way.
const MOST_EXPIRED: usize = 1000;

impl Receive {
    /// What a message of that size takes of the bytes.
    fn bytes_of(&self, size: u32) -> u64 {
        u64::from(size) + u64::from(self.bytes_beside)
    }
}

impl Queue {
    /// Hands out what may be handed out, under the lease `next_lease` (which is used up only if it does).
    pub(crate) fn receive(
        &mut self,
        request: Receive,
        next_lease: &mut u64,
        turn: &mut Turn<'_>,
    ) -> Vec<Delivered> {
        let again = request.receive_id.as_deref().and_then(|id| self.leases.of_receive(id));
        if let Some(lease) = again {
            return self.hand_out_again(lease, turn.messages);
        }
        let picked = self.pick(&request, turn);
        if picked.is_empty() {
            return Vec::new();
        }
        if request.auto_ack {
            return self.hand_out_for_good(&picked, &request, turn);
        }
        let lease = LeaseId(*next_lease);
        *next_lease += 1;
        self.hand_out(&picked, request, lease, turn)
    }

    /// Lets go what has expired of what a receive comes upon, and tells what it hands out then; `None` when
    /// that is more than is left to be cleared.
    pub(crate) fn foresee(
        &mut self,
        request: &Receive,
        left: &mut usize,
        turn: &mut Turn<'_>,
    ) -> Option<Vec<Sequence>> {
        loop {
            let next = self.next_deliveries(request, turn.messages);
            let slots = next.iter().map(|sequence| turn.messages.copy_in(*sequence, self.id));
            let expired: Vec<_> = slots.filter(|slot| self.has_expired(*slot, turn)).collect();
            if expired.is_empty() {
                return Some(next);
            }
            if *left == 0 {
                return None;
            }
            let cleared = expired.len().min(*left);
            *left -= cleared;
            expired.into_iter().take(cleared).for_each(|slot| self.expire(slot, turn));
        }
    }

    fn has_expired(&self, slot: Slot<Copy>, turn: &Turn<'_>) -> bool {
        let copy = turn.messages.copy(slot);
        matches!(copy.state, State::Waiting { .. }) && copy.expires_at <= turn.now
    }

    /// The messages that a receive would hand out, by their bytes and number, if none had expired.
    fn next_deliveries(&self, request: &Receive, messages: &Messages) -> Vec<Sequence> {
        let again = request.receive_id.as_deref().and_then(|id| self.leases.of_receive(id));
        if let Some(lease) = again {
            return self.held_under(lease, messages).map(|slot| messages.message_of(slot).sequence).collect();
        }
        let mut bytes = 0;
        let fits = |sequence: &Sequence| {
            let before = bytes;
            bytes += request.bytes_of(messages.size_of(*sequence));
            before == 0 || bytes <= request.max_bytes
        };
        self.line.ready().map(|position| position.sequence).take(request.max).take_while(fits).collect()
    }

    /// Takes from the line what the request may have, at most one message of a lane.
    fn pick(&mut self, request: &Receive, turn: &mut Turn<'_>) -> Vec<Slot<Copy>> {
        let mut picked = Vec::new();
        let (mut bytes, mut expired) = (0, 0);
        while picked.len() < request.max {
            let Some(position) = self.line.first_ready() else { break };
            let slot = turn.messages.copy_in(position.sequence, self.id);
            if turn.messages.copy(slot).expires_at <= turn.now {
                self.expire(slot, turn);
                expired += 1;
                if expired < MOST_EXPIRED {
                    continue;
                }
                turn.wake(self.id);
                break;
            }
            let message = turn.messages.message_of(slot);
            bytes += request.bytes_of(message.size);
            if bytes > request.max_bytes && !picked.is_empty() {
                break;
            }
            self.line.take(position, self.lane(message));
            self.unwatch_expiry(slot, turn.messages);
            picked.push(slot);
        }
        picked
    }

    fn hand_out(
        &mut self,
        picked: &[Slot<Copy>],
        request: Receive,
        lease: LeaseId,
        turn: &mut Turn<'_>,
    ) -> Vec<Delivered> {
        let length = request.lease.unwrap_or(self.settings.lease);
        let expires_at = turn.now.plus(length);
        for slot in picked {
            self.begin_delivery(*slot, turn);
            let copy = turn.messages.copy_mut(*slot);
            copy.state = State::Leased(lease);
            copy.trail_mut().lease_expires_at = expires_at;
            self.note_leased(*slot, turn.messages);
            let consumer = request.consumer.as_ref();
            turn.note(ActivityKind::Leased, *slot, Circumstances { consumer, reason: None });
        }
        let record = LeaseRecord {
            id: lease,
            queue: self.id,
            receive_id: request.receive_id,
            consumer: request.consumer,
            leased_at: turn.now,
            length,
            sequences: picked.iter().map(|slot| turn.messages.message_of(*slot).sequence).collect(),
        };
        turn.write(Change::LeasePut(record.clone()));
        self.leases.insert(record, picked.len(), expires_at);
        picked.iter().map(|slot| self.delivered(*slot, Some((lease, expires_at)), turn.messages)).collect()
    }

    fn hand_out_for_good(
        &mut self,
        picked: &[Slot<Copy>],
        request: &Receive,
        turn: &mut Turn<'_>,
    ) -> Vec<Delivered> {
        let mut deliveries = Vec::with_capacity(picked.len());
        for slot in picked {
            self.begin_delivery(*slot, turn);
            deliveries.push(self.delivered(*slot, None, turn.messages));
            let consumer = request.consumer.as_ref();
            turn.note(ActivityKind::AutoAcked, *slot, Circumstances { consumer, reason: None });
            let lane = self.lane(turn.messages.message_of(*slot));
            self.remove_live(*slot, turn);
            self.line.free_lane(lane);
        }
        self.count(|counters| counters.acked += picked.len() as u64);
        deliveries
    }

    /// Counts a delivery that begins.
    fn begin_delivery(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        let now = turn.now;
        let trail = turn.messages.copy_mut(slot).trail_mut();
        trail.delivery_count += 1;
        trail.first_delivered_at.get_or_insert(now);
        let again = u64::from(trail.delivery_count > 1);
        self.count(|counters| {
            counters.delivered += 1;
            counters.redelivered += again;
        });
    }

    /// What a lease handed out and still holds, as it was handed out.
    fn hand_out_again(&self, lease: LeaseId, messages: &Messages) -> Vec<Delivered> {
        let slots = self.held_under(lease, messages);
        let expiry = |slot| (lease, messages.copy(slot).trail().lease_expires_at);
        let again = |slot| Delivered { again: true, ..self.delivered(slot, Some(expiry(slot)), messages) };
        slots.map(again).collect()
    }

    /// The copies that a lease still holds, in the order they were handed out.
    pub(super) fn held_under<'a>(
        &'a self,
        lease: LeaseId,
        messages: &'a Messages,
    ) -> impl Iterator<Item = Slot<Copy>> + 'a {
        let find = move |sequence: &Sequence| messages.find_copy(*sequence, self.id);
        let held = move |slot: &Slot<Copy>| messages.copy(*slot).state == State::Leased(lease);
        self.leases.get(lease).sequences.iter().filter_map(find).filter(held)
    }

    fn delivered(
        &self,
        slot: Slot<Copy>,
        lease: Option<(LeaseId, Timestamp)>,
        messages: &Messages,
    ) -> Delivered {
        let message = messages.message_of(slot);
        let trail = messages.copy(slot).trail();
        let sequence = message.sequence;
        Delivered {
            sequence,
            receipt: lease.map(|(lease, _)| Receipt { queue: self.id, sequence, lease }),
            delivery_count: trail.delivery_count,
            lease_expires_at: lease.map(|(_, expires_at)| expires_at),
            published_at: message.published_at,
            first_delivered_at: trail.first_delivered_at.unwrap_or(message.published_at),
            redrive_count: trail.redrive_count,
            replayed: trail.replayed,
            again: false,
            failed_before: trail.failures > 0,
        }
    }
}
