//! What was answered, and what became of each message: what was acknowledged has to be found, and what was
//! refused must not.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A message of the flood: who published it, and the how manyth it was.
pub(super) type Id = (u32, u32);

/// How many answers of which kind came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// 2xx.
    pub good: u64,
    /// 429 and 503, with a time to come again.
    pub refused: u64,
    /// Connections that ended before an answer came.
    pub unanswered: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Acknowledged,
    Refused,
    /// It may have been stored or not.
    Unanswered,
}

#[derive(Default)]
struct State {
    answers: Answers,
    fates: HashMap<Id, Fate>,
    found: HashMap<Id, u32>,
    faults: Vec<String>,
}

/// The account of a run.
#[derive(Default)]
pub(super) struct Ledger(Mutex<State>);

/// An answer, as far as it matters here.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) has_retry_after: bool,
    pub(super) text: String,
}

impl Answered {
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Ledger {
    /// Notes an answer, or that none came.
    pub(super) fn answer(&self, answered: Option<&Answered>) {
        let mut state = self.lock();
        match answered {
            None => state.answers.unanswered += 1,
            Some(answered) if answered.is_good() => state.answers.good += 1,
            Some(Answered { status: 429 | 503, has_retry_after: true, .. }) => state.answers.refused += 1,
            Some(Answered { status, text, .. }) => {
                let fault = format!("an answer that must not be: {status} {text}");
                if state.faults.len() < 10 {
                    state.faults.push(fault);
                }
            }
        }
    }

    /// Notes what a publish was answered.
    pub(super) fn publish(&self, id: Id, answered: Option<&Answered>) {
        self.answer(answered);
        let fate = match answered {
            None => Fate::Unanswered,
            Some(answered) if answered.is_good() => Fate::Acknowledged,
            Some(_) => Fate::Refused,
        };
        self.lock().fates.insert(id, fate);
    }

    /// Notes messages that were received, and whether it was this receipt that settled them.
    pub(super) fn found(&self, messages: Vec<(Id, bool)>) {
        let mut state = self.lock();
        for (id, settled) in messages {
            *state.found.entry(id).or_default() += u32::from(settled);
        }
    }

    pub(super) fn answers(&self) -> Answers {
        self.lock().answers
    }

    /// How many messages were acknowledged.
    pub(super) fn published(&self) -> usize {
        self.lock().fates.values().filter(|fate| **fate == Fate::Acknowledged).count()
    }

    /// Which were acknowledged and not found.
    pub(super) fn lost(&self) -> Vec<Id> {
        let state = self.lock();
        let acknowledged = state.fates.iter().filter(|(_, fate)| **fate == Fate::Acknowledged);
        acknowledged.map(|(id, _)| *id).filter(|id| !state.found.contains_key(id)).collect()
    }

    /// What must not be.
    pub(super) fn faults(&self) -> Vec<String> {
        let lost = self.lost();
        let state = self.lock();
        let mut faults = state.faults.clone();
        if !lost.is_empty() {
            faults.push(format!("{} acknowledged messages are lost, such as {:?}", lost.len(), lost[0]));
        }
        for (id, times) in &state.found {
            match state.fates.get(id) {
                Some(Fate::Refused) => faults.push(format!("{id:?} was refused and is there all the same")),
                None => faults.push(format!("{id:?} was never published")),
                _ if *times > 1 => faults.push(format!("{id:?} was acked {times} times")),
                _ => {}
            }
        }
        faults
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
