//! A budget of bytes that many share: what is held at a time stays below it, or a little above where one
//! thing alone is larger.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// So many bytes; clones share them.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, held: AtomicUsize::new(0) }))
    }

    /// How much is not held now.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.limit.saturating_sub(self.0.held.load(Ordering::Acquire))
    }

    /// A share that holds nothing yet.
    #[must_use]
    pub fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// What one holder has of a budget; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Holds so many more bytes; false when they are not left, and then it holds what it held.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let Inner { limit, held } = &*self.budget.0;
        let more = |held: usize| held.checked_add(bytes).filter(|after| after <= limit);
        let grown = held.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok();
        if grown {
            self.bytes += bytes;
        }
        grown
    }

    /// Holds so many more bytes even where they are not left: they are there already.
    pub fn force(&mut self, bytes: usize) {
        self.budget.0.held.fetch_add(bytes, Ordering::AcqRel);
        self.bytes += bytes;
    }

    /// Gives all back.
    pub fn give_back(&mut self) {
        self.budget.0.held.fetch_sub(std::mem::take(&mut self.bytes), Ordering::AcqRel);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_back_when_its_holder_goes() {
        let budget = Budget::new(10);
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.grow(6) && other.grow(4));
        assert!(!other.grow(1));
        other.force(5);
        assert_eq!(budget.left(), 0);
        drop(one);
        assert_eq!(budget.left(), 1);
        other.give_back();
        assert_eq!(budget.left(), 10);
    }
}
