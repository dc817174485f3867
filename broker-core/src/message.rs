//! The index of all stored messages and of their copies in queues: small, of fixed size, without bodies.
//! What a copy's states mean for its queue is the queue's business.

mod copy;

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    num::NonZeroU64,
};

use units::Timestamp;

pub(crate) use self::copy::{Copy, State};
use crate::{
    change::{Change, CopyRecord},
    identity::{Identity, QueueId, Selector, Sequence},
    number_map::NumberMap,
    slab::{Slab, Slot},
    view::Position,
};

/// What order is kept by: a digest of the partition key. Should two keys ever share one, they merely wait
/// for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LaneKey(NonZeroU64);

impl LaneKey {
    /// The one lane of a whole queue.
    pub(crate) const WHOLE: Self = Self(NonZeroU64::MIN);

    pub(crate) fn of(key: &str) -> Self {
        let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        Self(NonZeroU64::new(digest).unwrap_or(NonZeroU64::MIN))
    }
}

/// A stored message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) sequence: Sequence,
    pub(crate) published_at: Timestamp,
    pub(crate) lane: Option<LaneKey>,
    pub(crate) size: u32,
    /// The first of the chain of its copies; none only while it is made or restored.
    first_copy: Option<Slot<Copy>>,
    /// The halves of [`Identity::whole`]: 128 bits in one piece would be padded.
    whole: [u64; 2],
    id: u64,
    has_records: bool,
}

impl Message {
    pub(crate) fn new(
        sequence: Sequence,
        identity: Identity,
        lane: Option<LaneKey>,
        size: u32,
        published_at: Timestamp,
    ) -> Self {
        let whole = [(identity.whole >> 64) as u64, identity.whole as u64];
        let id = identity.id;
        Self { sequence, published_at, lane, size, first_copy: None, whole, id, has_records: false }
    }

    pub(crate) fn identity(&self) -> Identity {
        let [high, low] = self.whole;
        Identity { whole: u128::from(high) << 64 | u128::from(low), id: self.id }
    }
}

/// All messages and copies.
#[derive(Debug)]
pub(crate) struct Messages {
    messages: Slab<Message>,
    copies: Slab<Copy>,
    by_sequence: NumberMap<Sequence, Slot<Message>>,
    by_id: BTreeSet<(u64, Sequence)>,
}

impl Messages {
    pub(crate) fn new() -> Self {
        Self {
            messages: Slab::new(),
            copies: Slab::new(),
            by_sequence: NumberMap::default(),
            by_id: BTreeSet::new(),
        }
    }

    /// Stores a message; it has no copies yet.
    pub(crate) fn insert(&mut self, message: Message) -> Slot<Message> {
        let (id, sequence) = (message.id, message.sequence);
        let slot = self.messages.insert(message);
        self.by_sequence.insert(sequence, slot);
        self.by_id.insert((id, sequence));
        slot
    }

    /// Gives a message a copy in a queue that has none of it.
    pub(crate) fn add_copy(
        &mut self,
        message: Slot<Message>,
        queue: QueueId,
        position_at: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Slot<Copy> {
        let owner = self.messages.get_mut(message);
        let copy = Copy {
            message,
            queue,
            next: owner.first_copy,
            position_at,
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
            state: State::Waiting { available_at: position_at },
            trail: None,
        };
        let slot = self.copies.insert(copy);
        owner.first_copy = Some(slot);
        slot
    }

    pub(crate) fn copy(&self, slot: Slot<Copy>) -> &Copy {
        self.copies.get(slot)
    }

    pub(crate) fn copy_mut(&mut self, slot: Slot<Copy>) -> &mut Copy {
        self.copies.get_mut(slot)
    }

    pub(crate) fn message(&self, slot: Slot<Message>) -> &Message {
        self.messages.get(slot)
    }

    pub(crate) fn message_of(&self, slot: Slot<Copy>) -> &Message {
        self.messages.get(self.copies.get(slot).message)
    }

    pub(crate) fn position(&self, slot: Slot<Copy>) -> Position {
        Position { at: self.copies.get(slot).position_at, sequence: self.message_of(slot).sequence }
    }

    /// What a stored message counts against limits.
    pub(crate) fn size_of(&self, sequence: Sequence) -> u32 {
        self.find(sequence).map_or(0, |slot| self.messages.get(slot).size)
    }

    pub(crate) fn find(&self, sequence: Sequence) -> Option<Slot<Message>> {
        self.by_sequence.get(&sequence).copied()
    }

    pub(crate) fn find_copy(&self, sequence: Sequence, queue: QueueId) -> Option<Slot<Copy>> {
        self.copies_of(self.find(sequence)?).find(|slot| self.copies.get(*slot).queue == queue)
    }

    /// The copy that a queue's own index says is there.
    pub(crate) fn copy_in(&self, sequence: Sequence, queue: QueueId) -> Slot<Copy> {
        self.find_copy(sequence, queue).expect("a queue's indexes name only copies that it holds")
    }

    pub(crate) fn copies_of(&self, message: Slot<Message>) -> impl Iterator<Item = Slot<Copy>> + '_ {
        let first = self.messages.get(message).first_copy;
        std::iter::successors(first, |slot| self.copies.get(*slot).next)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Slot<Message>> + '_ {
        self.messages.slots()
    }

