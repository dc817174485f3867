//! One group: asked, stepped, and each answer compared; or the broker died of it, and what it left is one
//! of few things.

use std::sync::Arc;

use broker::Delivery;
use broker_core::{
    Why,
    command::{Command, Receive},
    identity::Sequence,
};
use bytes::Bytes;
use units::Timestamp;

use super::{
    PAUSE, REFUSALS_GO_ON, Sent, StoreLayer,
    asking::{Answer, Question, reply_of},
};
use crate::{
    disk::{self, Blow},
    invariants::{Checked, Violation, same, same_answer},
    layer::core::hang_up,
    model::Model,
    operation::{Ending, Failure, Turn},
};

/// What a delivery must show beside what the core says.
type Shown = Vec<(Sequence, Bytes, Option<Arc<str>>)>;

impl StoreLayer {
    /// Has a group decided and committed. Tells whether the broker is still the same.
    pub(super) fn group(&mut self, sent: &[Sent], turn: &Turn, now: Timestamp) -> Result<bool, Violation> {
        let broker = self.running()?.broker.clone();
        let questions = sent.iter().map(|(command, _)| Question::ask(&broker, command.clone()));
        let mut questions: Vec<_> = questions.collect();
        self.notes.lock().fulls = 0;
        match turn.ending {
            Ending::PowerFails { after, .. } => disk::light_fuse(after, Blow::PowerFails),
            Ending::IoFails { after, how, .. } => match how {
                Failure::NoRoom => disk::light_fuse(after, Blow::Full),
                Failure::Write => disk::light_fuse(after, Blow::Fails),
                Failure::Read => disk::fail_read(after),
            },
            _ => {}
        }
        let stepped = self.running()?.engine.step();
        disk::cut_fuse();
        let fulls = self.notes.lock().fulls;
        self.tally.undone += u64::from(fulls);
        if fulls > 0 {
            self.refuses_until = now.plus(REFUSALS_GO_ON);
        }
        let answers: Vec<_> = questions.iter_mut().map(Question::look).collect();
        match stepped {
            Ok(()) => self.follow(sent, answers, fulls, now).map(|()| true),
            Err(_) => self.die(sent, fulls, turn, now).map(|()| false),
        }
    }

    /// Whether the engine did by itself what fell due.
    fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until > now
    }

    /// The model does what the engine did, and each answer is compared.
    fn follow(&mut self, sent: &[Sent], answers: Vec<Option<Answer>>, fulls: u32, now: Timestamp) -> Checked {
        if fulls > 0 {
            self.model.restart(Why::Undo, now);
        }
        if fulls > 1 {
            self.paused_until = now.plus(PAUSE);
            self.given_back.clear();
            let full = |answer: &Option<Answer>| matches!(answer, Some(Answer::StorageFull));
            return same(|| "that all are refused".to_owned(), answers.iter().all(full), true);
        }
        let given_back = std::mem::take(&mut self.given_back);
        let paused = self.is_paused(now);
        let mut model = std::mem::take(&mut self.model);
        begin(&mut model, &given_back, paused, now);
        self.model = model;
        for ((command, hangs_up), answer) in sent.iter().zip(answers) {
            let compared = match answer {
                None => Err(Violation("it was not answered".to_owned())),
                Some(answer) => self.compare(command, *hangs_up, answer, fulls > 0, now),
            };
            compared.map_err(|violation| Violation(format!("{command:?}: {violation}")))?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        command: &Command,
        hangs_up: bool,
        answer: Answer,
        full: bool,
        now: Timestamp,
    ) -> Checked {
        let is_publish = matches!(command, Command::Publish(_));
        if matches!(answer, Answer::StorageFull) {
            self.tally.refused += 1;
            let may = is_publish && (self.is_limited || self.refuses_until >= now);
            return same(|| "that it may be refused for want of room".to_owned(), may, true);
        }
        if full && is_publish {
            return Err(Violation("a publish was answered though there was no room".to_owned()));
        }
        let shown = self.to_be_shown(command);
        let should = self.model.apply(command, now);
        match answer {
            Answer::Decided(is) => {
                same_answer(&is, &should)?;
                self.tally.refusals += u64::from(is.is_err());
                is.iter().for_each(|reply| self.clients.hear(reply));
                Ok(())
            }
            Answer::Delivered(mut handout) => {
                let reply = reply_of(&handout.deliveries);
                same_answer(&Ok(reply.clone()), &should)?;
                check_shown(&handout.deliveries, &shown)?;
                self.tally.delivered += handout.deliveries.len() as u64;
                if hangs_up {
                    self.given_back.extend(hang_up(command, &reply));
                    drop(handout);
                } else {
                    handout.guard.keep();
                    self.clients.hear(&reply);
                }
                Ok(())
            }
            Answer::Failed(error) => Err(Violation(format!("it failed: {error}"))),
            Answer::StorageFull => unreachable!("it was looked at above"),
        }
    }

    /// What deliveries of a receive must show, whichever they are.
    fn to_be_shown(&self, command: &Command) -> Shown {
        let Command::Receive(Receive { queue, .. }) = command else { return Vec::new() };
        let Some(queue) = self.model.queues.get(queue) else { return Vec::new() };
        let shown = queue.copies.iter().map(|copy| {
            let reason = copy.history.last().and_then(|failure| failure.reason.clone());
            (copy.message.sequence, copy.message.body.clone(), reason)
        });
        shown.collect()
    }

    /// The broker died in a group: nothing of it happened, or all.
    fn die(&mut self, sent: &[Sent], fulls: u32, turn: &Turn, now: Timestamp) -> Checked {
        self.tally.deaths += 1;
        let mut nothing = std::mem::take(&mut self.model);
        if fulls > 0 {
            nothing.restart(Why::Undo, now);
        }
        let mut all = nothing.clone();
        begin(&mut all, &self.given_back, self.is_paused(now), now);
        let mut but_publishes = all.clone();
        for (command, _) in sent {
            // What it would have answered, nobody was told.
            drop(all.apply(command, now));
            if !matches!(command, Command::Publish(_)) {
                drop(but_publishes.apply(command, now));
            }
        }
        let mut may_be = vec![nothing];
        if fulls == 0 {
            may_be.push(all);
        }
        if fulls > 0 || self.is_limited || self.refuses_until >= now {
            may_be.push(but_publishes);
        }
        let (Ending::PowerFails { clock, .. } | Ending::IoFails { clock, .. }) = turn.ending else {
            return Err(Violation("the engine failed without a reason".to_owned()));
        };
        if matches!(turn.ending, Ending::PowerFails { .. }) {
            self.power_fails(turn.dice);
        } else {
            self.running = None;
            disk::process_ends();
        }
        self.start_again(may_be, clock, turn.dice)
    }
}

/// What the engine does before the calls: what fell due, and what it gives back.
fn begin(model: &mut Model, given_back: &[broker_core::command::Nack], paused: bool, now: Timestamp) {
    if !paused {
        model.tick(now);
    }
    for nack in given_back {
        // Refused when the queue is gone by now.
        drop(model.apply(&Command::Nack(nack.clone()), now));
    }
}

fn check_shown(deliveries: &[Delivery], shown: &Shown) -> Checked {
    for delivery in deliveries {
        let sequence = delivery.delivered.sequence;
        let should = shown.iter().find(|(other, ..)| *other == sequence);
        let should = should.map(|(_, body, reason)| (body, reason));
        let is = Some((&delivery.record, &delivery.last_reason));
        same(|| format!("what the delivery of message {} shows", sequence.0), is, should)?;
    }
    Ok(())
}
