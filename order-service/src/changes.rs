//! Waking those who wait for an order's status to change in this process. Changes made by another
//! process on the same data folder are not heard here: who waits looks again now and then besides.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use events::OrderId;
use tokio::sync::watch;

use crate::order::Order;

/// An order as its last change left it; `None` before one.
type Changed = Option<Arc<Order>>;

/// Who waits for which order; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<Mutex<HashMap<OrderId, watch::Sender<Changed>>>>);

/// One who waits. Changes since it was made are not missed.
#[derive(Debug)]
pub struct Waiting {
    order: OrderId,
    /// There until it is dropped.
    changed: Option<watch::Receiver<Changed>>,
    changes: Changes,
}

impl Changes {
    /// Begins to wait for an order. Look at the order after this, not before.
    #[must_use]
    pub fn wait_for(&self, order: OrderId) -> Waiting {
        let changed = self.lock().entry(order).or_default().subscribe();
        Waiting { order, changed: Some(changed), changes: self.clone() }
    }

    /// An order's status changed, and that is on disk.
    pub fn tell(&self, order: Order) {
        if let Some(sender) = self.lock().get(&order.id) {
            sender.send_replace(Some(Arc::new(order)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, watch::Sender<Changed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Waits for the next change: the order as it left it. `None` where nobody can tell of one any more.
    pub async fn changed(&mut self) -> Option<Arc<Order>> {
        let changed = self.changed.as_mut()?;
        changed.changed().await.ok()?;
        changed.borrow_and_update().clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.changes.lock();
        // Under the lock, so that of those who stop at once the last one finds that it is the last.
        drop(self.changed.take());
        if waiting.get(&self.order).is_some_and(|sender| sender.receiver_count() == 0) {
            waiting.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use events::{Customer, Money};
    use units::Timestamp;

    use super::*;
    use crate::order::Status;

    fn order() -> Order {
        Order {
            id: OrderId::new(),
            status: Status::Confirmed,
            customer: Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() },
            lines: vec![],
            total: Money::eur(1),
            payment_method: "pm_card_visa".to_owned(),
            created_at: Timestamp::from_millis(1),
            updated_at: Timestamp::from_millis(2),
            timeline: vec![],
            attention: vec![],
        }
    }

    #[tokio::test]
    async fn who_waits_hears_a_change_even_before_it_listens() {
        let (changes, order) = (Changes::default(), order());
        let mut waiting = changes.wait_for(order.id);
        changes.tell(order.clone());
        assert_eq!(waiting.changed().await.as_deref(), Some(&order));
    }

    #[tokio::test]
    async fn where_nobody_can_tell_of_a_change_any_more_the_wait_ends() {
        let changes = Changes::default();
        let mut waiting = changes.wait_for(OrderId::new());
        changes.lock().clear();
        assert_eq!(waiting.changed().await, None);
    }

    #[test]
    fn nothing_is_kept_of_those_who_no_longer_wait() {
        let (changes, order) = (Changes::default(), OrderId::new());
        let (first, second) = (changes.wait_for(order), changes.wait_for(order));
        drop(first);
        assert_eq!(changes.lock().len(), 1);
        drop(second);
        assert!(changes.lock().is_empty());
    }

    /// Many try, as two must meet between the lock and what comes after it.
    #[test]
    fn of_those_who_stop_waiting_at_once_the_last_leaves_nothing() {
        let orders: Vec<OrderId> = (0..20_000).map(|_| OrderId::new()).collect();
        for round in 0..10 {
            let changes = Changes::default();
            stop_waiting_at_once(&changes, &orders);
            assert_eq!(changes.lock().len(), 0, "round {round}");
        }
    }

    /// Four threads, each of which waits for all orders.
    fn stop_waiting_at_once(changes: &Changes, orders: &[OrderId]) {
        let gate = &Barrier::new(4);
        thread::scope(|threads| {
            for _ in 0..4 {
                let waiting: Vec<Waiting> = orders.iter().map(|order| changes.wait_for(*order)).collect();
                threads.spawn(move || {
                    gate.wait();
                    drop(waiting);
                });
            }
        });
    }
}
