//! Dead letters: how a message becomes one, is put back, moved to another queue, or discarded; and the
//! record of each failure on the way.

use std::sync::Arc;

use units::Timestamp;

use crate::{
    activity::ActivityKind,
    change::{Change, FailureOutcome, FailureRecord},
    command::DeadLetters,
    identity::{Selector, Sequence},
    message::{Copy, Messages, State},
    queue::{Ended, Queue},
    slab::Slot,
    turn::{Circumstances, Turn},
};

/// Why a dead letter is dropped: there are more than may be.
pub(crate) const TOO_MANY: &str = "more than max_dead_letters";
/// Why a dead letter is dropped: it is older than may be.
pub(crate) const TOO_OLD: &str = "older than dead_letter_retention";

/// A failure, and perhaps the end: how, why, and of which delivery if any.
pub(crate) struct Failure {
    pub(crate) outcome: FailureOutcome,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) ended: Option<Ended>,
}

impl Failure {
    /// A message that dies while it waits.
    pub(crate) fn without_delivery(reason: impl Into<Arc<str>>) -> Self {
        Self { outcome: FailureOutcome::DeadLettered, reason: Some(reason.into()), ended: None }
    }

    pub(crate) fn circumstances(&self) -> Circumstances<'_> {
        let consumer = self.ended.as_ref().and_then(|ended| ended.consumer.as_ref());
        Circumstances { consumer, reason: self.reason.as_ref() }
    }
}

/// The dead letters that a call means.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Oldest first.
    pub(crate) sequences: Vec<Sequence>,
    /// The places of ids that no dead letter has.
    pub(crate) not_found: Vec<usize>,
}

impl Queue {
    /// Makes a copy a dead letter that stands neither in the line nor under a lease any more.
    pub(crate) fn die(&mut self, slot: Slot<Copy>, failure: Failure, turn: &mut Turn<'_>) {
        turn.note(ActivityKind::DeadLettered, slot, failure.circumstances());
        self.record_failure(slot, failure, true, turn);
        self.count_out(slot, turn.messages);
        turn.messages.copy_mut(slot).state = State::Dead { since: turn.now };
        self.dead.insert((turn.now, turn.messages.message_of(slot).sequence));
        self.count(|counters| counters.dead_lettered += 1);
        turn.write_copy(slot);
        self.discard_one_too_many(turn);
    }

    /// Makes a dead letter of a new message, for which there is no room.
    pub(crate) fn bury(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        self.count_in(slot, turn.messages);
        self.die(slot, Failure::without_delivery("queue was full"), turn);
    }

    /// Makes a dead letter of a message that waits or is leased, whose record can't be handed out. Returns
    /// whether there was one.
    pub(crate) fn kill(&mut self, sequence: Sequence, reason: &Arc<str>, turn: &mut Turn<'_>) -> bool {
        let Some(slot) = turn.messages.find_copy(sequence, self.id) else { return false };
        match turn.messages.copy(slot).state {
            State::Waiting { .. } => {
                self.leave_line(slot, turn.messages);
                self.die(slot, Failure::without_delivery(Arc::clone(reason)), turn);
            }
            State::Leased(lease) => self.kill_leased(slot, lease, reason, turn),
            State::Dead { .. } | State::Retained => return false,
        }
        true
    }

    /// Files a failure of a copy; one that is fatal makes it a dead letter.
    pub(crate) fn record_failure(
        &mut self,
        slot: Slot<Copy>,
        failure: Failure,
        fatal: bool,
        turn: &mut Turn<'_>,
    ) {
        let now = turn.now;
        let sequence = turn.messages.message_of(slot).sequence;
        let trail = turn.messages.copy_mut(slot).trail_mut();
        trail.failures += 1;
        trail.first_failed_at.get_or_insert(now);
        trail.last_failed_at = Some(now);
        let (number, delivery_count) = (trail.failures, trail.delivery_count);
        let (delivered_at, consumer) =
            failure.ended.map_or((None, None), |ended| (Some(ended.leased_at), ended.consumer));
        turn.write(Change::FailurePut(FailureRecord {
            sequence,
            queue: self.id,
            failed_in: self.id,
            number,
            delivery_count,
            delivered_at,
            ended_at: now,
            consumer,
            outcome: failure.outcome,
            fatal,
            reason: failure.reason,
        }));
    }

