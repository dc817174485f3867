//! Starting the engine's thread, restoring the core, and stopping.

use std::{
    collections::hash_map::RandomState,
    convert::identity,
    hash::BuildHasher as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
};

use broker_core::{
    Core, Why,
    change::{Effects, HighWater},
};
use serve::{budget::Budget, health::Health};
use tokio::{sync::watch, task::spawn_blocking};
use units::Timestamp;

use super::{
    Engine, EngineSettings,
    bodies::Bodies,
    chooser::Chooser,
    clock::{Clock, SystemTime, Time},
    fatal::Fatal,
    feed::Feed,
    journey::Journeys,
    line::{Item, Line},
    losses::Losses,
    metrics::Metrics,
    parked::Parked,
    put_off::PutOff,
    readers::Readers,
    room::Room,
    telling::Telling,
};
use crate::{
    broker::{Broker, Readiness},
    store::{Store, StoreError},
};

/// Before which no folder was made: the year 2026 begins.
const FOLDERS_BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// The engine's thread, to be stopped. Dropping it lets it end by itself.
pub struct EngineThread {
    thread: Option<JoinHandle<Result<(), StoreError>>>,
    line: Arc<Line>,
    state: Arc<State>,
}

/// How far the broker is, as it is told to whoever asks.
struct State {
    readiness: watch::Sender<Readiness>,
    health: Health,
}

impl State {
    fn set(&self, readiness: Readiness) {
        match readiness {
            Readiness::Loading => self.health.set_not_ready("the data folder is being read"),
            Readiness::Ready => self.health.set_ready(),
            Readiness::Draining => self.health.set_not_ready("the broker is stopping"),
            Readiness::Stopped => self.health.set_not_ready("the broker has stopped"),
        }
        self.readiness.send_replace(readiness);
    }
}

/// Starts an engine on the store that `open` opens, on the engine's own thread. The handle can be used
/// at once: what is asked waits until all is loaded. Whether it could be opened shows in
/// [`Broker::ready`], and why not in [`EngineThread::stopped`].
///
/// # Errors
/// When the thread can't be started.
pub fn start(
    settings: EngineSettings,
    open: impl FnOnce() -> Result<Box<dyn Store>, StoreError> + Send + 'static,
    fatal: impl Fatal + 'static,
) -> Result<(Broker, EngineThread), StoreError> {
    let line = Arc::new(Line::new(settings.line));
    let readers = Arc::new(Readers::new());
    let (sender, receiver) = watch::channel(Readiness::Loading);
    let state = Arc::new(State { readiness: sender, health: Health::starting() });
    state.set(Readiness::Loading);
    let feed = Arc::new(Feed::new(settings.watchers));
    let broker = Broker::new(
        Arc::clone(&line),
        Arc::clone(&readers),
        Arc::clone(&feed),
        receiver,
        state.health.clone(),
    );
    let (its_line, its_state) = (Arc::clone(&line), Arc::clone(&state));
    let work = move || {
        let ended = work(settings, open, &fatal, &its_line, feed, &readers, &its_state);
        its_line.abandon();
        its_state.set(Readiness::Stopped);
        ended
    };
    let failed = |source| StoreError::Files { what: "can't start a thread".to_owned(), source };
    let thread = thread::Builder::new().name("engine".to_owned()).spawn(work).map_err(failed)?;
    Ok((broker, EngineThread { thread: Some(thread), line, state }))
}

impl EngineThread {
    /// Receives no longer wait, and `/readyz` says that the broker is stopping. What is asked is still
    /// decided.
    pub fn drain(&self) {
        self.state.set(Readiness::Draining);
        self.line.push_own(Item::Drain);
    }

    /// Decides and commits what waits, closes the store, and ends.
    ///
    /// # Errors
    /// Why the engine ended before, or why the store could not be closed.
    pub async fn stop(self) -> Result<(), StoreError> {
        self.drain();
        self.line.close();
        self.stopped().await
    }

    /// Waits until the engine has ended, which without [`Self::stop`] it does only by a failure.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn stopped(mut self) -> Result<(), StoreError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let panicked = || StoreError::Failed("the engine's thread panicked".to_owned());
        match spawn_blocking(move || thread.join()).await {
            Ok(Ok(ended)) => ended,
            _ => Err(panicked()),
        }
    }
}

impl Drop for EngineThread {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.line.close();
        }
    }
}

