//! A core on the bench: time in our hand, every change recorded, the counters checked after each step.

use std::{sync::Arc, time::Duration};

use broker_core::{
    Core, Why,
    activity::{Activity, ActivityKind},
    change::Effects,
    choice::Chosen,
    command::{
        Command, DeadLetters, Destination, Nack, NackKind, NewMessage, Publish, Receive, SubscriptionPatch,
    },
    counters::{QueueCounters, QueueGauges},
    filter::Attributes,
    identity::{Identity, Name, Receipt, Selector, Sequence},
    reply::{Delivered, Published, Redriven, Refusal, Reply, SettleStatus},
    settings::{OnFull, QueueSettingsPatch, TopicSettingsPatch},
};
use bytes::Bytes;
use units::Timestamp;

use crate::disk::Disk;

pub(crate) struct Bench {
    pub(crate) core: Core,
    pub(crate) now: Timestamp,
    pub(crate) disk: Disk,
    pub(crate) activities: Vec<Activity>,
    /// The queues that were woken since this was last emptied.
    pub(crate) woken: Vec<Name>,
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn selector(id: u64) -> Selector {
    Selector { id, whole: None }
}

/// A message whose id is that number; of 10 bytes, without a key.
pub(crate) fn message(id: u64) -> NewMessage {
    NewMessage {
        identity: Identity { whole: u128::from(id) << 8, id },
        deduplicate: true,
        fingerprint: id,
        key: None,
        size: 10,
        available: None,
        expires: None,
        attributes: Attributes::new(),
        record: Bytes::from_static(b"0123456789"),
    }
}

pub(crate) fn keyed(id: u64, key: &str) -> NewMessage {
    NewMessage { key: Some(Arc::from(key)), ..message(id) }
}

pub(crate) fn receive(queue: &str, max: usize) -> Receive {
    Receive {
        queue: name(queue),
        max,
        lease: None,
        max_bytes: u64::MAX,
        bytes_beside: 0,
        auto_ack: false,
        consumer: None,
        receive_id: None,
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_millis(1_000_000);
        Self { core: Core::new(1), now, disk: Disk::default(), activities: Vec::new(), woken: Vec::new() }
    }

    /// A bench with one queue, `jobs`.
    pub(crate) fn with_queue(settings: QueueSettingsPatch) -> Self {
        let mut bench = Self::new();
        bench.put_queue("jobs", settings);
        bench
    }

    pub(crate) fn apply(&mut self, command: Command) -> Result<Reply, Refusal> {
        let mut effects = Effects::default();
        let reply = self.core.apply(command, self.now, &mut effects);
        if reply.is_err() {
            assert!(effects.changes.is_empty(), "a refusal changed something: {:?}", effects.changes);
        }
        self.take(effects);
        reply
    }

    /// Lets time pass, and everything that falls due by then happen when it is due.
    pub(crate) fn wait(&mut self, length: Duration) {
        let until = self.now.plus(length);
        while let Some(at) = self.core.next_deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.tick();
        }
        self.now = until;
        self.tick();
    }

    fn tick(&mut self) {
        let mut effects = Effects::default();
        self.core.tick(self.now, &mut effects);
        self.take(effects);
    }

    fn take(&mut self, mut effects: Effects) {
        let woken = effects.woken.iter().filter_map(|id| self.core.queue_by_id(*id));
        self.woken.extend(woken.map(|queue| queue.name.clone()));
        self.disk.record(&mut effects, &self.core);
        self.activities.append(&mut effects.activities);
        self.check_counters();
    }

    /// Stops the broker and starts it again from what was recorded.
    pub(crate) fn restart(&mut self) {
        self.make_again(Why::Start);
    }

    /// Makes the core again from what was recorded.
    pub(crate) fn make_again(&mut self, why: Why) {
        self.core = self.disk.restore(why, self.now);
        self.wait(Duration::ZERO);
    }

    fn check_counters(&self) {
        for queue in self.core.queues(None) {
            let (c, g) = (queue.counters, queue.gauges);
            let came = c.published + c.replayed + c.redriven_in;
            let went = c.acked + c.dead_lettered + c.expired + c.dropped + c.purged;
            assert_eq!(came, g.ready + g.leased + g.delayed + went, "{:?} of {}", (c, g), queue.name);
            assert_eq!(
                g.dead + c.redriven_out + c.discarded,
                c.dead_lettered,
                "{:?} of {}",
                (c, g),
                queue.name
            );
            assert_eq!(c, self.disk.queues[&queue.id].counters, "counters on disk of {}", queue.name);
        }
    }

    pub(crate) fn put_queue(&mut self, queue: &str, settings: QueueSettingsPatch) {
        self.apply(Command::PutQueue { name: name(queue), settings, only_create: false }).unwrap();
    }

    pub(crate) fn put_topic(&mut self, topic: &str) {
        self.set_topic(topic, TopicSettingsPatch::default());
    }

    pub(crate) fn set_topic(&mut self, topic: &str, settings: TopicSettingsPatch) {
        self.apply(Command::PutTopic { name: name(topic), settings, only_create: false }).unwrap();
    }

    pub(crate) fn subscribe(&mut self, topic: &str, queue: &str, on_full: OnFull) {
        self.try_subscribe(topic, queue, SubscriptionPatch { on_full: Some(on_full), ..Default::default() })
            .unwrap();
    }

