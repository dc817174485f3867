//! Paced redrives of the model.

use std::time::Duration;

use broker_core::{
    change::RedriveProgress,
    command::DeadLetters,
    identity::{Name, RedriveId, Sequence},
    reply::{Refusal, Reply},
    settings::RedriveLimits,
};
use units::Timestamp;

use super::{Model, dead::Turnout};

/// How long one waits for room in a full queue before it looks again.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(1);
/// How far one may fall behind its pace; what is beyond is not made up for.
const LONGEST_LAG: Duration = Duration::from_secs(1);
/// How many that ended are still shown.
const SHOWN_AFTERWARDS: usize = 100;

/// How many run, small enough to be reached.
pub(crate) const LIMITS: RedriveLimits = RedriveLimits { running: 3, dead_letters: 8 };

/// A paced redrive.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Redrive {
    pub from: Name,
    pub to: Name,
    pub per_second: u32,
    pub started_at: Timestamp,
    /// How many dead letters it began with.
    pub total: u64,
    /// Those, while it runs.
    pub sequences: Vec<Sequence>,
    pub progress: RedriveProgress,
    pub waits_for_room: bool,
    /// Since when its pace counts, and how many were redriven since.
    since: Timestamp,
    done: u64,
}

impl Redrive {
    /// How many are still to have their turn.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.total - self.progress.passed
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let millis = (self.done * 1000).div_ceil(u64::from(self.per_second));
        self.progress.ended_at.is_none().then(|| self.since.plus(Duration::from_millis(millis)))
    }

    pub(super) fn restart(&mut self, now: Timestamp) {
        (self.since, self.done, self.waits_for_room) = (now, 0, false);
    }

    pub(super) fn end_if(&mut self, over: bool, now: Timestamp) {
        if over {
            self.waits_for_room = false;
            self.progress.ended_at.get_or_insert(now);
            self.sequences.clear();
        }
    }

    fn passed(&mut self, was_redriven: bool) {
        self.waits_for_room = false;
        self.progress.passed += 1;
        self.progress.redriven += u64::from(was_redriven);
        self.done += u64::from(was_redriven);
    }
}

impl Model {
    pub(super) fn start_redrive(
        &mut self,
        name: &Name,
        which: &DeadLetters,
        to: Option<&Name>,
        limit: Option<u64>,
        per_second: u32,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let to = to.unwrap_or(name);
        let there = |name: &Name| self.queues.get(name).ok_or_else(|| Refusal::QueueNotFound(name.clone()));
        let (mut sequences, not_found) = there(name)?.meant(which);
        there(to)?;
        sequences.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
        self.check_redrives(sequences.len())?;
        let id = RedriveId(self.next_destination());
        let mut redrive = Redrive {
            from: name.clone(),
            to: to.clone(),
            per_second,
            started_at: now,
            total: sequences.len() as u64,
            sequences,
            progress: RedriveProgress::default(),
            waits_for_room: false,
            since: now,
            done: 0,
        };
        let count = redrive.remaining();
        redrive.end_if(count == 0, now);
        self.redrives.insert(id, redrive);
        let ended = self.redrives.iter().filter(|(_, it)| it.progress.ended_at.is_some());
        let ended: Vec<_> = ended.map(|(id, _)| *id).collect();
        for id in &ended[..ended.len().saturating_sub(SHOWN_AFTERWARDS)] {
            self.redrives.remove(id);
        }
        Ok(Reply::RedriveStarted { redrive: id, count, not_found })
    }

    fn check_redrives(&self, more: usize) -> Result<(), Refusal> {
        let RedriveLimits { running, dead_letters } = LIMITS;
        let lists = self.redrives.values().filter(|it| it.progress.ended_at.is_none());
        let lists: Vec<_> = lists.map(|it| it.sequences.len()).collect();
        if lists.len() >= running {
            return Err(Refusal::TooManyRedrives { limit: running, of: "paced redrives that run" });
        }
        if lists.iter().sum::<usize>() + more > dead_letters {
            let of = "dead letters before the paced redrives that run";
            return Err(Refusal::TooManyRedrives { limit: dead_letters, of });
        }
        Ok(())
    }

    /// Redrives those whose turn it is.
    pub(super) fn go_on(&mut self, id: RedriveId, now: Timestamp) {
        let Some(mut redrive) = self.redrives.remove(&id) else { return };
        if self.queues.contains_key(&redrive.from) && self.queues.contains_key(&redrive.to) {
            while let Some(due) = redrive.deadline().filter(|due| *due <= now) {
                if now.since(due) > LONGEST_LAG {
                    (redrive.since, redrive.done) = (now, 0);
                }
                let Some(sequence) = redrive.sequences.get(redrive.progress.passed as usize) else { break };
                match self.redrive_one(*sequence, &redrive.from, &redrive.to, now) {
                    Turnout::Redriven => redrive.passed(true),
                    Turnout::Gone | Turnout::Held => redrive.passed(false),
                    Turnout::Full => {
                        redrive.waits_for_room = true;
                        (redrive.since, redrive.done) = (now.plus(WAIT_FOR_ROOM), 0);
                    }
                }
            }
            redrive.end_if(redrive.remaining() == 0, now);
        } else {
            redrive.end_if(true, now);
        }
        self.redrives.insert(id, redrive);
    }
}
