//! The simple model: what each queue shows before a command says what the command must do, and what must
//! hold after it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use broker_core::{
    command::{Command, DeadLetters, Destination, Nack, NackKind, NewMessage, Publish, Receive, When},
    identity::{LeaseId, Name, QueueId, Receipt, Sequence},
    reply::{Delivered, Published, Refusal, Reply, SettleStatus, Settled},
    settings::{BackoffPatch, OnExpiry, Ordering, Overflow, QueueSettingsPatch, TopicSettingsPatch},
    view::{Browsed, DeadLetter, Position, WaitingState},
};
use units::{Size, Timestamp};

use super::operation::{New, Operation, QUEUES, Settle};
use crate::bench::{Bench, message, name, selector};

pub(super) struct Shadow {
    bench: Bench,
    /// Every receipt that was given.
    receipts: Vec<Receipt>,
    /// The latest receipt of each copy.
    latest: BTreeMap<(QueueId, Sequence), Receipt>,
    /// The receipts that a nack ended.
    nacked: BTreeSet<Receipt>,
    /// What the latest lease of each `receive_id` gave.
    received: BTreeMap<(QueueId, u8), Vec<Receipt>>,
    /// Where each copy stands; it never changes.
    positions: BTreeMap<(QueueId, Sequence), Position>,
    acked: BTreeMap<QueueId, u64>,
    delivered: BTreeMap<QueueId, u64>,
}

/// All that can be seen of a queue.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    id: QueueId,
    settings: broker_core::settings::QueueSettings,
    counters: broker_core::counters::QueueCounters,
    gauges: broker_core::counters::QueueGauges,
    oldest_published_at: Option<Timestamp>,
    live: Vec<Browsed>,
    dead: Vec<DeadLetter>,
}

impl Seen {
    fn live(&self, sequence: Sequence) -> Option<&Browsed> {
        self.live.iter().find(|it| it.sequence == sequence)
    }

