//! The waiting line between whoever asks and the engine's thread: bounded, in order, drained in groups.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use broker_core::{
    command::{Command, Nack},
    reply::Reply,
};
use tokio::sync::oneshot;

use super::{note::Note, parked::Waiter, view::View};
use crate::error::BrokerError;

/// How long the waiting line may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineLimits {
    /// How many calls may wait. Publishes get only seven eighths of it, so that what makes room (acks
    /// above all) is still taken when publishers are too fast.
    pub calls: usize,
    /// How many bytes of messages may wait.
    pub bytes: usize,
}

impl Default for LineLimits {
    fn default() -> Self {
        Self { calls: 16_384, bytes: 64 << 20 }
    }
}

/// How much one group takes from the line at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLimits {
    /// Calls.
    pub calls: usize,
    /// Bytes of messages; one call is always taken, whatever its size.
    pub bytes: usize,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self { calls: 512, bytes: 16 << 20 }
    }
}

/// What a command's sender waits for: the decision, once it is on disk.
pub(crate) type ReplySender = oneshot::Sender<Result<Reply, BrokerError>>;

/// What waits until the audit trail has it on disk.
pub(crate) type NotedSender = oneshot::Sender<Result<(), BrokerError>>;

/// What waits in the line.
pub(crate) enum Item {
    /// A command, what the audit trail is to say of it, whom to answer, and how many retained messages the
    /// engine's thread may put to a filter for it.
    Command { command: Command, note: Option<Box<Note>>, reply: ReplySender, arrived: Instant, few: usize },
    /// A receive.
    Receive(Waiter),
    /// Something that was done beside the engine, for the audit trail.
    Note(Box<Note>, NotedSender),
    /// Deliveries that nobody took; there is nobody to answer.
    GiveBack(Nack),
    /// A look at the committed state.
    Look(Box<dyn FnOnce(&View<'_>) + Send>),
    /// From now on no receive waits.
    Drain,
}

impl Item {
    /// The bytes of messages that it holds.
    fn bytes(&self) -> usize {
        match self {
            Self::Command { command: Command::Publish(publish), .. } => {
                publish.messages.iter().map(|message| message.record.len()).sum()
            }
            _ => 0,
        }
    }

    const fn is_publish(&self) -> bool {
        matches!(self, Self::Command { command: Command::Publish(_), .. })
    }
}

/// The line. Senders never wait for room: they are told [`BrokerError::Busy`].
pub(crate) struct Line {
    limits: LineLimits,
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    items: VecDeque<(Item, usize)>,
    bytes: usize,
    open: bool,
    /// Whether the engine sleeps: only then does it need to be woken.
    sleeping: bool,
}

impl Line {
    pub(crate) fn new(limits: LineLimits) -> Self {
        let state = State { items: VecDeque::new(), bytes: 0, open: true, sleeping: false };
        Self { limits, state: Mutex::new(state), arrived: Condvar::new() }
    }

    /// Takes a call into the line.
    pub(crate) fn push(&self, item: Item) -> Result<(), BrokerError> {
        let bytes = item.bytes();
        let state = self.lock();
        if !state.open {
            return Err(BrokerError::Stopped);
        }
        if self.is_full(&state, &item, bytes) {
            return Err(BrokerError::Busy);
        }
        self.admit(state, item, bytes);
        Ok(())
    }

    /// Takes what the broker itself has to do, whatever the line's length. After the end it is dropped:
    /// leases then run out.
    pub(crate) fn push_own(&self, item: Item) {
        let state = self.lock();
        if state.open {
            self.admit(state, item, 0);
        }
    }

    /// No more is taken; what waits is still decided.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.arrived.notify_one();
    }

    /// Throws away what waits, and takes no more: whoever asked hears that the broker stopped.
    pub(crate) fn abandon(&self) {
        let items = {
            let mut state = self.lock();
            state.open = false;
            std::mem::take(&mut state.items)
        };
        // Dropped outside of the lock: a handout among them would give back through this very line.
        drop(items);
    }

    /// Moves the next group into `group`, waiting for a first call until that time. False when the line
    /// is closed and empty.
    pub(crate) fn take(&self, group: &mut Vec<Item>, limits: GroupLimits, until: Option<Instant>) -> bool {
        let mut state = self.wait(until);
        let mut bytes = 0;
        while group.len() < limits.calls && bytes < limits.bytes {
            let Some((item, size)) = state.items.pop_front() else { break };
            bytes += size;
            state.bytes -= size;
            group.push(item);
        }
        state.open || !state.items.is_empty() || !group.is_empty()
    }

    fn is_full(&self, state: &State, item: &Item, bytes: usize) -> bool {
        let calls = if item.is_publish() { self.limits.calls / 8 * 7 } else { self.limits.calls };
        let too_many_bytes = state.bytes > 0 && state.bytes + bytes > self.limits.bytes;
        state.items.len() >= calls || (item.is_publish() && too_many_bytes)
    }

    fn admit(&self, mut state: MutexGuard<'_, State>, item: Item, bytes: usize) {
        state.bytes += bytes;
        state.items.push_back((item, bytes));
        let sleeping = std::mem::take(&mut state.sleeping);
        drop(state);
        if sleeping {
            self.arrived.notify_one();
        }
    }

    /// Waits until something is there, the line is closed, or the time has come.
    fn wait(&self, until: Option<Instant>) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.items.is_empty() && state.open {
            state.sleeping = true;
            state = match until {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        state.sleeping = false;
        state
    }

    /// No code that can panic runs under the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