    pub(crate) fn try_subscribe(
        &mut self,
        topic: &str,
        queue: &str,
        settings: SubscriptionPatch,
    ) -> Result<Reply, Refusal> {
        let (topic, queue) = (name(topic), name(queue));
        let chosen = Chosen::All;
        self.apply(Command::PutSubscription { topic, queue, settings, only_create: false, chosen })
    }

    pub(crate) fn try_publish(
        &mut self,
        destination: Destination,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<Published>, Refusal> {
        let reply = self.apply(Command::Publish(Publish { destination, messages, require_route: false }));
        reply.map(|reply| match reply {
            Reply::Published(results) => results,
            other => panic!("{other:?}"),
        })
    }

    /// Publishes to a queue.
    pub(crate) fn publish(&mut self, queue: &str, message: NewMessage) -> Published {
        self.try_publish(Destination::Queue(name(queue)), vec![message]).unwrap()[0]
    }

    pub(crate) fn publish_ids(&mut self, queue: &str, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.publish(queue, message(id));
        }
    }

    /// Receives; what comes was foreseen.
    pub(crate) fn deliveries(&mut self, request: Receive) -> Vec<Delivered> {
        let foreseen = self.foresee(&request);
        let Reply::Delivered(deliveries) = self.apply(Command::Receive(request)).unwrap() else {
            panic!("a receive hands out")
        };
        if let Some(foreseen) = foreseen {
            assert_eq!(foreseen, deliveries.iter().map(|it| it.sequence).collect::<Vec<_>>());
        }
        deliveries
    }

    pub(crate) fn foresee(&mut self, request: &Receive) -> Option<Vec<Sequence>> {
        let (mut left, mut effects) = (1000, Effects::default());
        let foreseen = self.core.foresee(request, self.now, &mut left, &mut effects);
        self.take(effects);
        foreseen
    }

    /// Receives, and tells the ids.
    pub(crate) fn receive_ids(&mut self, queue: &str, max: usize) -> Vec<u64> {
        let deliveries = self.deliveries(receive(queue, max));
        deliveries.iter().map(|delivery| self.id(delivery)).collect()
    }

    /// Receives one message, which must be there.
    pub(crate) fn receive_one(&mut self, queue: &str) -> Delivered {
        let mut deliveries = self.deliveries(receive(queue, 1));
        deliveries.pop().expect("a message is ready")
    }

    pub(crate) fn receipt(&mut self, queue: &str) -> Receipt {
        self.receive_one(queue).receipt.unwrap()
    }

    pub(crate) fn id(&self, delivery: &Delivered) -> u64 {
        let activity = self.activities.iter().rev().find(|it| it.sequence == Some(delivery.sequence));
        activity.and_then(|it| it.identity).expect("what is delivered was published").id
    }

    pub(crate) fn ack(&mut self, receipt: Receipt) -> SettleStatus {
        let queue = self.queue_of(receipt);
        self.status(Command::Ack { queue, receipts: vec![receipt] })
    }

    pub(crate) fn nack(&mut self, receipt: Receipt, kind: NackKind, delay: Option<Duration>) -> SettleStatus {
        let reason = Some(Arc::from("it broke"));
        let queue = self.queue_of(receipt);
        self.status(Command::Nack(Nack { queue, receipts: vec![receipt], delay, reason, kind }))
    }

    /// Fails a delivery with the queue's backoff.
    pub(crate) fn fail(&mut self, receipt: Receipt) -> SettleStatus {
        self.nack(receipt, NackKind::Failed, None)
    }

    pub(crate) fn kill(&mut self, receipt: Receipt) -> SettleStatus {
        self.nack(receipt, NackKind::DeadLetter, None)
    }

    /// Makes dead letters of messages, by their numbers, whose records are damaged; how many it found.
    pub(crate) fn kill_damaged(&mut self, queue: &str, sequences: &[u64]) -> u64 {
        let sequences = sequences.iter().copied().map(Sequence).collect();
        let reason = Arc::from("damaged");
        match self.apply(Command::DeadLetter { queue: name(queue), sequences, reason }).unwrap() {
            Reply::Removed { count } => count,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn extend(&mut self, receipt: Receipt, lease: Duration) -> SettleStatus {
        let queue = self.queue_of(receipt);
        self.status(Command::Extend { queue, receipts: vec![receipt], lease })
    }

    fn queue_of(&self, receipt: Receipt) -> Name {
        self.core.queue_by_id(receipt.queue).unwrap().name.clone()
    }

    fn status(&mut self, command: Command) -> SettleStatus {
        match self.apply(command).unwrap() {
            Reply::Settled(results) => results[0].status,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn redrive(&mut self, queue: &str, which: DeadLetters, to: Option<&str>) -> Redriven {
        let command = Command::Redrive { queue: name(queue), which, to: to.map(name), limit: None };
        match self.apply(command).unwrap() {
            Reply::Redriven(redriven) => *redriven,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn gauges(&self, queue: &str) -> QueueGauges {
        self.core.queue(&name(queue)).unwrap().gauges
    }

    pub(crate) fn counters(&self, queue: &str) -> QueueCounters {
        self.core.queue(&name(queue)).unwrap().counters
    }

    /// How many are ready, leased, delayed and dead.
    pub(crate) fn states(&self, queue: &str) -> [u64; 4] {
        let QueueGauges { ready, leased, delayed, dead, .. } = self.gauges(queue);
        [ready, leased, delayed, dead]
    }

    /// The kinds of what happened so far in a queue, in order.
    pub(crate) fn happened(&self) -> Vec<ActivityKind> {
        self.activities.iter().filter(|it| it.queue.is_some()).map(|it| it.what).collect()
    }
}