    fn holds(&self, sequence: Sequence) -> bool {
        self.live(sequence).is_some() || self.dead.iter().any(|it| it.sequence == sequence)
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn queue_name(queue: usize) -> Name {
    name(&format!("queue-{queue}"))
}

/// Small queues of every kind.
fn settings(queue: usize) -> QueueSettingsPatch {
    let backoff = BackoffPatch { initial: Some(ms(500)), max: Some(ms(2000)), ..Default::default() };
    let base = QueueSettingsPatch {
        lease: Some(ms(5000)),
        deduplication_window: Some(ms(3000)),
        max_messages: Some(12),
        max_bytes: Some(Size::bytes(300)),
        backoff,
        ..Default::default()
    };
    match queue {
        0 => base,
        1 => QueueSettingsPatch { ordering: Some(Ordering::Key), ..base },
        2 => QueueSettingsPatch { ordering: Some(Ordering::Fifo), max_deliveries: Some(2), ..base },
        3 => QueueSettingsPatch {
            ordering: Some(Ordering::Key),
            max_messages: Some(5),
            overflow: Some(Overflow::DropOldest),
            ttl: Some(Some(ms(8000))),
            delay: Some(ms(700)),
            ..base
        },
        _ => QueueSettingsPatch {
            max_messages: Some(4),
            overflow: Some(Overflow::DeadLetterOldest),
            ttl: Some(Some(ms(6000))),
            on_expiry: Some(OnExpiry::DeadLetter),
            dead_letter_retention: Some(ms(30_000)),
            max_dead_letters: Some(3),
            ..base
        },
    }
}

impl Shadow {
    pub(super) fn new() -> Self {
        let mut bench = Bench::new();
        for queue in 0..QUEUES {
            bench.put_queue(&format!("queue-{queue}"), settings(queue));
        }
        let window = TopicSettingsPatch { deduplication_window: Some(ms(3000)), ..Default::default() };
        bench.apply(Command::PutTopic { name: name("topic"), settings: window, only_create: false }).unwrap();
        Self {
            bench,
            receipts: Vec::new(),
            latest: BTreeMap::new(),
            nacked: BTreeSet::new(),
            received: BTreeMap::new(),
            positions: BTreeMap::new(),
            acked: BTreeMap::new(),
            delivered: BTreeMap::new(),
        }
    }

    pub(super) fn carry_out(&mut self, operation: Operation) {
        match operation {
            Operation::Publish { to, messages } => self.publish(to, &messages),
            Operation::Receive { queue, max, lease_ms, auto_ack, receive_id, max_bytes } => {
                let request = Receive {
                    queue: queue_name(queue),
                    max,
                    lease: lease_ms.map(ms),
                    max_bytes,
                    auto_ack,
                    consumer: None,
                    receive_id: receive_id.map(|id| Arc::from(format!("receive-{id}"))),
                };
                self.receive(request, receive_id);
            }
            Operation::Settle { how, picks } if !self.receipts.is_empty() => {
                let picked = picks.iter().map(|pick| *pick.get(&self.receipts)).collect();
                self.settle(how, picked);
            }
            Operation::Settle { .. } => {}
            Operation::Wait { ms: length } => self.bench.wait(ms(length)),
            Operation::Restart => self.restart(),
            Operation::Purge { queue } => {
                self.bench.apply(Command::PurgeQueue { name: queue_name(queue) }).unwrap();
                let seen = self.see(&queue_name(queue));
                assert!(seen.live.iter().all(|it| it.state == WaitingState::Leased));
            }
            Operation::Remove { queue, id } => {
                _ = self
                    .bench
                    .apply(Command::RemoveMessage { queue: queue_name(queue), message: selector(id) });
            }
            Operation::Redrive { queue, ids, to, limit } => self.redrive(queue, ids, to, limit),
            Operation::Discard { queue, ids } => {
                let which = which(ids);
                _ = self.bench.apply(Command::DiscardDeadLetters { queue: queue_name(queue), which });
            }
            Operation::Limit { queue, max_messages } => {
                let patch = QueueSettingsPatch { max_messages: Some(max_messages), ..Default::default() };
                self.bench.put_queue(queue_name(queue).as_str(), patch);
            }
            Operation::Recreate { queue } => self.recreate(queue),
            Operation::Subscribe { queue, on_full } => {
                self.bench.subscribe("topic", queue_name(queue).as_str(), on_full);
            }
            Operation::Unsubscribe { queue } => {
                let command = Command::DeleteSubscription { topic: name("topic"), queue: queue_name(queue) };
                _ = self.bench.apply(command);
            }
        }
        self.bench.wait(Duration::ZERO);
        self.check();
    }

    fn see(&self, queue: &Name) -> Seen {
        let view = self.bench.core.queue(queue).unwrap();
        Seen {
            id: view.id,
            settings: view.settings.clone(),
            counters: view.counters,
            gauges: view.gauges,
            oldest_published_at: view.oldest_published_at,
            live: self.bench.core.browse(queue, None, None, usize::MAX),
            dead: self.bench.core.dead_letters(queue, None, usize::MAX),
        }
    }

    fn see_all(&self) -> Vec<Seen> {
        (0..QUEUES).map(|queue| self.see(&queue_name(queue))).collect()
    }

    fn publish(&mut self, to: Option<usize>, messages: &[New]) {
        let before = self.see_all();
        let destination = to
            .map_or_else(|| Destination::Topic(name("topic")), |queue| Destination::Queue(queue_name(queue)));
        let messages: Vec<_> = messages.iter().map(new_message).collect();
        let publish = Publish { destination, messages, require_route: false };
        let result = self.bench.apply(Command::Publish(publish));
        let after = self.see_all();
        match result {
            Ok(Reply::Published(results)) => check_published(to, &results, &before, &after),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => check_refused(&refusal, &before, &after),
        }
    }

    fn receive(&mut self, request: Receive, receive_id: Option<u8>) {
        let before = self.see(&request.queue);
        let again =
            receive_id.and_then(|id| self.received.get(&(before.id, id)).cloned()).unwrap_or_default();
        let again: Vec<_> = again.into_iter().filter(|receipt| self.is_held(*receipt, &before)).collect();
        let auto_ack = request.auto_ack;
        let expected = self.expected(&request, &before);
        let deliveries = self.bench.deliveries(request);
        if !again.is_empty() {
            assert_eq!(deliveries.iter().filter_map(|it| it.receipt).collect::<Vec<_>>(), again);
            return;
        }
        assert_eq!(deliveries.iter().map(|it| it.sequence).collect::<Vec<_>>(), expected);
        *self.delivered.entry(before.id).or_default() += deliveries.len() as u64;
        if auto_ack {
            *self.acked.entry(before.id).or_default() += deliveries.len() as u64;
            return;
        }
        self.take_receipts(&deliveries, before.id, receive_id);
    }

    fn take_receipts(&mut self, deliveries: &[Delivered], queue: QueueId, receive_id: Option<u8>) {
        let given: Vec<_> = deliveries.iter().filter_map(|it| it.receipt).collect();
        for receipt in &given {
            let before = self.latest.insert((queue, receipt.sequence), *receipt);
            assert!(before.is_none_or(|before| before.lease < receipt.lease));
        }
        self.receipts.extend(&given);
        if let Some(id) = receive_id.filter(|_| !given.is_empty()) {
            self.received.insert((queue, id), given);
        }
    }

    /// What a receive must hand out: the oldest ready ones, of each lane the first and only if none of
    /// it is leased.
    fn expected(&self, request: &Receive, seen: &Seen) -> Vec<Sequence> {
        let mut lanes_taken: BTreeSet<Option<Arc<str>>> = BTreeSet::new();
        let lane_of = |sequence| self.lane(sequence, seen.settings.ordering);
        let leased = seen.live.iter().filter(|it| it.state == WaitingState::Leased);
        lanes_taken.extend(leased.filter_map(|it| lane_of(it.sequence)));
        let (mut picked, mut bytes) = (Vec::new(), 0);
        for it in seen.live.iter().filter(|it| it.state != WaitingState::Leased) {
            let not_yet = it.position.at > self.bench.now;
            let free = lane_of(it.sequence).is_none_or(|lane| not_yet || lanes_taken.insert(lane));
            if it.state == WaitingState::Delayed || !free || picked.len() == request.max {
                continue;
            }
            bytes += u64::from(self.bench.disk.messages[&it.sequence].size);
            if bytes > request.max_bytes && !picked.is_empty() {
                break;
            }
            picked.push(it.sequence);
        }
        picked
    }

    fn lane(&self, sequence: Sequence, ordering: Ordering) -> Option<Option<Arc<str>>> {
        match ordering {
            Ordering::None => None,
            Ordering::Key => self.bench.disk.messages[&sequence].key.clone().map(Some),
            Ordering::Fifo => Some(None),
        }
    }

    fn is_held(&self, receipt: Receipt, seen: &Seen) -> bool {
        let leased = seen.live(receipt.sequence).is_some_and(|it| it.state == WaitingState::Leased);
        leased && self.latest.get(&(receipt.queue, receipt.sequence)) == Some(&receipt)
    }

    fn settle(&mut self, how: Settle, mut receipts: Vec<Receipt>) {
        let queue = receipts[0].queue;
        let mut sequences = BTreeSet::new();
        receipts.retain(|receipt| receipt.queue == queue && sequences.insert(receipt.sequence));
        let Some(queue) = self.bench.core.queue_by_id(queue).map(|view| view.name.clone()) else { return };
        let seen = self.see(&queue);
        let expected = self.expected_statuses(how, &receipts, seen.clone());
        let command = match how {
            Settle::Ack => Command::Ack { queue: queue.clone(), receipts },
            Settle::Extend(length) => Command::Extend { queue: queue.clone(), receipts, lease: ms(length) },
            Settle::Nack(kind, delay) => {
                let reason = Some(Arc::from("no"));
                Command::Nack(Nack { queue: queue.clone(), receipts, delay: delay.map(ms), reason, kind })
            }
        };
        let Ok(Reply::Settled(results)) = self.bench.apply(command) else {
            panic!("known receipts are settled")
        };
        assert_eq!(results.iter().map(|it| it.status).collect::<Vec<_>>(), expected);
        self.note_settled(how, &results, &seen);
    }

    /// One after the other: a message that dies may push the oldest dead letter out, and that one's receipt
    /// may come later in the same call.
    fn expected_statuses(&self, how: Settle, receipts: &[Receipt], mut seen: Seen) -> Vec<SettleStatus> {
        let mut expected = Vec::new();
        for receipt in receipts {
            expected.push(self.expected_status(how, *receipt, &seen));
            if self.dies(how, *receipt, &seen) {
                self.bury(receipt.sequence, &mut seen);
            }
        }
        expected
    }

    fn dies(&self, how: Settle, receipt: Receipt, seen: &Seen) -> bool {
        let count = seen.live(receipt.sequence).map(|it| it.delivery_count);
        let last = count.is_some_and(|count| count >= seen.settings.max_deliveries);
        self.is_held(receipt, seen)
            && match how {
                Settle::Nack(NackKind::DeadLetter, _) => true,
                Settle::Nack(NackKind::Failed, _) => last,
                _ => false,
            }
    }

    fn bury(&self, sequence: Sequence, seen: &mut Seen) {
        let place = seen.live.iter().position(|it| it.sequence == sequence).unwrap();
        let Browsed { published_at, delivery_count, .. } = seen.live.remove(place);
        let now = self.bench.now;
        let (first_failed_at, last_failed_at, redrive_count) = (now, now, 0);
        seen.dead.push(DeadLetter {
            sequence,
            since: now,
            published_at,
            delivery_count,
            redrive_count,
            first_failed_at,
            last_failed_at,
        });
        seen.dead.sort_by_key(|it| (it.since, it.sequence));
        if seen.dead.len() as u64 > seen.settings.max_dead_letters {
            seen.dead.remove(0);
        }
    }

    fn expected_status(&self, how: Settle, receipt: Receipt, seen: &Seen) -> SettleStatus {
        if !seen.holds(receipt.sequence) {
            return SettleStatus::AlreadySettled;
        }
        let latest = self.latest.get(&(receipt.queue, receipt.sequence)) == Some(&receipt);
        let leased = seen.live(receipt.sequence).is_some_and(|it| it.state == WaitingState::Leased);
        let nacked = matches!(how, Settle::Nack(..)) && self.nacked.contains(&receipt);
        if latest && (leased || nacked) { SettleStatus::Done } else { SettleStatus::LeaseLost }
    }

    fn note_settled(&mut self, how: Settle, results: &[Settled], before: &Seen) {
        let held = |it: &&Settled| it.status == SettleStatus::Done && self.is_held(it.receipt, before);
        let done: Vec<_> = results.iter().filter(held).map(|it| it.receipt).collect();
        match how {
            Settle::Ack => *self.acked.entry(before.id).or_default() += done.len() as u64,
            Settle::Nack(kind, _) => {
                if kind == NackKind::DeadLetter {
                    let name = self.bench.core.queue_by_id(before.id).unwrap().name.clone();
                    let after = self.see(&name);
                    assert!(done.iter().all(|receipt| after.live(receipt.sequence).is_none()));
                }
                self.nacked.extend(done);
            }
            Settle::Extend(_) => {}
        }
    }

    fn redrive(&mut self, queue: usize, ids: Option<Vec<u64>>, to: usize, limit: Option<u64>) {
        let before = self.see(&queue_name(queue));
        let to = (to != queue).then(|| queue_name(to));
        let target = to.as_ref().map_or(before.id, |to| self.see(to).id);
        let command = Command::Redrive { queue: queue_name(queue), which: which(ids), to, limit };
        let Ok(Reply::Redriven(redriven)) = self.bench.apply(command) else {
            panic!("a redrive is never refused")
        };
        assert!(limit.is_none_or(|limit| redriven.sequences.len() as u64 <= limit));
        for sequence in redriven.sequences {
            assert!(before.dead.iter().any(|it| it.sequence == sequence));
            if target != before.id {
                // Whatever copy the other queue once had of it, this is another.
                self.latest.remove(&(before.id, sequence));
                self.latest.remove(&(target, sequence));
                self.positions.remove(&(target, sequence));
            }
            if let Some(place) = self.positions.remove(&(before.id, sequence)) {
                // It keeps its place; one that died before its delay was over takes it now.
                let at = place.at.min(self.bench.now);
                self.positions.insert((target, sequence), Position { at, ..place });
            }
        }
    }

    fn recreate(&mut self, queue: usize) {
        let subscribed = self.bench.core.subscriptions(&name("topic"));
        let on_full = subscribed.iter().find(|it| *it.queue_name == queue_name(queue)).map(|it| it.on_full);
        self.bench.apply(Command::DeleteQueue { name: queue_name(queue), force: true }).unwrap();
        self.bench.put_queue(queue_name(queue).as_str(), settings(queue));
        if let Some(on_full) = on_full {
            self.bench.subscribe("topic", queue_name(queue).as_str(), on_full);
        }
    }

    /// A restart shows the same as before it.
    fn restart(&mut self) {
        let before = (self.see_all(), self.subscriptions());
        self.bench.restart();
        for (after, before) in self.see_all().iter().zip(before.0) {
            assert_eq!(*after, before);
        }
        assert_eq!(self.subscriptions(), before.1);
    }

    fn subscriptions(&self) -> Vec<(QueueId, broker_core::settings::OnFull, u64)> {
        let subscriptions = self.bench.core.subscriptions(&name("topic"));
        subscriptions.iter().map(|it| (it.queue, it.on_full, it.dropped)).collect()
    }

    /// What holds after every step.
    fn check(&mut self) {
        let all = self.see_all();
        for seen in &all {
            self.check_queue(seen);
        }
        let held: BTreeSet<_> = all.iter().flat_map(|seen| seen.live.iter().map(|it| it.sequence)).collect();
        let dead = all.iter().flat_map(|seen| seen.dead.iter().map(|it| it.sequence));
        let held: BTreeSet<_> = held.into_iter().chain(dead).collect();
        assert!(
            self.bench.disk.messages.keys().eq(held.iter()),
            "a message is stored as long as a queue holds it"
        );
        let leased: BTreeSet<LeaseId> = all.iter().flat_map(|seen| self.leases(seen)).collect();
        assert!(
            self.bench.disk.leases.keys().eq(leased.iter()),
            "a lease is stored as long as it holds something"
        );
        let failed = self.bench.disk.failures.keys();
        assert!(failed.into_iter().all(|(sequence, _)| held.contains(sequence)));
    }

    fn leases(&self, seen: &Seen) -> Vec<LeaseId> {
        let leased = seen.live.iter().filter(|it| it.state == WaitingState::Leased);
        leased.map(|it| self.latest[&(seen.id, it.sequence)].lease).collect()
    }

    fn check_queue(&mut self, seen: &Seen) {
        let count = |state| seen.live.iter().filter(|it| it.state == state).count() as u64;
        let gauges = seen.gauges;
        assert_eq!(gauges.ready, count(WaitingState::Ready));
        assert_eq!(gauges.leased, count(WaitingState::Leased));
        assert_eq!(gauges.delayed, count(WaitingState::Delayed));
        assert_eq!(gauges.dead, seen.dead.len() as u64);
        let bytes =
            seen.live.iter().map(|it| u64::from(self.bench.disk.messages[&it.sequence].size)).sum::<u64>();
        assert_eq!(gauges.bytes, bytes);
        assert!(gauges.dead <= seen.settings.max_dead_letters);
        assert_eq!(seen.counters.acked, self.acked.get(&seen.id).copied().unwrap_or_default());
        assert_eq!(seen.counters.delivered, self.delivered.get(&seen.id).copied().unwrap_or_default());
        self.check_positions(seen);
        self.check_lanes(seen);
    }

    fn check_positions(&mut self, seen: &Seen) {
        assert!(seen.live.is_sorted_by_key(|it| it.position));
        for it in &seen.live {
            let first = *self.positions.entry((seen.id, it.sequence)).or_insert(it.position);
            assert_eq!(it.position, first, "a message keeps its place");
        }
    }

    fn check_lanes(&self, seen: &Seen) {
        let mut lanes = BTreeSet::new();
        for it in seen.live.iter().filter(|it| it.state == WaitingState::Leased) {
            let lane = self.lane(it.sequence, seen.settings.ordering);
            assert!(lane.is_none_or(|lane| lanes.insert(lane)), "two of a lane are leased");
        }
    }
}

fn new_message(new: &New) -> NewMessage {
    NewMessage {
        key: new.key.map(|key| Arc::from(format!("key-{key}"))),
        size: new.size,
        available: new.delay_ms.map(|delay| When::After(ms(delay))),
        expires: new.ttl_ms.map(|ttl| When::After(ms(ttl))),
        fingerprint: u64::from(new.other_content),
        ..message(new.id)
    }
}

fn which(ids: Option<Vec<u64>>) -> DeadLetters {
    ids.map_or(DeadLetters::All, |ids| DeadLetters::Ids(ids.into_iter().map(selector).collect()))
}

/// Every copy that was promised was placed, and no limit was passed by it.
fn check_published(to: Option<usize>, results: &[Published], before: &[Seen], after: &[Seen]) {
    let promised: u64 = results.iter().filter(|it| !it.duplicate).map(|it| u64::from(it.queues)).sum();
    let grown = |queue: usize| after[queue].counters.published - before[queue].counters.published;
    let died = |queue: usize| {
        let (before, after) = (&before[queue], &after[queue]);
        let on_arrival = after.settings.overflow != Overflow::DeadLetterOldest;
        if on_arrival { after.counters.dead_lettered - before.counters.dead_lettered } else { 0 }
    };
    let placed: u64 = (0..QUEUES).map(grown).sum();
    let dead: u64 = (0..QUEUES).map(died).sum();
    match to {
        Some(queue) => assert_eq!((grown(queue), placed), (promised, promised)),
        // A subscriber that lets its oldest die may also get a message as a dead letter.
        None => assert!(placed - dead >= promised && promised <= placed),
    }
    for (before, after) in before.iter().zip(after) {
        let live = |seen: &Seen| seen.live.len() as u64;
        assert!(live(after) <= live(before).max(after.settings.max_messages));
        assert!(after.gauges.bytes <= before.gauges.bytes.max(after.settings.max_bytes.get()));
    }
}

/// Nothing changed but the count of refused messages of the queue that is named.
fn check_refused(refusal: &Refusal, before: &[Seen], after: &[Seen]) {
    for (queue, (before, after)) in before.iter().zip(after).enumerate() {
        let mut expected = before.clone();
        if let Refusal::QueueFull { queue: full, .. } | Refusal::NeverFits { queue: full, .. } = refusal
            && *full == queue_name(queue)
        {
            assert!(after.counters.rejected > before.counters.rejected);
            expected.counters.rejected = after.counters.rejected;
        }
        assert_eq!(*after, expected);
    }
}
