//! The engine: one thread that owns the core and the store. It takes what waits in the line, lets the
//! core decide it, commits all changes as one group, and only then answers.
//!
//! ```text
//! Broker ──push──▶ Line ──take──▶ decide (core, memory) ──▶ commit (store, synced) ──▶ answer
//!                                    ▲                            │ no room
//!                                    └── without the publishes ───┘ (the core is restored from disk)
//! ```
//!
//! Nothing is answered, and nothing can be looked at, before it is on disk.

mod bodies;
mod chooser;
pub mod choosing;
pub mod clock;
pub(crate) mod damage;
mod decide;
pub mod fatal;
pub mod feed;
mod group;
pub mod handout;
pub mod journey;
pub mod line;
mod losses;
pub(crate) mod metrics;
pub mod note;
pub(crate) mod parked;
mod put_off;
pub(crate) mod readers;
mod room;
mod start;
mod telling;
pub(crate) mod view;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use broker_core::{
    Core, Why,
    change::Effects,
    counters::QueueCounters,
    identity::{QueueId, Sequence},
    settings::RedriveLimits,
};
use units::Timestamp;

use serve::budget::Budget;

pub use self::start::{EngineThread, by_hand, start};
use self::{
    bodies::Bodies,
    chooser::Chooser,
    clock::Clock,
    decide::FreshReason,
    handout::{Handout, Taken},
    journey::Journeys,
    line::{GroupLimits, Line, LineLimits},
    losses::Losses,
    metrics::Metrics,
    parked::Parked,
    put_off::PutOff,
    room::Room,
    telling::Telling,
    view::View,
};
use crate::{
    error::BrokerError,
    store::{Store, StoreError},
};

/// How long nothing is done by itself after the disk had no room for it.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the engine waits at the most before it looks at its clock again while something is to fall due.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The engine's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// How long the waiting line may be.
    pub line: LineLimits,
    /// How much one commit takes at the most.
    pub group: GroupLimits,
    /// How many bytes of records that were just written are kept in memory.
    pub cached_bytes: usize,
    /// Publishes are refused while the disk has less room than this, in bytes.
    pub free_space_floor: u64,
    /// How many may watch the feed at a time.
    pub watchers: usize,
    /// How many queues and topics there may be in all.
    pub queues: usize,
    /// How much paced redrives may hold.
    pub redrives: RedriveLimits,
    /// How many bytes of messages may be handed out and not yet written to whoever asked.
    pub answer_memory: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            line: LineLimits::default(),
            group: GroupLimits::default(),
            cached_bytes: 32 << 20,
            free_space_floor: 64 << 20,
            watchers: 64,
            queues: 10_000,
            redrives: RedriveLimits::default(),
            answer_memory: 256 << 20,
        }
    }
}

/// All that the thread owns; or whoever takes its steps [by hand](by_hand).
pub struct Engine {
    core: Core,
    store: Box<dyn Store>,
    line: Arc<Line>,
    clock: Clock,
    limits: GroupLimits,
    /// How many queues and topics there may be.
    queues: usize,
    redrives: RedriveLimits,
    /// What was handed out and is not yet written.
    answers: Budget,
    room: Room,
    chooser: Chooser,
    bodies: Bodies,
    parked: Parked,
    put_off: PutOff,
    journeys: Journeys,
    telling: Telling,
    losses: Losses,
    metrics: Metrics,
    /// What the core would have to be made again for now: a start, until its effects are on disk.
    made_again: Why,
    /// The number of the audit trail's next item.
    next_audit: u64,
    /// Once set, receives no longer wait.
    draining: bool,
    paused_until: Option<Instant>,

    // What the group under way has decided so far:
    effects: Effects,
    /// How many of its changes were noted.
    noted: usize,
    /// Why copies failed in it.
    reasons: HashMap<(QueueId, Sequence), FreshReason>,
    counters: Vec<(QueueId, QueueCounters)>,
}

impl Engine {
    /// Works until the line is closed and empty.
    ///
    /// # Errors
    /// When the store failed for good.
    fn run(&mut self) -> Result<(), StoreError> {
        let mut items = Vec::with_capacity(self.limits.calls);
        while self.line.take(&mut items, self.limits, self.next_deadline()) {
            self.work_on(&mut items)?;
        }
        Ok(())
    }

    /// Takes what waits in the line, decides and commits it, and answers. Never waits.
    ///
    /// # Errors
    /// When the store failed for good; then the engine is not to be used again.
    pub fn step(&mut self) -> Result<(), StoreError> {
        let mut items = Vec::new();
        self.line.take(&mut items, self.limits, Some(Instant::now()));
        self.work_on(&mut items)
    }

    /// The committed state, and the broker's present time.
    #[must_use]
    pub fn look(&self) -> (&Core, Timestamp) {
        (&self.core, self.clock.now())
    }

    /// Closes the store in good order.
    ///
    /// # Errors
    /// What the store says.
    pub fn close(self) -> Result<(), StoreError> {
        self.store.close()
    }

    /// When there is something to do although nobody asks.
    fn next_deadline(&self) -> Option<Instant> {
        let at_once = (!self.put_off.is_empty()).then(|| self.clock.instant_now());
        let due = at_once.or_else(|| self.core.next_deadline().and_then(|at| self.clock.instant(at)));
        // Where the machine slept meanwhile it is due earlier than threads that wait can tell.
        let due = due.map(|due| due.min(self.clock.instant_now() + LOOK_AGAIN));
        let due = due.map(|due| self.paused_until.map_or(due, |paused| due.max(paused)));
        let told = [self.telling.next_deadline(), self.losses.next_deadline()];
        [due, self.parked.next_deadline()].into_iter().chain(told).flatten().min()
    }

    /// From now on no receive waits.
    fn drain(&mut self) {
        self.draining = true;
        self.losses.tell_all(&self.core);
        for waiter in self.parked.take_all() {
            let nothing = Taken::nothing(&self.answers);
            drop(waiter.reply.send(Ok(Handout::new(&waiter.receive, nothing, &self.line))));
        }
    }

    /// Makes memory say again what the disk does, after a group could not be committed.
    fn restore(&mut self) -> Result<(), StoreError> {
        self.forget_effects();
        self.bodies.clear();
        self.core = start::restore(&mut *self.store, self.made_again, &self.clock, &mut self.effects)?;
        self.limit_core();
        Ok(())
    }

    /// Tells a core that was just made how much it may hold.
    fn limit_core(&mut self) {
        self.core.limit_destinations(self.queues);
        self.core.limit_redrives(self.redrives);
    }

    fn forget_effects(&mut self) {
        let Effects { changes, activities, counted, woken } = &mut self.effects;
        changes.clear();
        activities.clear();
        counted.clear();
        woken.clear();
        self.noted = 0;
        self.reasons.clear();
        self.telling.forget();
    }

    fn pause(&mut self) {
        self.paused_until = Some(self.clock.instant_now() + PAUSE);
    }

    fn is_paused(&mut self) -> bool {
        let now = self.clock.instant_now();
        self.paused_until = self.paused_until.filter(|until| *until > now);
        self.paused_until.is_some()
    }

    fn check_room(&mut self) -> Result<Result<(), BrokerError>, StoreError> {
        self.room.check(&mut *self.store, self.clock.instant_now())
    }

    fn view(&self) -> View<'_> {
        View {
            core: &self.core,
            now: self.clock.now(),
            journeys: &self.journeys,
            metrics: &self.metrics,
            parked: self.parked.len(),
            room: self.room.figures(),
        }
    }
}
