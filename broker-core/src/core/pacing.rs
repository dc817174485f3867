//! Paced redrives: started, gone on with as time passes, stopped.

use crate::{
    change::{Change, RedriveProgress, RedriveRecord},
    command::DeadLetters,
    core::{Core, Step, redriving::Turnout},
    dead_letter::Chosen,
    identity::{Name, QueueId, RedriveId},
    redrive::Redrive,
    reply::{Refusal, Reply},
    settings::RedriveLimits,
    settings_check::check_pace,
};

/// How many ended redrives are still shown.
const SHOWN_AFTERWARDS: usize = 100;

impl Core {
    pub(super) fn start_redrive(
        &mut self,
        name: &Name,
        which: &DeadLetters,
        to: Option<&Name>,
        limit: Option<u64>,
        per_second: u32,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let from = self.queue_id(name)?;
        to.map_or(Ok(from), |name| self.queue_id(name))?;
        check_pace(per_second)?;
        // Before the list is made, which takes its time.
        self.check_redrives(0)?;
        let Chosen { mut sequences, not_found } = self.queues[&from].choose_dead(which, &self.messages);
        sequences.truncate(usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
        self.check_redrives(sequences.len())?;
        let count = sequences.len() as u64;
        let mut redrive = Redrive::new(RedriveRecord {
            id: RedriveId(self.next_destination()),
            from: name.clone(),
            to: to.unwrap_or(name).clone(),
            per_second,
            started_at: step.now,
            total: count,
            sequences: sequences.into(),
            progress: RedriveProgress::default(),
        });
        redrive.end_if_done(step.now);
        let id = redrive.id();
        step.effects.changes.push(Change::RedrivePut(redrive.record.clone()));
        self.paces.set(id.0, redrive.next_deadline());
        self.redrives.insert(id, redrive);
        self.forget_ended(step);
        Ok(Reply::RedriveStarted { redrive: id, count, not_found })
    }

    pub(super) fn stop_redrive(&mut self, id: RedriveId, step: &mut Step<'_>) -> Result<Reply, Refusal> {
        let redrive = self.redrives.remove(&id).ok_or(Refusal::RedriveNotFound(id))?;
        self.paces.set(id.0, None);
        step.effects.changes.push(Change::RedriveGone(id));
        Ok(Reply::Removed { count: redrive.progress().redriven })
    }

    /// Redrives those whose turn it is.
    pub(super) fn go_on(&mut self, id: RedriveId, budget: &mut usize, step: &mut Step<'_>) {
        let Some(mut redrive) = self.redrives.remove(&id) else { return };
        let before = redrive.progress();
        match self.ends_of(&redrive) {
            Some((from, to)) => self.take_turns(&mut redrive, from, to, budget, step),
            // A folder from where the removal of a queue did not end it.
            None => redrive.end(step.now),
        }
        if redrive.progress() != before {
            step.effects.changes.push(Change::RedriveProgress(id, redrive.progress()));
        }
        self.paces.set(id.0, redrive.next_deadline());
        self.redrives.insert(id, redrive);
    }

    /// Ends those from or to a queue that is removed: another one of its name is none of theirs.
    pub(super) fn end_redrives_of(&mut self, queue: &Name, step: &mut Step<'_>) {
        let running = self.redrives.values_mut().filter(|redrive| !redrive.is_over());
        for redrive in running.filter(|redrive| [&redrive.record.from, &redrive.record.to].contains(&queue)) {
            redrive.end(step.now);
            self.paces.set(redrive.id().0, None);
            step.effects.changes.push(Change::RedriveProgress(redrive.id(), redrive.progress()));
        }
    }

    fn take_turns(
        &mut self,
        redrive: &mut Redrive,
        from: QueueId,
        to: QueueId,
        budget: &mut usize,
        step: &mut Step<'_>,
    ) {
        while *budget > 0
            && let Some(sequence) = redrive.turn(step.now)
        {
            *budget -= 1;
            match self.redrive_one(sequence, from, to, step) {
                Turnout::Redriven => redrive.passed(true),
                Turnout::Gone | Turnout::Held | Turnout::TooLarge => redrive.passed(false),
                Turnout::Full => redrive.wait_for_room(step.now),
            }
        }
        redrive.end_if_done(step.now);
        self.close_step(from, step);
        self.close_step(to, step);
    }

    /// Whether one more may run, with so many dead letters in its list.
    fn check_redrives(&self, more: usize) -> Result<(), Refusal> {
        let running = self.redrives.values().filter(|redrive| !redrive.is_over());
        let (count, listed) =
            running.fold((0, 0), |(count, listed), redrive| (count + 1, listed + redrive.listed()));
        let RedriveLimits { running, dead_letters } = self.redrive_limits;
        if count >= running {
            return Err(Refusal::TooManyRedrives { limit: running, of: "paced redrives that run" });
        }
        if listed + more > dead_letters {
            let of = "dead letters before the paced redrives that run";
            return Err(Refusal::TooManyRedrives { limit: dead_letters, of });
        }
        Ok(())
    }

    fn ends_of(&self, redrive: &Redrive) -> Option<(QueueId, QueueId)> {
        let named = |name| self.queue_id(name).ok();
        Some((named(&redrive.record.from)?, named(&redrive.record.to)?))
    }

    fn forget_ended(&mut self, step: &mut Step<'_>) {
        let ended: Vec<_> = self.redrives.values().filter(|it| it.is_over()).map(Redrive::id).collect();
        for id in ended.iter().take(ended.len().saturating_sub(SHOWN_AFTERWARDS)) {
            self.redrives.remove(id);
            step.effects.changes.push(Change::RedriveGone(*id));
        }
    }
}