    /// The dead letters that are meant, oldest first.
    pub(crate) fn choose_dead(&self, which: &DeadLetters, messages: &Messages) -> Chosen {
        match which {
            DeadLetters::All => {
                let sequences = self.dead.iter().map(|(_, sequence)| *sequence).collect();
                Chosen { sequences, not_found: Vec::new() }
            }
            DeadLetters::Oldest { most, last } => {
                let oldest = self.dead.range(..=last).take(*most);
                Chosen { sequences: oldest.map(|(_, sequence)| *sequence).collect(), not_found: Vec::new() }
            }
            DeadLetters::Ids(selectors) => self.choose_by_id(selectors, messages),
            DeadLetters::Sequences(sequences) => {
                let is_dead = |sequence: &&Sequence| self.is_dead(**sequence, messages);
                let sequences = sequences.iter().filter(is_dead).copied().collect();
                Chosen { sequences, not_found: Vec::new() }
            }
        }
    }

    /// Whether that message is a dead letter of this queue.
    pub(crate) fn is_dead(&self, sequence: Sequence, messages: &Messages) -> bool {
        let copy = messages.find_copy(sequence, self.id);
        copy.is_some_and(|slot| matches!(messages.copy(slot).state, State::Dead { .. }))
    }

    fn choose_by_id(&self, selectors: &[Selector], messages: &Messages) -> Chosen {
        let mut found = Vec::new();
        let mut not_found = Vec::new();
        for (place, selector) in selectors.iter().enumerate() {
            let before = found.len();
            found.extend(messages.select(*selector).filter_map(|message| {
                let sequence = messages.message(message).sequence;
                let dead = self.dead_letter(sequence, messages)?;
                Some((dead.since, sequence))
            }));
            if found.len() == before {
                not_found.push(place);
            }
        }
        found.sort_unstable();
        found.dedup();
        Chosen { sequences: found.into_iter().map(|(_, sequence)| sequence).collect(), not_found }
    }

    /// Lets go of a dead letter that is redriven, here or to another queue.
    pub(crate) fn release_dead(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        self.forget_dead(slot, turn.messages);
        self.count(|counters| counters.redriven_out += 1);
        turn.note_plainly(ActivityKind::Redriven, slot);
    }

    /// Takes in a dead letter that was let go of: it waits in its place, and where it died before its delay was
    /// over, until then. Its deliveries count from 0, its TTL starts again.
    pub(crate) fn take_redriven(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        let copy = turn.messages.copy_mut(slot);
        let (ttl, available_at) = (copy.ttl(), copy.position_at.max(turn.now));
        copy.state = State::Waiting { available_at };
        copy.expires_at = ttl.map_or(Timestamp::MAX, |ttl| available_at.plus(ttl));
        let trail = copy.trail_mut();
        trail.delivery_count = 0;
        trail.redrive_count += 1;
        trail.restarted_ttl = ttl;
        self.count(|counters| counters.redriven_in += 1);
        self.admit(slot, turn);
        turn.write_copy(slot);
    }

    /// Takes in a dead letter that another queue let go of, with its history.
    pub(crate) fn take_moved(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        let sequence = turn.messages.message_of(slot).sequence;
        let copy = turn.messages.copy_mut(slot);
        let from = std::mem::replace(&mut copy.queue, self.id);
        let ttl = self.capped_ttl(copy.ttl());
        let trail = copy.trail_mut();
        trail.restarted_ttl = ttl;
        // A lease given here before may name it still: from an earlier copy of this message.
        trail.ended_lease = Some(turn.latest_lease);
        trail.ended_by_nack = false;
        turn.note_plainly(ActivityKind::Copied, slot);
        turn.write(Change::FailuresMoved { sequence, from, to: self.id });
        turn.write(Change::CopyGone(sequence, from));
        self.take_redriven(slot, turn);
    }

    /// Removes a dead letter for good; without a reason it was done by hand.
    pub(crate) fn discard(&mut self, slot: Slot<Copy>, reason: Option<&str>, turn: &mut Turn<'_>) {
        self.forget_dead(slot, turn.messages);
        self.count(|counters| counters.discarded += 1);
        let reason: Option<Arc<str>> = reason.map(Arc::from);
        turn.note(ActivityKind::Discarded, slot, Circumstances { consumer: None, reason: reason.as_ref() });
        let change = turn.messages.remove_copy(slot);
        turn.write(change);
    }

    /// Discards the oldest dead letter when there is one too many; the rest is left to the next tick.
    fn discard_one_too_many(&mut self, turn: &mut Turn<'_>) {
        if self.dead.len() as u64 > self.settings.max_dead_letters
            && let Some((_, oldest)) = self.dead.first().copied()
        {
            self.discard(turn.messages.copy_in(oldest, self.id), Some(TOO_MANY), turn);
        }
    }

    fn forget_dead(&mut self, slot: Slot<Copy>, messages: &Messages) {
        let State::Dead { since } = messages.copy(slot).state else {
            unreachable!("only dead letters are redriven or discarded");
        };
        self.dead.remove(&(since, messages.message_of(slot).sequence));
    }
}
