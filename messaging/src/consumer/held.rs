//! What is held and not begun, in order; and which keys are at work. One message of a key at a time,
//! whatever the transport hands out.

use std::collections::{HashSet, VecDeque};

use crate::{event::Event, transport::Receipt};

/// A delivery that can be handled.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) event: Event,
    /// None where it was handed out at most once.
    pub(super) receipt: Option<Receipt>,
    pub(super) delivery_count: u32,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: VecDeque<Task>,
    busy: HashSet<String>,
}

impl Held {
    pub(super) fn push(&mut self, task: Task) {
        self.waiting.push_back(task);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes the next whose key is not at work, and marks its key as at work.
    pub(super) fn next(&mut self) -> Option<Task> {
        let is_free = |task: &Task| task.event.partition_key().is_none_or(|key| !self.busy.contains(key));
        let at = self.waiting.iter().position(is_free)?;
        let task = self.waiting.remove(at)?;
        self.busy.extend(task.event.partition_key().map(str::to_owned));
        Some(task)
    }

    /// The key's message has left: the next of that key may begin.
    pub(super) fn free(&mut self, event: &Event) {
        if let Some(key) = event.partition_key() {
            self.busy.remove(key);
        }
    }

    /// Takes out what waits behind a message that failed and will come again: it must not overtake.
    pub(super) fn behind(&mut self, event: &Event) -> Vec<Task> {
        let Some(key) = event.partition_key() else { return Vec::new() };
        if !self.waiting.iter().any(|task| task.event.partition_key() == Some(key)) {
            return Vec::new();
        }
        let (behind, others): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|task| task.event.partition_key() == Some(key));
        self.waiting = others.into();
        behind
    }

    /// Takes out all that waits.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Task> {
        self.waiting.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(key: Option<&str>, n: u32) -> Task {
        let event = Event::new("/s", "t", &n);
        let event = match key {
            Some(key) => event.with_partition_key(key),
            None => event,
        };
        Task { event, receipt: None, delivery_count: n }
    }

    fn held(tasks: impl IntoIterator<Item = Task>) -> Held {
        let mut held = Held::default();
        tasks.into_iter().for_each(|task| held.push(task));
        held
    }

    fn next(held: &mut Held) -> Option<u32> {
        held.next().map(|task| task.delivery_count)
    }

    #[test]
    fn one_message_of_a_key_is_at_work_while_other_keys_go_on() {
        let mut held =
            held([task(Some("a"), 1), task(Some("a"), 2), task(Some("b"), 3), task(None, 4), task(None, 5)]);
        assert_eq!(
            [next(&mut held), next(&mut held), next(&mut held), next(&mut held)],
            [Some(1), Some(3), Some(4), Some(5)]
        );
        assert_eq!(next(&mut held), None);
        held.free(&task(Some("a"), 1).event);
        assert_eq!(next(&mut held), Some(2));
    }

    #[test]
    fn what_waits_behind_a_failed_message_is_taken_out_and_nothing_else() {
        let mut held = held([task(Some("a"), 1), task(Some("b"), 2), task(Some("a"), 3), task(None, 4)]);
        let behind = held.behind(&task(Some("a"), 9).event);
        assert_eq!(behind.iter().map(|task| task.delivery_count).collect::<Vec<_>>(), [1, 3]);
        assert_eq!([next(&mut held), next(&mut held), next(&mut held)], [Some(2), Some(4), None]);
    }
}
