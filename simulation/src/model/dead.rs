//! Dead letters: how a copy becomes one, is redriven, moved, or discarded.

use std::sync::Arc;

use broker_core::{
    change::{FailureOutcome, FailureRecord},
    command::DeadLetters,
    identity::{LeaseId, Name, Sequence},
    reply::{Redriven, Refusal, Reply},
    settings::OnExpiry,
};
use units::Timestamp;

use super::{
    Model,
    queue::{Copy, Queue, State, shorter, waits},
    settling::Failed,
};

/// How many failures of a copy are kept.
const KEPT_FAILURES: usize = 50;

/// What became of a dead letter whose turn it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turnout {
    Redriven,
    Gone,
    /// The target holds it already.
    Held,
    /// It can never fit there.
    TooLarge,
    Full,
}

impl Queue {
    pub(super) fn note_failure(
        &mut self,
        place: usize,
        failed: Failed,
        lease: Option<LeaseId>,
        fatal: bool,
        now: Timestamp,
    ) {
        let delivery = lease.map(|lease| &self.leases[&lease]);
        let copy = &mut self.copies[place];
        copy.failures += 1;
        copy.first_failed_at.get_or_insert(now);
        copy.last_failed_at = Some(now);
        copy.history.push(Arc::new(FailureRecord {
            sequence: copy.message.sequence,
            queue: self.id,
            failed_in: self.id,
            number: copy.failures,
            delivery_count: copy.delivery_count,
            delivered_at: delivery.map(|lease| lease.leased_at),
            ended_at: now,
            consumer: delivery.and_then(|lease| lease.consumer.clone()),
            outcome: failed.outcome,
            fatal,
            reason: failed.reason,
        }));
        if copy.history.len() > KEPT_FAILURES {
            copy.history.remove(0);
        }
    }

    pub(super) fn die(&mut self, place: usize, failed: Failed, lease: Option<LeaseId>, now: Timestamp) {
        self.note_failure(place, failed, lease, true, now);
        self.copies[place].state = State::Dead { since: now };
        self.counters.dead_lettered += 1;
        self.discard_one_too_many();
    }

    /// What can't be handed out any more dies, from under its lease too.
    pub(super) fn lose(&mut self, sequences: &[Sequence], reason: &Arc<str>, now: Timestamp) -> u64 {
        let mut lost = 0;
        for sequence in sequences {
            let Some(place) = self.find(*sequence) else { continue };
            let lease = match self.copies[place].state {
                State::Dead { .. } => continue,
                State::Waiting { .. } => None,
                State::Leased { lease, .. } => Some(lease),
            };
            if let Some(lease) = lease {
                self.copies[place].ended = Some((lease, false));
            }
            let reason = Some(Arc::clone(reason));
            self.die(place, Failed { outcome: FailureOutcome::DeadLettered, reason }, lease, now);
            lost += 1;
        }
        self.close_leases();
        lost
    }

    /// Dies without having been handed out.
    pub(super) fn die_waiting(&mut self, place: usize, reason: &str, now: Timestamp) {
        let failed = Failed { outcome: FailureOutcome::DeadLettered, reason: Some(Arc::from(reason)) };
        self.die(place, failed, None, now);
    }

    /// A waiting copy's TTL passed.
    pub(super) fn expire(&mut self, place: usize, now: Timestamp) {
        match self.settings.on_expiry {
            OnExpiry::Drop => {
                self.copies.remove(place);
                self.counters.expired += 1;
            }
            OnExpiry::DeadLetter => self.die_waiting(place, "expired", now),
        }
    }

    fn discard_one_too_many(&mut self) {
        let oldest = self.dead().first().copied();
        if self.dead().len() as u64 > self.settings.max_dead_letters
            && let Some((_, sequence)) = oldest
        {
            self.discard_one(sequence);
        }
    }

    pub(super) fn discard_one(&mut self, sequence: Sequence) {
        let place = self.find(sequence).expect("what is discarded is there");
        self.copies.remove(place);
        self.counters.discarded += 1;
    }

    /// The dead letters, oldest first.
    pub(crate) fn dead(&self) -> Vec<(Timestamp, Sequence)> {
        let dead = self.copies.iter().filter_map(|copy| match copy.state {
            State::Dead { since } => Some((since, copy.message.sequence)),
            _ => None,
        });
        let mut dead: Vec<_> = dead.collect();
        dead.sort_unstable();
        dead
    }

