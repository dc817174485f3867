//! What the clients know of every message, by what the broker answered, and what it must therefore never do.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{delivery::Delivery, topology::QUEUES};

/// How many faults are kept.
const MOST_FAULTS: usize = 20;

/// Messages that are published by one request, all or none.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// The queues that each of them goes to.
    pub(super) queues: &'static [usize],
    /// Their numbers, which are their ids, with their keys.
    pub(super) messages: Vec<(u64, Option<u64>)>,
    /// Whether a request for them was sent and not answered.
    pub(super) unsure: bool,
}

impl Batch {
    fn copies(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.queues.iter().flat_map(|queue| self.messages.iter().map(|(number, _)| (*queue, *number)))
    }
}

/// How far a message's way into a queue is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Published {
    /// Sent; it may be there or not.
    Perhaps,
    /// Answered with 2xx: it is there.
    Surely,
    /// Refused: it is not there.
    Refused,
}

/// A message in one queue.
#[derive(Debug)]
struct Copy {
    published: Published,
    key: Option<u64>,
    /// The broker's own number of it, by its receipts: another one is a second message under the same id.
    message: Option<u64>,
    latest_lease: u64,
    deliveries: u32,
    /// Since when an ack of it was answered `done` or `already-settled`.
    settled: Option<Instant>,
    /// Whether an ack of it was answered `done`, which happens once.
    done: bool,
    /// Acks whose answer is not known, or not yet.
    unknown_acks: u32,
}

/// What a queue's totals must be between.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Answered publishes.
    pub(super) surely: u64,
    /// Publishes that may have been carried out.
    pub(super) perhaps: u64,
    /// Answered acks.
    pub(super) settled: u64,
    /// Acks that may have been carried out.
    pub(super) perhaps_settled: u64,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Happened {
    pub(super) redelivered: u64,
    pub(super) duplicates: u64,
    pub(super) fenced: u64,
    pub(super) refused: u64,
}

#[derive(Debug, Default)]
struct Books {
    next: u64,
    /// How many copies of each queue are sent and not settled.
    open: [usize; QUEUES.len()],
    copies: HashMap<(usize, u64), Copy>,
    /// What is not settled, of each key of each queue that keeps order by key.
    lanes: HashMap<(usize, u64), BTreeSet<u64>>,
    /// Batches that were given up without an answer.
    given_up: Vec<Batch>,
    /// The moment of the latest start.
    started: Option<Instant>,
    happened: Happened,
    faults: Vec<String>,
}

/// The books of all clients.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<Books>);

impl Account {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers for so many new messages.
    pub(super) fn numbers(&self, count: u64) -> std::ops::Range<u64> {
        let mut books = self.books();
        books.next += count;
        books.next - count..books.next
    }

    /// How many copies of the fullest of these queues were sent and not settled.
    pub(super) fn open(&self, queues: &[usize]) -> usize {
        let books = self.books();
        queues.iter().map(|queue| books.open[*queue]).max().unwrap_or_default()
    }

    /// A batch is about to be sent.
    pub(super) fn sending(&self, batch: &Batch) {
        let mut books = self.books();
        for (queue, number) in batch.copies() {
            let key = batch.messages.iter().find(|(other, _)| *other == number).and_then(|(_, key)| *key);
            let new = Copy {
                published: Published::Perhaps,
                key: key.filter(|_| QUEUES[queue].by_key),
                message: None,
                latest_lease: 0,
                deliveries: 0,
                settled: None,
                done: false,
                unknown_acks: 0,
            };
            let books = &mut *books;
            let open = &mut books.open[queue];
            let copy = books.copies.entry((queue, number)).or_insert_with(|| {
                *open += 1;
                new
            });
            if copy.published == Published::Refused {
                copy.published = Published::Perhaps;
            }
            if let Some(key) = copy.key.filter(|_| copy.settled.is_none()) {
                books.lanes.entry((queue, key)).or_default().insert(number);
            }
        }
    }

    /// A batch was answered with 2xx; each message with whether it was called a duplicate.
    pub(super) fn published(&self, batch: &Batch, duplicates: &[bool]) {
        let mut books = self.books();
        for (queue, number) in batch.copies() {
            let place = batch.messages.iter().position(|(other, _)| *other == number);
            let duplicate = place.and_then(|place| duplicates.get(place)).copied().unwrap_or_default();
            let copy = books.copies.get_mut(&(queue, number)).expect("it was sent");
            let again = copy.published == Published::Surely;
            copy.published = Published::Surely;
            books.happened.duplicates += u64::from(duplicate);
            if again && !duplicate {
                books.fault(format!("{number} was published twice to {}", QUEUES[queue].name));
            } else if duplicate && !again && !batch.unsure {
                books.fault(format!("{number} is called a duplicate in {}", QUEUES[queue].name));
            }
        }
    }

    /// A batch was refused: unless a request before was not answered, none of it is there.
    pub(super) fn refused(&self, batch: &Batch) {
        let mut books = self.books();
        books.happened.refused += 1;
        for copy in batch.copies() {
            let copy = books.copies.get_mut(&copy).expect("it was sent");
            if copy.published == Published::Perhaps && !batch.unsure {
                copy.published = Published::Refused;
            }
        }
    }

    /// A batch that was not answered is not sent again.
    pub(super) fn given_up(&self, batch: Batch) {
        self.books().given_up.push(batch);
    }