    /// The messages that a selector means, newest first.
    pub(crate) fn select(&self, selector: Selector) -> impl Iterator<Item = Slot<Message>> + '_ {
        let range = (selector.id, Sequence(0))..=(selector.id, Sequence(u64::MAX));
        let slots = self.by_id.range(range).rev().filter_map(|(_, sequence)| self.find(*sequence));
        slots.filter(move |slot| selector.matches(&self.messages.get(*slot).identity()))
    }

    /// The record of a copy that is not leased, to be written now.
    pub(crate) fn record(&mut self, slot: Slot<Copy>) -> CopyRecord {
        let copy = self.copies.get(slot);
        let message = self.messages.get_mut(copy.message);
        message.has_records = true;
        copy.record(message.sequence)
    }

    /// Takes a copy away, and the message with its last one. Returns what is to be written.
    pub(crate) fn remove_copy(&mut self, slot: Slot<Copy>) -> Change {
        let copy = self.copies.get(slot);
        let (owner, queue, next) = (copy.message, copy.queue, copy.next);
        self.unlink(owner, slot, next);
        self.copies.remove(slot);
        let message = self.messages.get_mut(owner);
        if message.first_copy.is_some() {
            message.has_records = true;
            return Change::CopyGone(message.sequence, queue);
        }
        self.remove_message(owner)
    }

    /// Takes a message away that has no copies.
    pub(crate) fn remove_message(&mut self, slot: Slot<Message>) -> Change {
        let Message { sequence, id, has_records, .. } = self.messages.remove(slot);
        self.by_sequence.remove(&sequence);
        self.by_id.remove(&(id, sequence));
        Change::MessageGone { sequence, has_records }
    }

    fn unlink(&mut self, owner: Slot<Message>, slot: Slot<Copy>, next: Option<Slot<Copy>>) {
        let message = self.messages.get_mut(owner);
        if message.first_copy == Some(slot) {
            message.first_copy = next;
            return;
        }
        let before = self.copies_of(owner).find(|other| self.copies.get(*other).next == Some(slot));
        let before = before.expect("a copy stands in the chain of its message");
        self.copies.get_mut(before).next = next;
    }

    /// Takes over what the store kept of a copy; `false` when its message is unknown.
    pub(crate) fn restore_copy(&mut self, record: &CopyRecord) -> bool {
        let Some(message) = self.find(record.sequence) else { return false };
        self.messages.get_mut(message).has_records = true;
        let found = self.find_copy(record.sequence, record.queue);
        let slot = found.unwrap_or_else(|| self.add_copy(message, record.queue, record.position_at, None));
        self.copies.get_mut(slot).restore(record);
        true
    }

    /// Takes away a copy that the store says is gone; its message may be left without one for now.
    pub(crate) fn restore_gone(&mut self, sequence: Sequence, queue: QueueId) {
        let Some(message) = self.find(sequence) else { return };
        self.messages.get_mut(message).has_records = true;
        if let Some(slot) = self.find_copy(sequence, queue) {
            let next = self.copies.get(slot).next;
            self.unlink(message, slot, next);
            self.copies.remove(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sequence: u64, id: u64) -> Message {
        let identity = Identity { whole: u128::from(id) << 70 | 1, id };
        Message::new(Sequence(sequence), identity, None, 10, Timestamp::from_millis(1))
    }

    fn stored(messages: &mut Messages, sequence: u64, queues: &[u32]) -> Vec<Slot<Copy>> {
        let slot = messages.insert(message(sequence, sequence));
        queues.iter().map(|q| messages.add_copy(slot, QueueId(*q), Timestamp::from_millis(1), None)).collect()
    }

    #[test]
    fn a_message_goes_with_its_last_copy() {
        let mut messages = Messages::new();
        let copies = stored(&mut messages, 5, &[1, 2, 3]);
        assert!(matches!(messages.remove_copy(copies[1]), Change::CopyGone(Sequence(5), QueueId(2))));
        assert!(matches!(messages.remove_copy(copies[0]), Change::CopyGone(Sequence(5), QueueId(1))));
        let last = messages.remove_copy(copies[2]);
        assert!(matches!(last, Change::MessageGone { sequence: Sequence(5), has_records: true }));
        assert!(messages.find(Sequence(5)).is_none());
    }

    #[test]
    fn a_message_of_one_queue_that_nothing_happened_to_leaves_no_records() {
        let mut messages = Messages::new();
        let copies = stored(&mut messages, 5, &[1]);
        let gone = messages.remove_copy(copies[0]);
        assert!(matches!(gone, Change::MessageGone { has_records: false, .. }));
    }

    #[test]
    fn an_id_finds_all_its_messages_newest_first_and_a_source_narrows_it() {
        let mut messages = Messages::new();
        for sequence in 1..=3 {
            messages.insert(message(sequence, 7));
        }
        let found = |whole| {
            let slots = messages.select(Selector { id: 7, whole });
            slots.map(|slot| messages.message(slot).sequence.0).collect::<Vec<_>>()
        };
        assert_eq!(found(None), [3, 2, 1]);
        assert!(found(Some(9)).is_empty());
        assert_eq!(found(Some(7 << 70 | 1)), [3, 2, 1]);
    }

    #[test]
    fn a_message_and_its_copy_are_small() {
        assert!(size_of::<Option<Message>>() <= 64, "{}", size_of::<Option<Message>>());
        assert!(size_of::<Option<Copy>>() <= 56, "{}", size_of::<Option<Copy>>());
    }
}