    /// The dead letters that a call means, in their order, and the places of ids that none has.
    pub(super) fn meant(&self, which: &DeadLetters) -> (Vec<Sequence>, Vec<usize>) {
        let dead = self.dead();
        let has_id = |sequence: Sequence, id: u64| {
            self.find(sequence).is_some_and(|place| self.copies[place].message.identity.id == id)
        };
        match which {
            DeadLetters::All => (dead.into_iter().map(|(_, sequence)| sequence).collect(), Vec::new()),
            DeadLetters::Ids(selectors) => {
                let sequences = dead.iter().map(|(_, sequence)| *sequence);
                let meant = sequences.filter(|it| selectors.iter().any(|selector| has_id(*it, selector.id)));
                let missing = selectors
                    .iter()
                    .enumerate()
                    .filter(|(_, selector)| !dead.iter().any(|(_, sequence)| has_id(*sequence, selector.id)));
                (meant.collect(), missing.map(|(place, _)| place).collect())
            }
            DeadLetters::Oldest { most, last } => {
                let oldest = dead.iter().filter(|place| *place <= last).take(*most);
                (oldest.map(|(_, sequence)| *sequence).collect(), Vec::new())
            }
            DeadLetters::Sequences(sequences) => {
                let is_dead = |it: &&Sequence| dead.iter().any(|(_, sequence)| sequence == *it);
                (sequences.iter().filter(is_dead).copied().collect(), Vec::new())
            }
        }
    }

    pub(super) fn discard(&mut self, which: &DeadLetters) -> Result<Reply, Refusal> {
        let (sequences, _) = self.meant(which);
        if sequences.is_empty() && matches!(which, DeadLetters::Ids(_)) {
            return Err(Refusal::DeadLetterNotFound);
        }
        sequences.iter().for_each(|sequence| self.discard_one(*sequence));
        Ok(Reply::Removed { count: sequences.len() as u64 })
    }

    fn take_redriven(&mut self, copy: Copy, now: Timestamp) {
        let available_at = copy.position_at.max(now);
        self.counters.redriven_in += 1;
        self.insert(Copy {
            expires_at: copy.ttl.map(|ttl| available_at.plus(ttl)),
            state: waits(available_at, copy.position_at, now),
            delivery_count: 0,
            redrive_count: copy.redrive_count + 1,
            ..copy
        });
    }
}

impl Model {
    pub(super) fn redrive(
        &mut self,
        name: &Name,
        which: &DeadLetters,
        to: Option<&Name>,
        limit: Option<u64>,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let to = to.unwrap_or(name);
        let there = |name: &Name| self.queues.get(name).ok_or_else(|| Refusal::QueueNotFound(name.clone()));
        let (sequences, not_found) = there(name)?.meant(which);
        there(to)?;
        let mut redriven = Redriven { not_found, ..Redriven::default() };
        for sequence in sequences {
            if limit.is_some_and(|limit| redriven.sequences.len() as u64 >= limit) {
                break;
            }
            match self.redrive_one(sequence, name, to, now) {
                Turnout::Redriven => redriven.sequences.push(sequence),
                Turnout::Gone => {}
                Turnout::Held => redriven.held.push(sequence),
                Turnout::TooLarge => redriven.too_large.push(sequence),
                Turnout::Full => {
                    redriven.stopped_full = true;
                    break;
                }
            }
        }
        Ok(Reply::Redriven(Box::new(redriven)))
    }

    pub(super) fn redrive_one(
        &mut self,
        sequence: Sequence,
        from: &Name,
        to: &Name,
        now: Timestamp,
    ) -> Turnout {
        let moves = from != to;
        let place =
            self.queues[from].find(sequence).filter(|place| self.queues[from].copies[*place].is_dead());
        let Some(place) = place else { return Turnout::Gone };
        if moves && self.queues[to].holds(sequence) {
            return Turnout::Held;
        }
        let size = u64::from(self.queues[from].copies[place].message.size);
        if size > self.queues[to].settings.max_bytes.get() {
            return Turnout::TooLarge;
        }
        if !self.queues[to].has_room(1, size, |_| true) {
            return Turnout::Full;
        }
        let latest = self.latest_lease();
        let source = self.queues.get_mut(from).expect("it was just looked at");
        let mut copy = source.copies.remove(place);
        source.counters.redriven_out += 1;
        let target = self.queues.get_mut(to).expect("it was just looked at");
        if moves {
            copy.ttl = shorter(copy.ttl, target.settings.ttl);
            copy.ended = Some((latest, false));
            let moved =
                |it: &Arc<FailureRecord>| Arc::new(FailureRecord { queue: target.id, ..(**it).clone() });
            copy.history = copy.history.iter().map(moved).collect();
        }
        target.take_redriven(copy, now);
        Turnout::Redriven
    }
}
