//! What a receive must hand out.

use std::sync::Arc;

use broker_core::{
    command::Receive,
    identity::{LeaseId, Receipt},
    reply::{Delivered, Refusal, Reply},
};
use units::Timestamp;

use super::queue::{Lease, Queue, State};

impl Queue {
    pub(super) fn receive(
        &mut self,
        request: &Receive,
        next_lease: &mut u64,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        if let Some(lease) = request.receive_id.as_deref().and_then(|id| self.open_lease_of(id)) {
            let again = self.held_under(lease).into_iter().map(|it| Delivered { again: true, ..it });
            return Ok(Reply::Delivered(again.collect()));
        }
        let lease = LeaseId(*next_lease);
        let until = now.plus(request.lease.unwrap_or(self.settings.lease));
        let mut picked = Vec::new();
        let mut bytes = 0;
        while picked.len() < request.max
            && let Some(place) = self.first_ready()
        {
            if self.copies[place].expires_at.is_some_and(|at| at <= now) {
                self.expire(place, now);
                continue;
            }
            let copy = &mut self.copies[place];
            bytes += u64::from(copy.message.size + request.bytes_beside);
            if bytes > request.max_bytes && !picked.is_empty() {
                break;
            }
            copy.state = State::Leased { lease, until };
            copy.delivery_count += 1;
            copy.first_delivered_at.get_or_insert(now);
            self.counters.delivered += 1;
            self.counters.redelivered += u64::from(copy.delivery_count > 1);
            picked.push(copy.message.sequence);
        }
        if picked.is_empty() {
            return Ok(Reply::Delivered(Vec::new()));
        }
        if request.auto_ack {
            let mut deliveries = Vec::new();
            for sequence in &picked {
                let place = self.find(*sequence).expect("it was just picked");
                deliveries.push(self.delivered(place, None));
                self.copies.remove(place);
            }
            self.counters.acked += deliveries.len() as u64;
            return Ok(Reply::Delivered(deliveries));
        }
        *next_lease += 1;
        self.leases.insert(
            lease,
            Lease {
                receive_id: request.receive_id.clone(),
                consumer: request.consumer.clone(),
                leased_at: now,
                length: request.lease.unwrap_or(self.settings.lease),
                sequences: picked,
            },
        );
        Ok(Reply::Delivered(self.held_under(lease)))
    }

    fn open_lease_of(&self, receive_id: &str) -> Option<LeaseId> {
        let named = |lease: &Lease| lease.receive_id.as_deref().is_some_and(|id| id == receive_id);
        self.leases.iter().find(|(_, lease)| named(lease)).map(|(id, _)| *id)
    }

    /// What a lease still holds, in the order in which it was handed out.
    fn held_under(&self, id: LeaseId) -> Vec<Delivered> {
        let places = self.leases[&id].sequences.iter().filter_map(|sequence| self.find(*sequence));
        let held = places.filter_map(|place| match self.copies[place].state {
            State::Leased { lease, until } if lease == id => Some((place, until)),
            _ => None,
        });
        held.map(|(place, until)| self.delivered(place, Some((id, until)))).collect()
    }

    fn delivered(&self, place: usize, lease: Option<(LeaseId, Timestamp)>) -> Delivered {
        let copy = &self.copies[place];
        let message: &Arc<_> = &copy.message;
        let sequence = message.sequence;
        Delivered {
            sequence,
            receipt: lease.map(|(lease, _)| Receipt { queue: self.id, sequence, lease }),
            delivery_count: copy.delivery_count,
            lease_expires_at: lease.map(|(_, until)| until),
            published_at: message.published_at,
            first_delivered_at: copy.first_delivered_at.unwrap_or(message.published_at),
            redrive_count: copy.redrive_count,
            replayed: copy.replayed,
            again: false,
            failed_before: copy.failures > 0,
        }
    }
}
