//! What the clients do and what befalls the broker, drawn from a seed.

use broker_core::{
    command::NackKind,
    settings::{OnFull, Ordering, Overflow},
};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

use crate::operation::{
    Asks, Call, Ending, Failure, From, IDS, New, Place, QUEUES, QueueChange, Settle, TOPICS, Taste, Turn,
    Which,
};

/// How many calls a group has at the most.
const MOST_CALLS: u8 = 8;

/// An endless script.
#[derive(Debug)]
pub struct Workload {
    random: SmallRng,
    begun: bool,
}

impl Workload {
    /// The script of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), begun: false }
    }

    /// Makes all queues and topics, and subscribes most.
    fn first(&mut self) -> Turn {
        let mut calls: Vec<Call> =
            (0..QUEUES).map(|queue| Call::PutQueue { queue, change: QueueChange::Nothing }).collect();
        calls.extend((0..TOPICS).map(|topic| Call::PutTopic { topic, retention: None }));
        for queue in 0..QUEUES {
            calls.push(Call::Subscribe {
                topic: queue % TOPICS,
                queue,
                on_full: Some(self.on_full()),
                taste: Some(self.taste()),
                start: None,
            });
        }
        Turn { wait: 0, calls, ending: Ending::Commit, dice: 0 }
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.random.random_ratio(1, one_in)
    }

    fn maybe<T>(&mut self, one_in: u32, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(one_in).then(|| value(self))
    }

    fn below(&mut self, end: u8) -> u8 {
        self.random.random_range(0..end)
    }

    fn wait(&mut self) -> u32 {
        match self.below(16) {
            0..8 => 0,
            8..12 => self.random.random_range(1..50),
            12..15 => self.random.random_range(50..2500),
            _ if self.chance(4) => self.random.random_range(2500..90_000),
            _ => self.random.random_range(1000..9000),
        }
    }

    /// What the wall clock shows at a start: mostly right, at times far off to either side.
    fn clock(&mut self) -> i32 {
        match self.below(4) {
            0 => self.random.random_range(-60_000..0),
            1 => self.random.random_range(0..100_000),
            _ => self.random.random_range(0..20),
        }
    }

    fn ending(&mut self) -> Ending {
        let after = self.below(24);
        match self.random.random_range(0..120) {
            0 | 1 => Ending::PowerFails { after, clock: self.clock() },
            2 => Ending::Restart { clock: self.clock() },
            3 => Ending::IoFails { after: after % 12, how: self.failure(), clock: self.clock() },
            4 | 5 => Ending::Checkpoint,
            6 => Ending::CheckpointPowerFails { after, clock: self.clock() },
            7 => Ending::Room { pages: self.maybe(3, |it| it.below(12)) },
            _ => Ending::Commit,
        }
    }

    fn failure(&mut self) -> Failure {
        [Failure::NoRoom, Failure::NoRoom, Failure::Write, Failure::Write, Failure::Read]
            [usize::from(self.below(5))]
    }

    fn call(&mut self) -> Call {
        match self.random.random_range(0..1000) {
            0..260 => self.publish(),
            260..540 => Call::Receive { queue: self.below(QUEUES), asks: self.asks() },
            540..830 => self.settle(),
            830..850 => Call::Again,
            850..900 => self.redrive(),
            900..910 => Call::StopRedrive { back: self.below(3) },
            910..922 => Call::Discard { queue: self.below(QUEUES), which: self.which() },
            922..932 => Call::Purge {
                queue: self.below(QUEUES),
                limit: self.maybe(2, |it| it.below(4)),
                spares: self.maybe(2, |it| it.below(8)),
            },
            932..944 => Call::Remove { queue: self.below(QUEUES), id: self.below(IDS) },
            944..958 => Call::PutQueue { queue: self.below(QUEUES), change: self.change() },
            958..961 => Call::DeleteQueue { queue: self.below(QUEUES), force: !self.chance(3) },
            961..966 => Call::PutQueue { queue: self.below(QUEUES), change: QueueChange::Nothing },
            966..970 => Call::PutTopic {
                topic: self.below(TOPICS),
                retention: self.maybe(3, |it| u32::from(it.below(30)) * 1000),
            },
            970..971 => Call::DeleteTopic { topic: self.below(TOPICS) },
            971..974 => Call::PutTopic { topic: self.below(TOPICS), retention: None },
            974..984 => self.subscribe(),
            984..987 => Call::Unsubscribe { topic: self.below(TOPICS), queue: self.below(QUEUES) },
            987..990 => self.damage(),
            _ => Call::Replay {
                topic: self.below(TOPICS),
                queue: self.below(QUEUES),
                from: self.since(),
                to: self.maybe(5, |it| it.random.random_range(0..5000)),
            },
        }
    }

    fn publish(&mut self) -> Call {
        let to = match self.below(3) {
            0 => Place::Topic(self.below(TOPICS)),
            _ => Place::Queue(self.below(QUEUES)),
        };
        let count = if self.chance(4) { 1 + self.below(5) } else { 1 };
        let messages = (0..count).map(|_| self.new_message()).collect();
        Call::Publish { to, messages, require_route: self.chance(8) }
    }

    fn new_message(&mut self) -> New {
        New {
            id: self.below(IDS),
            key: (!self.chance(5)).then(|| self.below(3)),
            size: 1 + self.below(40),
            delay: self.maybe(8, |it| it.random.random_range(0..6000)),
            ttl: self.maybe(8, |it| it.random.random_range(1..9000)),
            kind: self.below(3),
            other_content: self.chance(30),
            nameless: self.chance(12),
            filler: match self.below(64) {
                0 => self.random.random_range(3000..20_000),
                1..8 => self.random.random_range(100..1500),
                _ => 0,
            },
        }
    }

    fn asks(&mut self) -> Asks {
        let auto_ack = self.chance(10);
        Asks {
            max: 1 + self.below(5),
            lease: self.maybe(2, |it| it.random.random_range(100..60_000)),
            max_bytes: self.maybe(4, |it| 1 + it.below(80)),
            auto_ack,
            receive_id: if auto_ack { None } else { self.maybe(4, |it| it.below(3)) },
            hangs_up: self.chance(30),
        }
    }

    fn settle(&mut self) -> Call {
        let delay = self.maybe(2, |it| it.random.random_range(0..4000));
        let how = match self.below(12) {
            0..5 => Settle::Ack,
            5..8 => Settle::Nack(NackKind::Failed, delay),
            8..10 => Settle::Nack(NackKind::Uncounted, delay),
            10 => Settle::Nack(NackKind::DeadLetter, None),
            _ => Settle::Extend(self.random.random_range(100..60_000)),
        };
        let count = 1 + self.below(4);
        // Mostly of the latest deliveries, at times of old ones.
        let reach = if self.chance(4) { 90 } else { 12 };
        let picks = (0..count).map(|_| self.below(reach)).collect();
        Call::Settle { how, picks, mixed: self.chance(40) }
    }

    fn redrive(&mut self) -> Call {
        let queue = self.below(QUEUES);
        let to = if self.chance(3) { self.below(QUEUES) } else { queue };
        Call::Redrive {
            queue,
            which: self.which(),
            to,
            limit: self.maybe(4, |it| 1 + it.below(3)),
            per_second: self.maybe(4, |it| it.random.random_range(1..20)),
        }
    }

    fn damage(&mut self) -> Call {
        let count = 1 + self.below(3);
        let messages = (0..count).map(|_| 1 + self.below(30)).collect();
        Call::Damage { queue: self.below(QUEUES), messages }
    }

    fn which(&mut self) -> Which {
        let count = 1 + self.below(4);
        match self.below(12) {
            0..6 => Which::All,
            6..9 => Which::Ids((0..count).map(|_| self.below(IDS)).collect()),
            9..11 => Which::Numbers((0..count).map(|_| 1 + self.below(40)).collect()),
            _ => Which::Oldest(count),
        }
    }

    fn change(&mut self) -> QueueChange {
        match self.below(7) {
            0 => QueueChange::MaxMessages(1 + self.below(14)),
            1 => QueueChange::MaxDeliveries(1 + self.below(4)),
            2 => QueueChange::MaxDeadLetters(self.below(7)),
            3 => QueueChange::Overflow(
                [Overflow::Reject, Overflow::DropOldest, Overflow::DeadLetterOldest]
                    [usize::from(self.below(3))],
            ),
            4 => QueueChange::Ordering(
                [Ordering::None, Ordering::Key, Ordering::Fifo][usize::from(self.below(3))],
            ),
            5 => QueueChange::Ttl(self.maybe(2, |it| it.random.random_range(1..9000))),
            _ => QueueChange::Lease(self.random.random_range(100..60_000)),
        }
    }

    fn subscribe(&mut self) -> Call {
        Call::Subscribe {
            topic: self.below(TOPICS),
            queue: self.below(QUEUES),
            on_full: self.maybe(2, Self::on_full),
            taste: self.maybe(2, Self::taste),
            start: self.maybe(3, Self::since),
        }
    }

    fn since(&mut self) -> From {
        match self.below(4) {
            0 => From::New,
            1 | 2 => From::Earliest,
            _ => From::Ago(self.random.random_range(0..20_000)),
        }
    }

    fn on_full(&mut self) -> OnFull {
        [OnFull::Reject, OnFull::Drop, OnFull::DeadLetter][usize::from(self.below(3))]
    }

    fn taste(&mut self) -> Taste {
        match self.below(6) {
            0 => Taste::Only(self.below(3)),
            1 => Taste::Not(self.below(3)),
            2 => Taste::Prefix,
            _ => Taste::All,
        }
    }
}

impl Iterator for Workload {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(self.first());
        }
        let calls = 1 + self.below(MOST_CALLS);
        let calls = (0..calls).map(|_| self.call()).collect();
        Some(Turn { wait: self.wait(), calls, ending: self.ending(), dice: self.random.random() })
    }
}