    /// A message was handed out to a receive that was sent at that moment.
    pub(super) fn delivered(&self, delivery: &Delivery, asked: Instant) {
        let mut books = self.books();
        let place = (delivery.queue, delivery.number);
        let started = books.started;
        let Some(copy) = books.copies.get_mut(&place) else {
            return books.fault(format!("{delivery:?} was never published there"));
        };
        copy.deliveries += 1;
        let again = copy.deliveries > 1;
        copy.latest_lease = copy.latest_lease.max(delivery.lease);
        let other = copy.message.replace(delivery.message).is_some_and(|known| known != delivery.message);
        let settled =
            copy.settled.is_some_and(|at| at < asked || started.is_some_and(|started| at < started));
        let (refused, key) = (copy.published == Published::Refused, copy.key);
        books.happened.redelivered += u64::from(again);
        if other {
            books.fault(format!("{delivery:?} is there twice under its id"));
        }
        if settled {
            books.fault(format!("{delivery:?} comes again after its ack was answered"));
        }
        if refused {
            books.fault(format!("{delivery:?} comes although its publish was refused"));
        }
        if let Some(key) = key {
            books.check_order(delivery, key);
        }
    }

    /// An ack is about to be sent. Whether a newer lease is known, so that it must not act.
    pub(super) fn acking(&self, delivery: &Delivery) -> bool {
        let mut books = self.books();
        let copy = books.copies.get_mut(&(delivery.queue, delivery.number)).expect("it was delivered");
        copy.unknown_acks += 1;
        copy.latest_lease > delivery.lease
    }

    /// Whether a newer lease of a delivery is known.
    pub(super) fn is_fenced(&self, delivery: &Delivery) -> bool {
        let books = self.books();
        let copy = books.copies.get(&(delivery.queue, delivery.number)).expect("it was delivered");
        copy.latest_lease > delivery.lease
    }

    /// How an ack was answered.
    pub(super) fn acked(&self, delivery: &Delivery, fenced: bool, status: &str) {
        self.settled_otherwise(delivery, fenced, status);
        let mut books = self.books();
        let copy = books.copies.get_mut(&(delivery.queue, delivery.number)).expect("it was delivered");
        copy.unknown_acks -= 1;
        let twice = status == "done" && std::mem::replace(&mut copy.done, true);
        if status != "lease-lost" {
            let is_new = copy.settled.replace(copy.settled.unwrap_or_else(Instant::now)).is_none();
            let key = copy.key;
            books.open[delivery.queue] -= usize::from(is_new);
            if let Some(key) = key {
                books.lanes.entry((delivery.queue, key)).or_default().remove(&delivery.number);
            }
        }
        if twice {
            books.fault(format!("{delivery:?} was acked, and another delivery of it before"));
        }
    }

    /// How a nack or an extend was answered.
    pub(super) fn settled_otherwise(&self, delivery: &Delivery, fenced: bool, status: &str) {
        let mut books = self.books();
        books.happened.fenced += u64::from(fenced);
        if fenced && status == "done" {
            books.fault(format!("{delivery:?} acted although a newer lease was given"));
        }
    }

    /// The broker was started again: nothing that was settled before may come from now on.
    pub(super) fn started(&self) {
        self.books().started = Some(Instant::now());
    }

    /// What the totals of each queue must be between, while no request is open.
    pub(super) fn totals(&self) -> Vec<Totals> {
        let books = self.books();
        let mut totals = vec![Totals::default(); QUEUES.len()];
        for ((queue, _), copy) in &books.copies {
            let total = &mut totals[*queue];
            match copy.published {
                Published::Surely => total.surely += 1,
                Published::Perhaps => total.perhaps += 1,
                Published::Refused => {}
            }
            match copy.settled {
                Some(_) => total.settled += 1,
                None => total.perhaps_settled += u64::from(copy.unknown_acks > 0),
            }
        }
        totals
    }

    /// How much happened so far.
    pub(super) fn happened(&self) -> Happened {
        self.books().happened
    }

    /// Notes that something is wrong.
    pub(super) fn fault(&self, what: String) {
        self.books().fault(what);
    }

    /// What is wrong so far.
    pub(super) fn faults(&self) -> Vec<String> {
        self.books().faults.clone()
    }

    /// When all queues are empty: everything that was answered came and was settled, and of what was not
    /// answered either all of a request came or nothing.
    pub(super) fn close(&self) {
        let mut books = self.books();
        let lost = books.copies.iter().filter(|(_, copy)| {
            copy.published == Published::Surely && copy.settled.is_none() && copy.unknown_acks == 0
        });
        let lost: Vec<_> = lost.map(|(place, copy)| (*place, copy.deliveries)).collect();
        for ((queue, number), deliveries) in lost {
            books.fault(format!("{number} of {} is lost ({deliveries} deliveries)", QUEUES[queue].name));
        }
        for batch in std::mem::take(&mut books.given_up) {
            let came = batch.copies().filter(|copy| books.copies[copy].deliveries > 0).count();
            if came > 0 && came < batch.copies().count() {
                books.fault(format!("{came} copies came of {batch:?}"));
            }
        }
    }
}

impl Books {
    /// Of a key, nothing is handed out while an older one waits or is in somebody's hands.
    fn check_order(&mut self, delivery: &Delivery, key: u64) {
        let Some(lane) = self.lanes.get(&(delivery.queue, key)) else { return };
        let overtaken = lane.range(..delivery.number).find(|number| {
            let copy = &self.copies[&(delivery.queue, **number)];
            // One that nobody saw and whose publish was not answered may not be there.
            copy.unknown_acks == 0 && (copy.published == Published::Surely || copy.deliveries > 0)
        });
        if let Some(number) = overtaken.copied() {
            self.fault(format!("{delivery:?} overtakes {number} of the same key"));
        }
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(what);
        }
    }
}
