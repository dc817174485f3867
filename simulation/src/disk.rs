//! A simulated disk under SQLite: files in memory with a page cache before them. What was written and not
//! synced may be there after a power failure or not, each sector for itself; writes and syncs fail when a
//! fuse says so; the disk can be full. [`vfs`] hands it to SQLite.
//!
//! Each thread has a disk of its own: a simulated broker runs on one thread.

mod file;
mod locks;
pub mod vfs;

use std::{cell::RefCell, collections::BTreeMap, io, path::Path};

use broker::store::sqlite::FileSystem;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

use self::file::File;
use crate::operation::ALL_BUT_THE_SYNC;

/// A page of SQLite's, in bytes.
pub const PAGE: u64 = 4096;

thread_local! {
    static DISK: RefCell<Disk> = RefCell::new(Disk::default());
}

/// The disk as the store's file system.
pub const FILES: FileSystem = FileSystem { vfs: Some(vfs::NAME), make: |_| Ok(()), write_again };

/// What a fuse does when it blows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// The power fails: nothing gets to the disk any more.
    PowerFails,
    /// One write finds no room.
    Full,
    /// One write or sync fails.
    Fails,
}

/// Which syncs only say that they were done; for planted bugs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skipped {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those of the database itself, not of its log.
    Database,
}

/// Why the disk did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Full,
    Io,
}

/// The disk of this thread.
#[derive(Debug)]
pub(crate) struct Disk {
    files: BTreeMap<String, File>,
    /// Grows with each death of the broker: older handles are dead.
    generation: u32,
    /// How many bytes it holds at the most.
    limit: Option<u64>,
    /// How many writes and syncs are done before something blows.
    fuse: Option<(u32, Blow)>,
    /// What happens at the next sync.
    at_sync: Option<Blow>,
    /// How many reads are done before one fails.
    reads: Option<u32>,
    /// The power has failed.
    dark: bool,
    skipped: Skipped,
    /// What SQLite draws its random numbers from.
    random: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            generation: 0,
            limit: None,
            fuse: None,
            at_sync: None,
            reads: None,
            dark: false,
            skipped: Skipped::None,
            random: 1,
        }
    }
}

impl Disk {
    /// One more write or sync.
    fn spend(&mut self) -> Result<(), Trouble> {
        if self.dark {
            return Err(Trouble::Io);
        }
        match &mut self.fuse {
            None => Ok(()),
            Some((0, blow)) => {
                let blow = *blow;
                self.fuse = None;
                self.dark = blow == Blow::PowerFails;
                Err(if blow == Blow::Full { Trouble::Full } else { Trouble::Io })
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    /// One more read.
    fn spend_read(&mut self) -> Result<(), Trouble> {
        match &mut self.reads {
            _ if self.dark => Err(Trouble::Io),
            None => Ok(()),
            Some(0) => {
                self.reads = None;
                Err(Trouble::Io)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn used(&self) -> u64 {
        self.files.values().map(File::len).sum()
    }

    /// How many bytes there is still room for.
    fn room(&self) -> u64 {
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.used()))
    }

    fn next_random(&mut self) -> u8 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 56) as u8
    }

    fn restart(&mut self) {
        self.generation += 1;
        self.fuse = None;
        self.at_sync = None;
        self.reads = None;
        self.dark = false;
        self.files.values_mut().for_each(File::let_go);
    }
}

/// A new, empty disk.
pub fn format(skipped: Skipped) {
    DISK.with_borrow_mut(|disk| {
        let generation = disk.generation + 1;
        *disk = Disk { generation, skipped, ..Disk::default() };
    });
}

/// After so many more writes and syncs, this happens; or at the next sync, where the number says so.
pub fn light_fuse(after: u8, blow: Blow) {
    DISK.with_borrow_mut(|disk| match after {
        ALL_BUT_THE_SYNC.. => disk.at_sync = Some(blow),
        _ => disk.fuse = Some((after.into(), blow)),
    });
}

/// After so many more reads, one fails.
pub fn fail_read(after: u8) {
    DISK.with_borrow_mut(|disk| disk.reads = Some(after.into()));
}

/// Nothing more is to happen. Tells whether it did not happen yet.
pub fn cut_fuse() -> bool {
    DISK.with_borrow_mut(|disk| {
        disk.reads = None;
        disk.fuse.take().or(disk.at_sync.take().map(|blow| (0, blow))).is_some()
    })
}

/// Lets the disk grow by so many pages at the most; `None` lifts the limit.
pub fn limit(pages: Option<u8>) {
    DISK.with_borrow_mut(|disk| disk.limit = pages.map(|pages| disk.used() + u64::from(pages) * PAGE));
}

/// How many bytes there is still room for.
#[must_use]
pub fn room() -> u64 {
    DISK.with_borrow(Disk::room)
}

fn write_again(path: &Path) -> io::Result<()> {
    DISK.with_borrow_mut(|disk| {
        let path = path.to_string_lossy();
        if !disk.has(&path) {
            return Ok(());
        }
        let failed = |_| io::Error::other("the simulated disk failed");
        disk.write_again(&path).map_err(failed)
    })
}

/// The broker's process ended; the machine did not.
pub fn process_ends() {
    DISK.with_borrow_mut(Disk::restart);
}

/// The machine lost its power and has it again: of what was not synced any part is there.
pub fn power_cycle(dice: u32) {
    DISK.with_borrow_mut(|disk| {
        let mut random = SmallRng::seed_from_u64(dice.into());
        let chance = [0.0, 0.5, 0.9, 1.0][random.random_range(0..4)];
        disk.files.retain(|_, file| file.lose_power(&mut random, chance));
        disk.restart();
    });
}
