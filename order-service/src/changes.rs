//! Waking those who wait for an order's status to change in this process. Changes made by another
//! process on the same data folder are not heard here: who waits looks again now and then besides.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use events::OrderId;
use tokio::sync::watch;

/// Who waits for which order; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<Mutex<HashMap<OrderId, watch::Sender<()>>>>);

/// One who waits. Changes since it was made are not missed.
#[derive(Debug)]
pub struct Waiting {
    order: OrderId,
    changed: watch::Receiver<()>,
    changes: Changes,
}

impl Changes {
    /// Begins to wait for an order. Look at the order after this, not before.
    #[must_use]
    pub fn wait_for(&self, order: OrderId) -> Waiting {
        let changed = self.lock().entry(order).or_default().subscribe();
        Waiting { order, changed, changes: self.clone() }
    }

    /// An order's status changed, and that is on disk.
    pub fn tell(&self, order: OrderId) {
        if let Some(sender) = self.lock().get(&order) {
            sender.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Waits for the next change.
    pub async fn changed(&mut self) {
        // The sender stays in the map as long as this one waits.
        let _ = self.changed.changed().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.changes.lock();
        // This receiver is still counted.
        if waiting.get(&self.order).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiting.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_hears_a_change_even_before_it_listens() {
        let (changes, order) = (Changes::default(), OrderId::new());
        let mut waiting = changes.wait_for(order);
        changes.tell(order);
        waiting.changed().await;
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
}
