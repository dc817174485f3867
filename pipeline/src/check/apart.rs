//! What needs a person: dead letters and outbox rows that were set aside. The orders that they name
//! are set apart, for they are as they are until somebody decides.

use std::collections::BTreeMap;

use super::seen::Seen;

/// What needs a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// By order: what is stuck.
    pub orders: BTreeMap<String, Vec<String>>,
    /// What is stuck and names no order.
    pub nameless: Vec<String>,
}

impl Apart {
    /// Gathers what was seen.
    #[must_use]
    pub fn of(seen: &Seen) -> Self {
        let mut apart = Self::default();
        for (queue, letters) in &seen.dead_letters {
            for letter in letters {
                let reason = letter.reason.as_deref().unwrap_or("no reason given");
                let what = format!("dead letter {} ({}) in {queue}: {reason}", letter.id, letter.r#type);
                apart.add(letter.partitionkey.as_deref(), what);
            }
        }
        for (part, outbox) in &seen.outboxes {
            for row in &outbox.set_aside {
                let error = row.error.as_deref().unwrap_or("no error given");
                let what = format!("outbox row {} ({}) of {part}: {error}", row.id, row.r#type);
                apart.add(row.key.as_deref(), what);
            }
        }
        apart
    }

    fn add(&mut self, order: Option<&str>, what: String) {
        match order {
            Some(order) => self.orders.entry(order.to_owned()).or_default().push(what),
            None => self.nameless.push(what),
        }
    }

    /// Whether that order needs a person.
    #[must_use]
    pub fn names(&self, order: &str) -> bool {
        self.orders.contains_key(order)
    }

    /// Whether nothing needs a person.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.nameless.is_empty()
    }
}
