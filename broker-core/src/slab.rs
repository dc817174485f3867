//! Numbered places for values of one kind, in chunks: growing never moves what is there, so a backlog of
//! millions causes no pause, and a place costs nothing beyond its value.

use std::{fmt, marker::PhantomData, num::NonZeroU32};

/// How many places a chunk has.
const CHUNK: usize = 1024;

/// The number of a place in a [`Slab`] of that kind. An optional one takes no more room.
pub(crate) struct Slot<T>(NonZeroU32, PhantomData<fn() -> T>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slot<T> {}

impl<T> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Slot<T> {}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.0)
    }
}

impl<T> Slot<T> {
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The places. Who holds a slot answers for it: asking for an empty place is a defect and panics.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<Slot<T>>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }

    /// Puts a value into a free place.
    pub(crate) fn insert(&mut self, value: T) -> Slot<T> {
        if let Some(slot) = self.free.pop() {
            self.chunks[slot.index() / CHUNK][slot.index() % CHUNK] = Some(value);
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let chunk = self.chunks.last_mut().expect("a chunk with room was made sure of");
        chunk.push(Some(value));
        let number = u32::try_from(before + chunk.len()).expect("memory ends before 2^32 messages");
        Slot(NonZeroU32::new(number).expect("a chunk with a value is not empty"), PhantomData)
    }

    /// Takes a value out of its place.
    pub(crate) fn remove(&mut self, slot: Slot<T>) -> T {
        let value = self.chunks[slot.index() / CHUNK][slot.index() % CHUNK].take();
        self.free.push(slot);
        value.expect("a slot is held only while its place is taken")
    }

    pub(crate) fn get(&self, slot: Slot<T>) -> &T {
        let value = self.chunks[slot.index() / CHUNK][slot.index() % CHUNK].as_ref();
        value.expect("a slot is held only while its place is taken")
    }

    pub(crate) fn get_mut(&mut self, slot: Slot<T>) -> &mut T {
        let value = self.chunks[slot.index() / CHUNK][slot.index() % CHUNK].as_mut();
        value.expect("a slot is held only while its place is taken")
    }

    /// All that is there, with its place.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot<T>> + '_ {
        let places = self.chunks.iter().flatten().zip(1_u32..);
        places.filter(|(value, _)| value.is_some()).map(|(_, number)| {
            Slot(NonZeroU32::new(number).expect("numbers of places start at 1"), PhantomData)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_place_is_taken_again_and_the_others_keep_theirs() {
        let mut slab = Slab::new();
        let slots: Vec<_> = (0..3000).map(|n| slab.insert(n)).collect();
        assert_eq!(slab.remove(slots[1500]), 1500);
        let again = slab.insert(7);
        assert_eq!((again, *slab.get(slots[2999])), (slots[1500], 2999));
        assert_eq!(slab.slots().count(), 3000);
    }

    #[test]
    fn an_optional_slot_is_as_small_as_a_slot() {
        assert_eq!(size_of::<Option<Slot<u64>>>(), 4);
    }
}
