//! One file: what is on the disk, what the cache shows, and which sectors differ.

use rand::{RngExt as _, rngs::SmallRng};

use super::{Disk, Skipped, Trouble, locks::Locks};

/// What is written whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A file.
#[derive(Debug, Default)]
pub(super) struct File {
    durable: Vec<u8>,
    cached: Vec<u8>,
    /// The sectors that were written since the last sync.
    dirty: Vec<bool>,
    /// Whether it is on the disk at all.
    is_durable: bool,
    pub(super) locks: Locks,
}

impl File {
    pub(super) fn len(&self) -> u64 {
        self.cached.len() as u64
    }

    pub(super) fn read(&self, offset: usize, into: &mut [u8]) -> usize {
        let there = self.cached.get(offset..).unwrap_or_default();
        let count = there.len().min(into.len());
        into[..count].copy_from_slice(&there[..count]);
        count
    }

    fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if end > self.cached.len() {
            let first = self.cached.len() / SECTOR;
            self.cached.resize(end, 0);
            self.dirty.resize(end.div_ceil(SECTOR), false);
            self.dirty[first..].fill(true);
        }
        self.cached[offset..end].copy_from_slice(data);
        self.dirty[offset / SECTOR..end.div_ceil(SECTOR)].fill(true);
    }

    fn truncate(&mut self, len: usize) {
        self.cached.resize(len, 0);
        self.dirty.resize(len.div_ceil(SECTOR), true);
    }

    fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for sector in 0..self.dirty.len() {
            if self.dirty[sector] {
                self.copy(sector);
            }
        }
        self.dirty.fill(false);
        self.is_durable = true;
    }

    /// A sector gets from the cache to the disk.
    fn copy(&mut self, sector: usize) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.cached.len());
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(&self.cached[start..end]);
    }

    /// The cache is lost. Each sector that was not synced got to the disk by chance. Tells whether the file
    /// is there afterwards.
    pub(super) fn lose_power(&mut self, random: &mut SmallRng, chance: f64) -> bool {
        for sector in 0..self.dirty.len() {
            if self.dirty[sector] && random.random_bool(chance) {
                self.copy(sector);
                self.is_durable = true;
            }
        }
        if self.cached.len() < self.durable.len() && random.random_bool(chance) {
            self.durable.truncate(self.cached.len());
        }
        self.cached.clone_from(&self.durable);
        self.dirty.clear();
        self.dirty.resize(self.cached.len().div_ceil(SECTOR), false);
        self.is_durable
    }

    /// Whoever held it is gone.
    pub(super) fn let_go(&mut self) {
        self.locks = Locks::default();
    }
}

impl Disk {
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub(super) fn create(&mut self, path: &str) {
        self.files.entry(path.to_owned()).or_default();
    }

    /// Deleting a file syncs its folder.
    pub(super) fn delete(&mut self, path: &str) -> Result<(), Trouble> {
        self.spend()?;
        self.files.remove(path);
        Ok(())
    }

    pub(super) fn file(&mut self, path: &str) -> Result<&mut File, Trouble> {
        self.files.get_mut(path).ok_or(Trouble::Io)
    }

    pub(super) fn write(&mut self, path: &str, offset: usize, data: &[u8]) -> Result<(), Trouble> {
        let room = self.room();
        let before = self.spend();
        let file = self.files.get_mut(path).ok_or(Trouble::Io)?;
        let more = ((offset + data.len()) as u64).saturating_sub(file.len());
        let done = if more > room { Err(Trouble::Full) } else { before };
        // What fails may be written in part.
        let written = if done.is_ok() { data } else { &data[..data.len() / 2] };
        let fits = ((offset + written.len()) as u64).saturating_sub(file.len()) <= room;
        if (done.is_ok() || done == Err(Trouble::Io)) && fits {
            file.write(offset, written);
        }
        done
    }

    /// Writes all of a file again as the cache shows it, and syncs it.
    pub(super) fn write_again(&mut self, path: &str) -> Result<(), Trouble> {
        self.spend()?;
        self.file(path)?.dirty.fill(true);
        self.sync(path)
    }

    pub(super) fn truncate(&mut self, path: &str, len: usize) -> Result<(), Trouble> {
        self.spend()?;
        self.file(path)?.truncate(len);
        Ok(())
    }

    pub(super) fn sync(&mut self, path: &str) -> Result<(), Trouble> {
        let is_log = path.ends_with("-wal");
        self.fuse = self.at_sync.take().map(|blow| (0, blow)).or(self.fuse);
        let done = self.spend();
        let skipped = match self.skipped {
            Skipped::None => false,
            Skipped::All => true,
            Skipped::Database => !is_log,
        };
        let dark = self.dark;
        let file = self.files.get_mut(path).ok_or(Trouble::Io)?;
        match done {
            Ok(()) if !skipped => file.sync(),
            // What could not be written is taken for clean from now on, as Linux does it.
            Err(_) if !dark => file.dirty.fill(false),
            _ => {}
        }
        done.map_err(|_| Trouble::Io)
    }
}
