//! The store layer: the broker's own engine, its waiting line and its handle, stepped by hand, over the
//! real store code and SQLite on the simulated disk.
//!
//! A group whose commit did not come to an end may have happened or not; which, the state after the next
//! start tells. Nothing else is left open.

mod asking;
mod group;
mod starting;
mod time;
mod watched;

use std::{sync::Arc, time::Duration};

use broker::{
    Broker,
    engine::{Engine, choosing},
    store::{
        Found, Reader,
        sqlite::{self, Checkpoints},
    },
};
use broker_core::command::{Command, Nack};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use units::Timestamp;

use self::{time::SimulatedTime, watched::Notes};
use super::{Layer, Tally, core::CHOSEN_EARLY};
use crate::{
    clients::Clients,
    disk::{self, Blow, Skipped, vfs},
    invariants::{Checked, Violation, check_all, check_counts, same},
    model::Model,
    operation::{Call, Ending, Turn},
    plants::{Bug, Plant},
    scenery::Scenery,
};

/// After how many turns everything is compared.
const ALL_EVERY: u64 = 8;
/// How long a refusal for want of room may go on after there is room.
const REFUSALS_GO_ON: Duration = Duration::from_secs(2);
/// How long the engine does nothing by itself after not even acks could be written.
const PAUSE: Duration = Duration::from_secs(1);
/// When a simulated broker is first started.
const BEGINNING: Timestamp = Timestamp::from_millis(1_000_000);

/// A broker that runs.
struct Running {
    broker: Broker,
    engine: Engine,
    checkpoints: Checkpoints,
    reader: Arc<dyn Reader>,
}

/// A command, and whether its caller hangs up before it is answered.
type Sent = (Command, bool);

/// The engine and its surroundings.
pub struct StoreLayer {
    /// `None` only while it is down.
    running: Option<Running>,
    /// For the lock of a data folder; nothing else is written there.
    folder: TempDir,
    time: Arc<SimulatedTime>,
    notes: Arc<Notes>,
    model: Model,
    clients: Clients,
    turns: u64,
    /// The broker's time in the latest turn.
    now: Timestamp,
    /// Deliveries that nobody took; the engine hands them back with the next group.
    given_back: Vec<Nack>,
    /// Until when the engine does nothing by itself.
    paused_until: Timestamp,
    /// Whether the disk is limited, and until when publishes may be refused after it was.
    is_limited: bool,
    refuses_until: Timestamp,
    tally: Tally,
}

