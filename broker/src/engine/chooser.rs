//! Choosing of very many retained messages beside the engine's thread, on a thread of its own for each command
//! that takes them: nobody is kept waiting by it, and whoever asked may go away meanwhile.
//!
//! It goes on until nothing is left of what was there when it began, and puts the command in line again. A
//! replay takes no more than that: what is published later comes by the subscription. A new subscription must
//! miss nothing; where more than few was published meanwhile, the command comes back for another lap, and each
//! time the engine does more of it by itself, so that it ends although the topic is published to faster than
//! it can be read.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use broker_core::{Core, command::Command, identity::Sequence};
use units::Timestamp;

use super::{
    choosing::choose,
    line::{Item, Line, ReplySender},
    note::Note,
};
use crate::{error::BrokerError, store::Reader};

/// How many commands are chosen for at a time; what comes beyond them is told [`BrokerError::Busy`].
const AT_ONCE: usize = 4;

/// How many candidates one look brings: below a millisecond's work for the engine.
const A_LOOK: usize = 1000;

/// How many times as many the engine does by itself after each lap.
const MORE: usize = 4;

/// A command for which too many retained messages are to be put to a filter.
pub(super) struct Undecided {
    pub(super) command: Command,
    pub(super) note: Option<Box<Note>>,
    pub(super) reply: ReplySender,
    pub(super) arrived: Instant,
    /// How many would not have been too many.
    pub(super) few: usize,
}

/// What it takes to choose beside the engine.
pub(super) struct Chooser {
    line: Arc<Line>,
    reader: Arc<dyn Reader>,
    /// Each thread holds one too.
    at_work: Arc<()>,
}

impl Chooser {
    pub(super) fn new(line: Arc<Line>, reader: Arc<dyn Reader>) -> Self {
        Self { line, reader, at_work: Arc::new(()) }
    }

    /// Begins to choose for a command.
    pub(super) fn begin(&self, undecided: Undecided) {
        if Arc::strong_count(&self.at_work) > AT_ONCE {
            drop(undecided.reply.send(Err(BrokerError::Busy)));
            return;
        }
        let (line, reader) = (Arc::clone(&self.line), Arc::clone(&self.reader));
        let lap = Lap { line, reader, _at_work: Arc::clone(&self.at_work) };
        let begun = thread::Builder::new().name("chooser".to_owned()).spawn(move || lap.run(undecided));
        if let Err(error) = begun {
            // Whoever asked hears of it, as the way to answer is dropped.
            tracing::error!(%error, "can't start a thread to look through what a topic retains");
        }
    }
}

/// One time through what a topic retains.
struct Lap {
    line: Arc<Line>,
    reader: Arc<dyn Reader>,
    _at_work: Arc<()>,
}

impl Lap {
    fn run(self, undecided: Undecided) {
        let Undecided { command, note, reply, arrived, few } = undecided;
        match self.choose_all(command) {
            Ok(command) => {
                let few = few.saturating_mul(MORE);
                // It was let in already.
                self.line.push_own(Item::Command { command, note, reply, arrived, few });
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// Puts to the filter what is retained, until nothing is left of what was there at the first look.
    fn choose_all(&self, command: Command) -> Result<Command, BrokerError> {
        let (mut command, next) = self.look(move |core, now| {
            let command = up_to(command, now);
            (command, Sequence(core.high_water().next_sequence))
        })?;
        loop {
            let (mut looked, candidates) = self.look(move |core, _| {
                let candidates = core.to_be_chosen(&command, A_LOOK);
                (command, candidates)
            })?;
            let Some(candidates) = candidates else { return Ok(looked) };
            let is_last = candidates.newest() >= next;
            choose(&*self.reader, &mut looked, candidates)
                .map_err(|error| BrokerError::Unreadable(error.to_string()))?;
            if is_last {
                return Ok(looked);
            }
            command = looked;
        }
    }

    /// Looks at the committed state, on the engine's thread, however long the line is.
    fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core, Timestamp) -> T + Send + 'static,
    ) -> Result<T, BrokerError> {
        let (seen, sees) = mpsc::sync_channel(1);
        self.line.push_own(Item::Look(Box::new(move |view| drop(seen.send(look(view.core, view.now))))));
        sees.recv().map_err(|_| BrokerError::Stopped)
    }
}

/// A replay takes nothing that was published later.
fn up_to(mut command: Command, now: Timestamp) -> Command {
    if let Command::Replay { span, .. } = &mut command {
        span.to = Some(span.to.map_or(now, |to| to.min(now)));
    }
    command
}