/// An engine without a thread, on a store that is open: whoever holds it takes its [steps](Engine::step),
/// and its clocks are handed in. All else is as in one that [`start`] started.
///
/// # Errors
/// When the store can't be read, or a first group can't be committed.
pub fn by_hand(
    settings: EngineSettings,
    store: Box<dyn Store>,
    time: Arc<dyn Time>,
) -> Result<(Broker, Engine), StoreError> {
    let line = Arc::new(Line::new(settings.line));
    let readers = Arc::new(Readers::new());
    readers.open(store.reader());
    let (_, readiness) = watch::channel(Readiness::Ready);
    let feed = Arc::new(Feed::new(settings.watchers));
    let broker = Broker::new(Arc::clone(&line), readers, Arc::clone(&feed), readiness, Health::starting());
    let mut engine = Engine::load(settings, store, line, feed, time)?;
    engine.work_on(&mut Vec::new())?;
    Ok((broker, engine))
}

/// What the thread does from beginning to end. A panic in it, wherever it is, is a failure for good.
fn work(
    settings: EngineSettings,
    open: impl FnOnce() -> Result<Box<dyn Store>, StoreError>,
    fatal: &dyn Fatal,
    line: &Arc<Line>,
    feed: Arc<Feed>,
    readers: &Readers,
    state: &State,
) -> Result<(), StoreError> {
    let fail = |error: StoreError| {
        line.abandon();
        fatal.fatal(&error);
        error
    };
    let opened = caught(|| {
        let store = open()?;
        readers.open(store.reader());
        Engine::load(settings, store, Arc::clone(line), feed, Arc::new(SystemTime))
    });
    let mut engine = opened.map_err(fail)??;
    let worked = caught(|| {
        engine.work_on(&mut Vec::new())?;
        state.set(Readiness::Ready);
        engine.run()
    });
    // Where it failed, the store is let go after that, not closed: what a failed sync left behind can't be known.
    worked.and_then(identity).map_err(fail)?;
    caught(|| engine.store.close()).map_err(fail)?
}

/// Does a part of the work; an error when it panics.
fn caught<T>(part: impl FnOnce() -> T) -> Result<T, StoreError> {
    let panicked = |_| StoreError::Failed("the engine panicked".to_owned());
    catch_unwind(AssertUnwindSafe(part)).map_err(panicked)
}

impl Engine {
    /// Reads the store.
    fn load(
        settings: EngineSettings,
        mut store: Box<dyn Store>,
        line: Arc<Line>,
        feed: Arc<Feed>,
        time: Arc<dyn Time>,
    ) -> Result<Self, StoreError> {
        let next_audit = store.last_audit()? + 1;
        let stored = store.last()?.map(|(_, at)| at).unwrap_or_default();
        let clock = Clock::start(stored, time);
        let mut effects = Effects::default();
        let core = restore(&mut *store, Why::Start, &clock, &mut effects)?;
        let chooser = Chooser::new(Arc::clone(&line), store.reader());
        let journeys = Journeys::new(&core);
        let mut engine = Self {
            core,
            store,
            line,
            clock,
            limits: settings.group,
            queues: settings.queues,
            redrives: settings.redrives,
            answers: Budget::new(settings.answer_memory),
            room: Room::new(settings.free_space_floor),
            chooser,
            bodies: Bodies::new(settings.cached_bytes),
            parked: Parked::default(),
            put_off: PutOff::default(),
            journeys,
            telling: Telling::new(feed),
            losses: Losses::default(),
            metrics: Metrics::new(),
            made_again: Why::Start,
            next_audit,
            draining: false,
            paused_until: None,
            effects,
            noted: 0,
            reasons: std::collections::HashMap::new(),
            counters: Vec::new(),
        };
        engine.limit_core();
        Ok(engine)
    }
}

/// Where the numbers of a new folder begin. Those of queues go by the time, in milliseconds: a receipt names its
/// queue's, and one that an earlier folder of this broker gave out, which was lost since, is of none of these.
/// Half of the numbers are left to be counted up to.
fn first_numbers(now: Timestamp) -> HighWater {
    let passed = now.since(FOLDERS_BEGIN).as_millis() % (1 << 31);
    let next_destination = u32::try_from(passed).map_or(1, |passed| passed.max(1));
    HighWater { next_destination, ..Core::new(0).high_water() }
}

/// Makes the core that the store's records describe. What it has to clear away is left in the effects,
/// for the next commit.
pub(super) fn restore(
    store: &mut dyn Store,
    why: Why,
    clock: &Clock,
    effects: &mut Effects,
) -> Result<Core, StoreError> {
    let seed = RandomState::new().hash_one(clock.now().as_millis());
    let high_water = match store.last()? {
        Some((high_water, _)) => high_water,
        None => first_numbers(clock.now()),
    };
    let mut restore = Core::restore(seed, high_water);
    store.load(&mut restore)?;
    Ok(restore.finish(why, clock.now(), effects))
}
