//! The core layer: the real core, its changes committed to maps, restored from them after each crash as
//! the engine does it.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use broker_core::{
    Core, Why,
    change::Effects,
    command::{Command, DeadLetters, Nack, NackKind},
    core::Rehearsal,
    filter::Attributes,
    identity::{LeaseId, Sequence},
    reply::{Redriven, Refusal, Reply},
};
use units::Timestamp;

use super::{Layer, Tally};
use crate::{
    clients::Clients,
    invariants::{Checked, Violation, check_all, check_counts, same, same_answer},
    memory::Memory,
    model::{Model, REDRIVE_LIMITS},
    operation::{Call, Ending, Failure, Turn},
    plants::{Bug, Plant},
    scenery::Scenery,
};

/// After how many turns everything is compared.
const ALL_EVERY: u64 = 16;
/// How many retained messages are put to a filter before a group: what else is in the group comes in between.
pub(super) const CHOSEN_EARLY: usize = 3;
/// When a simulated broker is first started.
const BEGINNING: Timestamp = Timestamp::from_millis(1_000_000);

/// The core and its surroundings.
pub struct CoreLayer {
    core: Core,
    effects: Effects,
    memory: Memory,
    model: Model,
    clients: Clients,
    plant: Plant,
    now: Timestamp,
    turns: u64,
    /// Deliveries that nobody took; handed back with the next group.
    given_back: Vec<Nack>,
    tally: Tally,
}

/// The answers of a group, not yet given.
#[derive(Default)]
struct Answers {
    replies: Vec<Reply>,
    given_back: Vec<Nack>,
}

