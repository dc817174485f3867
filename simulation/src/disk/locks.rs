//! Who holds a file: SQLite's locks on the database, and those on the index of its log.

use std::{cell::Cell, rc::Rc};

/// The levels of a lock on the database, as SQLite numbers them.
const SHARED: i32 = 1;
const RESERVED: i32 = 2;
const PENDING: i32 = 3;
const EXCLUSIVE: i32 = 4;

/// How many locks the index has.
const SLOTS: usize = 8;

/// A part of the index, shared by the connections of one process.
pub(super) type Region = Rc<[Cell<u64>]>;

/// The holders of one file, by the numbers of their handles.
#[derive(Debug, Default)]
pub(super) struct Locks {
    levels: Vec<(u64, i32)>,
    slots: [Slot; SLOTS],
    pub(super) regions: Vec<Region>,
}

/// Who holds one lock of the index.
#[derive(Clone, Debug, Default)]
struct Slot {
    shared: Vec<u64>,
    exclusive: Option<u64>,
}

impl Locks {
    /// Raises a handle's lock; `false` when others stand against it.
    pub(super) fn lock(&mut self, who: u64, level: i32) -> bool {
        let others = self.levels.iter().filter(|(other, _)| *other != who).map(|(_, level)| *level);
        let highest = others.max().unwrap_or_default();
        let free = match level {
            SHARED => highest < PENDING,
            RESERVED => highest < RESERVED,
            _ => highest < SHARED,
        };
        if free && self.level(who) < level {
            self.set(who, level.min(EXCLUSIVE));
        }
        free
    }

    /// Lowers it.
    pub(super) fn unlock(&mut self, who: u64, level: i32) {
        if self.level(who) > level {
            self.set(who, level);
        }
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.levels.iter().any(|(_, level)| *level >= RESERVED)
    }

    fn level(&self, who: u64) -> i32 {
        self.levels.iter().find(|(other, _)| *other == who).map_or(0, |(_, level)| *level)
    }

    fn set(&mut self, who: u64, level: i32) {
        self.levels.retain(|(other, _)| *other != who);
        if level > 0 {
            self.levels.push((who, level));
        }
    }

    /// Takes locks of the index, all or none; `false` when others stand against it.
    pub(super) fn take(&mut self, who: u64, first: usize, count: usize, exclusively: bool) -> bool {
        let slots = &mut self.slots[first..first + count];
        let free = slots.iter().all(|slot| {
            let no_other = |held: Option<u64>| held.is_none_or(|other| other == who);
            no_other(slot.exclusive) && (!exclusively || slot.shared.iter().all(|other| *other == who))
        });
        if free {
            for slot in slots {
                if exclusively {
                    slot.exclusive = Some(who);
                } else if !slot.shared.contains(&who) {
                    slot.shared.push(who);
                }
            }
        }
        free
    }

    /// Gives them back.
    pub(super) fn give(&mut self, who: u64, first: usize, count: usize) {
        for slot in &mut self.slots[first..first + count] {
            slot.shared.retain(|other| *other != who);
            slot.exclusive = slot.exclusive.filter(|other| *other != who);
        }
    }

    /// A handle is closed.
    pub(super) fn forget(&mut self, who: u64) {
        self.set(who, 0);
        self.give(who, 0, SLOTS);
    }
}