impl StoreLayer {
    /// An empty broker on an empty disk.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn new(bug: Option<Bug>) -> Self {
        vfs::register();
        disk::format(match bug {
            Some(Bug::SyncSkipped) => Skipped::All,
            Some(Bug::CheckpointUnsynced) => Skipped::Database,
            _ => Skipped::None,
        });
        Self {
            running: None,
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            time: Arc::new(SimulatedTime::new(BEGINNING)),
            notes: Arc::new(Notes::new(Plant::new(bug))),
            model: Model::default(),
            clients: Clients::new(Scenery::new(true)),
            turns: 0,
            now: BEGINNING,
            given_back: Vec::new(),
            paused_until: Timestamp::default(),
            is_limited: false,
            refuses_until: Timestamp::default(),
            tally: Tally::default(),
        }
    }

    /// The broker, started for the first time where it was not yet.
    fn running(&mut self) -> Result<&mut Running, Violation> {
        if self.running.is_none() {
            let first = self.start().map_err(|error| Violation(format!("the first start: {error}")))?;
            self.running = Some(first);
        }
        Ok(self.running.as_mut().expect("it was just started"))
    }

    fn commands(&mut self, turn: &Turn, now: Timestamp) -> Result<Vec<Sent>, Violation> {
        let mut sent = Vec::new();
        for call in &turn.calls {
            let hangs_up = matches!(call, Call::Receive { asks, .. } if asks.hangs_up);
            if let Some(mut command) = self.clients.command(call, &self.model, now) {
                self.choose_early(&mut command)?;
                sent.push((command, hangs_up));
            }
        }
        Ok(sent)
    }

    /// Does what the broker does for a command that takes many: puts some of what is retained to the filter
    /// before the group.
    fn choose_early(&mut self, command: &mut Command) -> Checked {
        let Running { engine, reader, .. } = self.running()?;
        let Some(candidates) = engine.look().0.to_be_chosen(command, CHOSEN_EARLY) else { return Ok(()) };
        let chosen = choosing::choose(&**reader, command, candidates);
        chosen.map_err(|error| Violation(format!("what is retained can't be read: {error}")))
    }

    fn checkpoint(&mut self) -> Checked {
        let limited = self.is_limited;
        match self.running()?.checkpoints.make() {
            Err(error) if !limited => Err(Violation(format!("a checkpoint failed: {error}"))),
            _ => Ok(()),
        }
    }

    /// What comes after a group that was committed and answered.
    fn afterwards(&mut self, turn: &Turn) -> Checked {
        let model = self.model.clone();
        match turn.ending {
            Ending::Commit | Ending::IoFails { .. } => Ok(()),
            Ending::PowerFails { clock, .. } => {
                self.power_fails(turn.dice);
                self.start_again(vec![model], clock, turn.dice)
            }
            Ending::Restart { clock } => {
                let running = self.running.take().expect("it was just stepped");
                let closed = running.engine.close();
                drop((running.broker, running.checkpoints));
                disk::process_ends();
                if let Err(error) = closed
                    && !self.is_limited
                {
                    return Err(Violation(format!("closing: {error}")));
                }
                self.start_again(vec![model], clock, turn.dice | 1)
            }
            Ending::Checkpoint => self.checkpoint(),
            Ending::CheckpointPowerFails { after, clock } => {
                disk::light_fuse(after, Blow::PowerFails);
                // Whether it came to an end does not matter.
                drop(self.running()?.checkpoints.make());
                self.power_fails(turn.dice);
                self.start_again(vec![model], clock, turn.dice)
            }
            Ending::Room { pages } => {
                disk::limit(pages);
                if self.is_limited && pages.is_none() {
                    self.refuses_until = self.running()?.engine.look().1.plus(REFUSALS_GO_ON);
                }
                self.is_limited = pages.is_some();
                Ok(())
            }
        }
    }

    /// The machine is off and on again; the broker is not started yet.
    fn power_fails(&mut self, dice: u32) {
        self.running = None;
        disk::power_cycle(dice);
    }

    /// What is stored is what is held, with bodies and histories.
    fn check_stored(&self) -> Checked {
        let Some(running) = &self.running else { return Ok(()) };
        let unreadable = |error| Violation(format!("what is stored can't be read: {error}"));
        for queue in self.model.queues.values() {
            for copy in &queue.copies {
                let sequence = copy.message.sequence;
                let bodies = running.reader.records(&[sequence]).map_err(unreadable)?;
                let what = || format!("the body of message {}", sequence.0);
                same(what, bodies, vec![Some(Found::Whole(copy.message.body.clone()))])?;
                let failures = running.reader.failures(queue.id, sequence).map_err(unreadable)?;
                let should = copy.history.iter().map(|failure| (**failure).clone()).collect();
                same(|| format!("the history of message {}", sequence.0), failures, should)?;
            }
        }
        Ok(())
    }

    /// A connection to the database, beside the broker's own.
    fn look_beside(&self) -> rusqlite::Result<Connection> {
        let path = self.folder.path().join("broker.sqlite");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags_and_vfs(path, flags, vfs::NAME)
    }

    /// What the check of stored data says.
    fn check_integrity(&self) -> Checked {
        let report = sqlite::verify_on(self.folder.path(), disk::FILES, &mut |_, _| ());
        let report =
            report.map_err(|error| Violation(format!("what is stored can't be checked: {error}")))?;
        same(|| "the faults of what is stored".to_owned(), report.faults, Vec::new())
    }
}

impl Layer for StoreLayer {
    fn turn(&mut self, turn: &Turn) -> Checked {
        self.turns += 1;
        self.time.pass(Duration::from_millis(turn.wait.into()));
        let now = self.running()?.engine.look().1;
        self.now = now;
        let sent = self.commands(turn, now)?;
        if self.group(&sent, turn, now)? {
            self.afterwards(turn)?;
        }
        let running = self.running.as_ref().expect("it was started again");
        let (core, _) = running.engine.look();
        if self.turns.is_multiple_of(ALL_EVERY) {
            return check_all(core, &self.model);
        }
        check_counts(core, &self.model)
    }

    fn finish(&mut self) -> Checked {
        self.running()?;
        let model = self.model.clone();
        self.power_fails(1);
        self.start_again(vec![model], 0, 1)?;
        self.check_integrity()
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}
