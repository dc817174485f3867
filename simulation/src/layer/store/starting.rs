//! Starting the broker, again after it died, at times with the power failing in the middle of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker::{
    engine::{EngineSettings, by_hand, clock::Time as _},
    store::{Store as _, StoreError, folder::DataFolder, sqlite::SqliteStore},
};
use broker_core::{Why, identity::LeaseId};
use rusqlite::{Connection, Row};
use units::Timestamp;

use super::{PAUSE, REFUSALS_GO_ON, Running, StoreLayer, watched::Watched};
use crate::{
    disk::{self, Blow},
    invariants::{Checked, Violation, check_all, same},
    layer::core::shifted,
    model::{LONGEST_AFTER_RESTART, Model, REDRIVE_LIMITS},
};

/// Publishes are refused when the disk has less room, in bytes.
const FLOOR: u64 = 5 * disk::PAGE;
/// How many bytes of bodies are kept in memory: few, so that most are read from the disk.
const CACHED_BYTES: usize = 2048;
/// In how many starts the power fails again: one in so many.
const FAILS_AGAIN: u32 = 4;
/// In how many starts somebody has made room: one in so many.
const MAKES_ROOM: u32 = 3;

impl StoreLayer {
    pub(super) fn start(&self) -> Result<Running, StoreError> {
        let folder = DataFolder::open(self.folder.path())?;
        let (store, checkpoints) = SqliteStore::open_by_hand(folder, disk::FILES)?;
        let reader = store.reader();
        let store = Box::new(Watched::new(store, Arc::clone(&self.notes)));
        let settings = EngineSettings {
            free_space_floor: FLOOR,
            cached_bytes: CACHED_BYTES,
            redrives: REDRIVE_LIMITS,
            ..Default::default()
        };
        let (broker, engine) = by_hand(settings, store, Arc::clone(&self.time) as _)?;
        Ok(Running { broker, engine, checkpoints, reader })
    }

    /// Starts the broker that died at its present time, with the wall clock moved. What it shows must be
    /// one of what may be, restarted.
    pub(super) fn start_again(&mut self, mut may_be: Vec<Model>, clock: i32, dice: u32) -> Checked {
        self.tally.starts += 1;
        self.given_back.clear();
        self.paused_until = Timestamp::default();
        if dice.is_multiple_of(MAKES_ROOM) {
            self.is_limited = false;
            disk::limit(None);
        }
        let committed_at = self.notes.lock().committed_at;
        self.time.set_wall(shifted(self.now, clock));
        if dice.is_multiple_of(FAILS_AGAIN) {
            self.start_in_vain(&mut may_be, dice);
        }
        self.notes.lock().fulls = 0;
        let running = self.start().map_err(|error| Violation(format!("a start: {error}")))?;
        let now = running.engine.look().1;
        self.now = now;
        if now < committed_at {
            return Err(Violation(format!("time went back from {committed_at} to {now}")));
        }
        let fulls = self.notes.lock().fulls;
        if fulls > 0 {
            self.refuses_until = now.plus(REFUSALS_GO_ON);
        }
        if fulls > 1 {
            self.paused_until = now.plus(PAUSE);
        }
        self.running = Some(running);
        let mut leases = self.stored_leases()?;
        if fulls > 1 {
            // What a start cuts is not on disk yet.
            leases.values_mut().for_each(|length| *length = (*length).min(LONGEST_AFTER_RESTART));
        }
        let (core, _) = self.running()?.engine.look();
        let mut differences = Vec::new();
        for (place, mut model) in may_be.into_iter().enumerate() {
            model.restart(Why::Start, now);
            // Where not even that found room, nothing was done that fell due.
            if fulls < 2 {
                model.tick(now);
            }
            // No look shows how long a lease runs: what differs in that alone is told by what is stored.
            let checked = check_all(core, &model)
                .and_then(|()| same(|| "the leases that are stored".to_owned(), &leases, &lengths(&model)));
            match checked {
                Ok(()) => {
                    self.model = model;
                    self.tally.happened += u64::from(place > 0);
                    return self.check_stored();
                }
                Err(difference) => differences.push(difference.to_string()),
            }
        }
        Err(Violation(format!(
            "after a start, it is none of what it may be:\n  {}",
            differences.join("\n  ")
        )))
    }

    /// How long each lease runs, as the database has it.
    fn stored_leases(&self) -> Result<BTreeMap<LeaseId, Duration>, Violation> {
        let read = |connection: Connection| {
            let mut statement = connection.prepare("SELECT id, length FROM leases")?;
            let number = |row: &Row<'_>, column| row.get(column).map(i64::cast_unsigned);
            let lease =
                |row: &Row<'_>| Ok((LeaseId(number(row, 0)?), Duration::from_millis(number(row, 1)?)));
            statement.query_map([], lease)?.collect()
        };
        let unreadable = |error| Violation(format!("the leases that are stored can't be read: {error}"));
        self.look_beside().and_then(read).map_err(unreadable)
    }

    /// Starts with the power about to fail. What such a start committed may be there afterwards.
    fn start_in_vain(&mut self, may_be: &mut Vec<Model>, dice: u32) {
        self.notes.lock().read_at = None;
        disk::light_fuse((dice >> 8) as u8 % 16, Blow::PowerFails);
        let started = self.start();
        let blew = !disk::cut_fuse();
        drop(started);
        if blew {
            disk::power_cycle(dice.rotate_left(7));
        } else {
            disk::process_ends();
        }
        if let Some(read_at) = self.notes.lock().read_at {
            let now = read_at.max(self.time.wall());
            let begun = may_be.iter().cloned().map(|mut model| {
                model.restart(Why::Start, now);
                model.tick(now);
                model
            });
            may_be.extend(begun.collect::<Vec<_>>());
        }
    }
}

/// How long each lease must run.
fn lengths(model: &Model) -> BTreeMap<LeaseId, Duration> {
    let leases = model.queues.values().flat_map(|queue| &queue.leases);
    leases.map(|(id, lease)| (*id, lease.length)).collect()
}