impl CoreLayer {
    /// An empty broker.
    #[must_use]
    pub fn new(bug: Option<Bug>) -> Self {
        let mut core = Core::new(1);
        core.limit_redrives(REDRIVE_LIMITS);
        Self {
            core,
            effects: Effects::default(),
            memory: Memory::default(),
            model: Model::default(),
            clients: Clients::new(Scenery::new(false)),
            plant: Plant::new(bug),
            now: BEGINNING,
            turns: 0,
            given_back: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn tick(&mut self) {
        self.core.tick(self.now, &mut self.effects);
        self.model.tick(self.now);
    }

    /// Decides a group, and checks each answer.
    fn decide(&mut self, commands: Vec<(Command, bool)>, may_publish: bool) -> Result<Answers, Violation> {
        self.tick();
        let mut answers = Answers::default();
        for (command, hangs_up) in commands {
            if !may_publish && matches!(command, Command::Publish(_)) {
                continue;
            }
            if let Ok(reply) = self.decide_one(&command)? {
                if hangs_up {
                    answers.given_back.extend(hang_up(&command, &reply));
                } else {
                    answers.replies.push(reply);
                }
            }
        }
        Ok(answers)
    }

    fn decide_one(&mut self, command: &Command) -> Result<Result<Reply, Refusal>, Violation> {
        let rest = if self.plant.is(Bug::ChosenTooEarly) { 0 } else { usize::MAX };
        let sent = self.choose(self.plant.command(command.clone(), &self.model), rest);
        let changes = self.effects.changes.len();
        let should = self.model.apply(command, self.now);
        let rehearsed = self.rehearse(&sent);
        let is = self.core.apply(sent, self.now, &mut self.effects);
        let is = self.plant.answer(command, is);
        let with_command = |violation: Violation| Violation(format!("{command:?}: {violation}"));
        same_answer(&is, &should).map_err(with_command)?;
        if let (Some(rehearsed), Ok(Reply::Redriven(redriven))) = (rehearsed, &is) {
            same(|| "the redrive as it was rehearsed".to_owned(), &rehearsed, redriven)
                .map_err(with_command)?;
        }
        match &is {
            Ok(Reply::Delivered(deliveries)) => self.tally.delivered += deliveries.len() as u64,
            Ok(_) => {}
            Err(_) => self.tally.refusals += 1,
        }
        if is.is_err() {
            let what = || "the changes that a refusal makes".to_owned();
            same(what, self.effects.changes.len(), changes).map_err(with_command)?;
        }
        Ok(is)
    }

    /// What a dry run of a redrive of all, or of messages by their numbers, says.
    fn rehearse(&self, command: &Command) -> Option<Redriven> {
        let Command::Redrive { queue, which, to, limit } = command else { return None };
        let which: Vec<Sequence> = match which {
            DeadLetters::All => {
                self.core.dead_letters(queue, None, usize::MAX).iter().rev().map(|it| it.sequence).collect()
            }
            DeadLetters::Sequences(sequences) => sequences.clone(),
            DeadLetters::Ids(_) | DeadLetters::Oldest { .. } => return None,
        };
        let rehearsal = self.core.rehearse_redrive(queue, &which, to.as_ref(), *limit, Rehearsal::default());
        rehearsal.ok().map(|it| it.redriven)
    }

    /// Does for the core what the broker does: puts a filter to retained messages, so many of them.
    fn choose(&self, mut command: Command, limit: usize) -> Command {
        let Some(candidates) = self.core.to_be_chosen(&command, limit) else { return command };
        let topics = self.model.topics.values();
        let retained: Vec<_> = topics.flat_map(|topic| &topic.retained).map(|it| &it.message).collect();
        let attributes = |sequence: Sequence| {
            let message = retained.iter().find(|message| message.sequence == sequence);
            Ok(message.map(|message| Attributes::from_iter([("type", &message.kind)])))
        };
        let chosen: Result<(), Infallible> = candidates.choose(&mut command, attributes);
        chosen.expect("attributes are there or not");
        command
    }

    fn commit(&mut self) {
        if !self.effects.changes.is_empty() || !self.effects.counted.is_empty() {
            self.memory.commit(&mut self.effects, &self.core, self.now, &mut self.plant);
        }
        self.forget_effects();
    }

    fn forget_effects(&mut self) {
        let Effects { changes, activities, counted, woken } = &mut self.effects;
        changes.clear();
        activities.clear();
        counted.clear();
        woken.clear();
    }

    fn answer(&mut self, answers: Answers) {
        answers.replies.iter().for_each(|reply| self.clients.hear(reply));
        self.given_back = answers.given_back;
    }

    /// The group could not be committed: memory says again what the disk does.
    fn roll_back(&mut self, before: Model) {
        self.tally.undone += 1;
        self.forget_effects();
        self.core = self.memory.restore(Why::Undo, self.now, &mut self.effects, &self.plant);
        self.model = before;
        self.model.restart(Why::Undo, self.now);
    }

    /// The broker is started again; its clock starts at the later of the stored and the wall clock's.
    fn restart(&mut self, clock: i32) -> Checked {
        let wall = shifted(self.now, clock);
        self.now = if self.plant.is(Bug::ClockGoesBack) { wall } else { wall.max(self.memory.at()) };
        if self.now < self.memory.at() {
            return Err(Violation(format!("time went back from {} to {}", self.memory.at(), self.now)));
        }
        self.tally.starts += 1;
        self.given_back.clear();
        self.forget_effects();
        self.core = self.memory.restore(Why::Start, self.now, &mut self.effects, &self.plant);
        self.model.restart(Why::Start, self.now);
        self.tick();
        self.commit();
        check_all(&self.core, &self.model)?;
        self.check_disk()
    }

    /// What is stored is what is held, with bodies and histories.
    fn check_disk(&self) -> Checked {
        let mut held = BTreeSet::new();
        let mut leases: BTreeSet<LeaseId> = BTreeSet::new();
        for queue in self.model.queues.values() {
            leases.extend(queue.leases.keys());
            for copy in &queue.copies {
                held.insert(copy.message.sequence);
                let failures = self.memory.failures(queue.id, copy.message.sequence);
                let should: Vec<_> = copy.history.iter().map(|failure| (**failure).clone()).collect();
                let what = || format!("the history of message {}", copy.message.sequence.0);
                same(what, failures, &should[..])?;
                let body = self.memory.body(copy.message.sequence);
                let what = || format!("the body of message {}", copy.message.sequence.0);
                same(what, body, Some(&copy.message.body))?;
            }
        }
        let topics = self.model.topics.values();
        held.extend(topics.flat_map(|topic| &topic.retained).map(|it| it.message.sequence));
        same(|| "the messages that are stored".to_owned(), self.memory.stored().collect(), held)?;
        same(|| "the leases that are stored".to_owned(), self.memory.leases().collect(), leases)?;
        let lists = self.model.redrives.iter().map(|(id, redrive)| (*id, &redrive.sequences[..]));
        let is: Vec<_> = self.memory.redrives().collect();
        same(|| "the redrives that are stored".to_owned(), is, lists.collect())
    }

    fn end(&mut self, turn: &Turn, answers: Answers, before: Option<Model>) -> Checked {
        match (turn.ending, before) {
            (Ending::PowerFails { after, clock } | Ending::IoFails { after, clock, .. }, Some(before)) => {
                self.tally.deaths += 1;
                if after.is_multiple_of(2) {
                    self.tally.happened += 1;
                    self.commit();
                } else if self.plant.is(Bug::AnsweredBeforeCommit) {
                    self.answer(answers);
                } else {
                    self.model = before;
                }
                self.restart(clock)
            }
            (Ending::Restart { clock }, _) => {
                self.commit();
                self.answer(answers);
                self.restart(clock)
            }
            _ => {
                self.commit();
                self.answer(answers);
                Ok(())
            }
        }
    }
}

impl Layer for CoreLayer {
    fn turn(&mut self, turn: &Turn) -> Checked {
        self.turns += 1;
        self.now = self.now.plus(Duration::from_millis(turn.wait.into()));
        let loses = matches!(turn.ending, Ending::PowerFails { .. } | Ending::IoFails { .. });
        let before = loses.then(|| self.model.clone());
        let mut commands: Vec<_> = std::mem::take(&mut self.given_back)
            .into_iter()
            .map(|nack| (Command::Nack(nack), false))
            .collect();
        for call in &turn.calls {
            let hangs_up = matches!(call, Call::Receive { asks, .. } if asks.hangs_up);
            let command = self.clients.command(call, &self.model, self.now);
            let early = if self.plant.is(Bug::ChosenTooEarly) { usize::MAX } else { CHOSEN_EARLY };
            commands.extend(command.map(|it| (self.choose(it, early), hangs_up)));
        }
        let mut answers = self.decide(commands.clone(), true)?;
        let mut before = before;
        if let Ending::IoFails { how: Failure::NoRoom, .. } = turn.ending
            && let Some(model) = before.take()
        {
            self.roll_back(model);
            answers = self.decide(commands, false)?;
        }
        self.end(turn, answers, before)?;
        if self.turns.is_multiple_of(ALL_EVERY) {
            return check_all(&self.core, &self.model);
        }
        check_counts(&self.core, &self.model)
    }

    fn finish(&mut self) -> Checked {
        self.restart(0)
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// What gives a receive's deliveries back; nothing where it can be asked for again, or acks by itself.
pub(super) fn hang_up(command: &Command, reply: &Reply) -> Option<Nack> {
    let (Command::Receive(receive), Reply::Delivered(deliveries)) = (command, reply) else { return None };
    if receive.receive_id.is_some() || receive.auto_ack {
        return None;
    }
    let receipts: Vec<_> = deliveries.iter().filter_map(|delivery| delivery.receipt).collect();
    let queue = receive.queue.clone();
    let nack = Nack { queue, receipts, delay: None, reason: None, kind: NackKind::Uncounted };
    (!nack.receipts.is_empty()).then_some(nack)
}

/// A time moved to either side.
pub(super) fn shifted(now: Timestamp, by: i32) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add_signed(by.into()))
}
