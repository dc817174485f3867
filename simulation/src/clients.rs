//! The clients: they turn a script's calls into commands, by what they were told so far.

mod words;

use std::{collections::VecDeque, sync::Arc};

use broker_core::{
    choice::Chosen,
    command::{Command, Destination, Nack, NewMessage, Publish, Receive, Span, SubscriptionPatch, When},
    filter::Attributes,
    identity::{Receipt, RedriveId},
    reply::Reply,
    settings::{BackoffPatch, QueueSettingsPatch, TopicSettingsPatch},
};
use bytes::Bytes;
use units::Timestamp;

use self::words::{
    ago, begins, changed, counted_back, filter, identity, kind, latest, letters, selector, since, when,
};
pub(crate) use self::words::{ms, name};
use crate::{
    model::Model,
    operation::{Asks, Call, New, Place, QueueChange, Settle},
    scenery::Scenery,
};

/// How many receipts are remembered.
const RECEIPTS: usize = 96;

/// What the clients know.
#[derive(Debug)]
pub struct Clients {
    scenery: Scenery,
    /// The latest first.
    receipts: VecDeque<Receipt>,
    redrives: Vec<RedriveId>,
    previous: Option<Command>,
    /// Tells bodies apart.
    published: u64,
}

impl Clients {
    /// Clients that were told nothing yet.
    #[must_use]
    pub fn new(scenery: Scenery) -> Self {
        Self { scenery, receipts: VecDeque::new(), redrives: Vec::new(), previous: None, published: 0 }
    }

    /// The names that they use.
    #[must_use]
    pub const fn scenery(&self) -> &Scenery {
        &self.scenery
    }

    /// The command of a call; `None` when it has nothing to name.
    pub fn command(&mut self, call: &Call, model: &Model, now: Timestamp) -> Option<Command> {
        let command = match call {
            Call::Again => self.previous.clone()?,
            Call::Publish { to, messages, require_route } => self.publish(*to, messages, *require_route, now),
            Call::Receive { queue, asks } => Command::Receive(self.receive(*queue, asks)),
            Call::Settle { how, picks, mixed } => self.settle(*how, picks, *mixed, model)?,
            Call::PutTopic { .. }
            | Call::DeleteTopic { .. }
            | Call::Subscribe { .. }
            | Call::Unsubscribe { .. }
            | Call::Replay { .. } => self.about_topics(call, model, now)?,
            Call::PutQueue { .. } | Call::DeleteQueue { .. } | Call::Purge { .. } | Call::Remove { .. } => {
                self.about_queues(call, model)?
            }
            Call::Redrive { .. } | Call::StopRedrive { .. } | Call::Discard { .. } | Call::Damage { .. } => {
                self.about_dead_letters(call, model)?
            }
        };
        self.previous = Some(command.clone());
        Some(command)
    }

    fn about_queues(&self, call: &Call, model: &Model) -> Option<Command> {
        Some(match call {
            Call::PutQueue { queue, change } => self.put_queue(*queue, *change, model),
            Call::DeleteQueue { queue, force } => {
                Command::DeleteQueue { name: self.scenery.queue(*queue), force: *force }
            }
            Call::Purge { queue, limit, spares } => Command::PurgeQueue {
                name: self.scenery.queue(*queue),
                before: spares.map(|spares| counted_back(model, spares)),
                limit: limit.map(u64::from),
            },
            Call::Remove { queue, id } => {
                Command::RemoveMessage { queue: self.scenery.queue(*queue), message: selector(*id) }
            }
            _ => return None,
        })
    }

    fn about_topics(&self, call: &Call, model: &Model, now: Timestamp) -> Option<Command> {
        Some(match call {
            Call::PutTopic { topic, retention } => self.put_topic(*topic, *retention, model),
            Call::DeleteTopic { topic } => Command::DeleteTopic { name: self.scenery.topic(*topic) },
            Call::Subscribe { topic, queue, on_full, taste, start } => Command::PutSubscription {
                topic: self.scenery.topic(*topic),
                queue: self.scenery.queue(*queue),
                settings: SubscriptionPatch {
                    on_full: *on_full,
                    filter: taste.map(filter),
                    start: start.map(|start| begins(start, now)),
                },
                only_create: false,
                chosen: Chosen::All,
            },
            Call::Unsubscribe { topic, queue } => Command::DeleteSubscription {
                topic: self.scenery.topic(*topic),
                queue: self.scenery.queue(*queue),
            },
            Call::Replay { topic, queue, from, to } => Command::Replay {
                topic: self.scenery.topic(*topic),
                queue: self.scenery.queue(*queue),
                span: Span { from: since(*from, now), to: to.map(|length| ago(now, length)) },
                chosen: Chosen::All,
            },
            _ => return None,
        })
    }

    fn about_dead_letters(&self, call: &Call, model: &Model) -> Option<Command> {
        Some(match call {
            Call::Redrive { queue, which, to, limit, per_second } => {
                let to = (to != queue).then(|| self.scenery.queue(*to));
                let (queue, limit) = (self.scenery.queue(*queue), limit.map(u64::from));
                let which = letters(which, &queue, model);
                match per_second {
                    Some(pace) => {
                        let per_second = u32::from(*pace).max(1);
                        Command::StartRedrive { queue, which, to, limit, per_second }
                    }
                    None => Command::Redrive { queue, which, to, limit },
                }
            }
            Call::StopRedrive { back } => {
                let latest = self.redrives.len().checked_sub(1)?;
                Command::StopRedrive { redrive: self.redrives[latest.saturating_sub(usize::from(*back))] }
            }
            Call::Discard { queue, which } => {
                let queue = self.scenery.queue(*queue);
                let which = letters(which, &queue, model);
                Command::DiscardDeadLetters { queue, which }
            }
            Call::Damage { queue, messages } => Command::DeadLetter {
                queue: self.scenery.queue(*queue),
                sequences: latest(messages, model),
                reason: Arc::from("stored data is damaged"),
            },
            _ => return None,
        })
    }

    /// They are told an answer.
    pub fn hear(&mut self, reply: &Reply) {
        match reply {
            Reply::Delivered(deliveries) => {
                for receipt in deliveries.iter().filter_map(|delivery| delivery.receipt) {
                    self.receipts.push_front(receipt);
                }
                self.receipts.truncate(RECEIPTS);
            }
            Reply::RedriveStarted { redrive, .. } => self.redrives.push(*redrive),
            _ => {}
        }
    }

    fn publish(&mut self, to: Place, messages: &[New], require_route: bool, now: Timestamp) -> Command {
        let destination = match to {
            Place::Queue(queue) => Destination::Queue(self.scenery.queue(queue)),
            Place::Topic(topic) => Destination::Topic(self.scenery.topic(topic)),
        };
        let to_topic = matches!(to, Place::Topic(_));
        let messages = messages.iter().map(|new| self.new_message(new, to_topic, now)).collect();
        Command::Publish(Publish { destination, messages, require_route })
    }

    fn new_message(&mut self, new: &New, to_topic: bool, now: Timestamp) -> NewMessage {
        self.published += 1;
        let kind = kind(new.kind);
        let attributes = if to_topic { Attributes::from_iter([("type", kind)]) } else { Attributes::new() };
        NewMessage {
            identity: identity(new.id),
            deduplicate: !new.nameless,
            fingerprint: u64::from(new.other_content),
            key: new.key.map(|key| self.scenery.key(key)),
            size: new.size.into(),
            available: new.delay.map(|delay| when(delay, now)),
            expires: new.ttl.map(|ttl| When::After(ms(u64::from(ttl).max(1)))),
            attributes,
            record: self.body(new, kind),
        }
    }

    /// The event as it is stored; no two are alike.
    fn body(&self, new: &New, kind: &str) -> Bytes {
        if !self.scenery.has_bodies() {
            return Bytes::copy_from_slice(&self.published.to_le_bytes());
        }
        let (id, number, filler) = (new.id, self.published, usize::from(new.filler));
        let text = format!(
            r#"{{"specversion":"1.0","id":"m{id}","source":"/simulation","type":"{kind}","number":{number},"data":"{:.<filler$}"}}"#,
            ""
        );
        Bytes::from(text)
    }

    fn receive(&self, queue: u8, asks: &Asks) -> Receive {
        Receive {
            queue: self.scenery.queue(queue),
            max: asks.max.into(),
            lease: asks.lease.map(|length| ms(length.into())),
            max_bytes: asks.max_bytes.map_or(u64::MAX, u64::from),
            bytes_beside: 3,
            auto_ack: asks.auto_ack,
            consumer: asks.max.is_multiple_of(2).then(|| self.scenery.consumer()),
            receive_id: asks.receive_id.filter(|_| !asks.auto_ack).map(|id| self.scenery.receive_id(id)),
        }
    }

    fn settle(&self, how: Settle, picks: &[u8], mixed: bool, model: &Model) -> Option<Command> {
        let receipt = |pick: &u8| self.receipts.get(usize::from(*pick)).copied();
        let first = picks.iter().find_map(receipt)?;
        let receipts: Vec<_> =
            picks.iter().filter_map(receipt).filter(|it| mixed || it.queue == first.queue).collect();
        // Of a queue that is gone, the name may be another's by now.
        let queue = model.queue_of(first.queue).map_or_else(|| self.scenery.queue(0), |it| it.name.clone());
        Some(match how {
            Settle::Ack => Command::Ack { queue, receipts },
            Settle::Nack(kind, delay) => Command::Nack(Nack {
                queue,
                receipts,
                delay: delay.map(|delay| ms(delay.into())),
                reason: delay.map(|delay| Arc::from(format!("it broke {delay}"))),
                kind,
            }),
            Settle::Extend(length) => Command::Extend { queue, receipts, lease: ms(length.into()) },
        })
    }

    fn put_topic(&self, topic: u8, retention: Option<u32>, model: &Model) -> Command {
        let name = self.scenery.topic(topic);
        let mut settings = TopicSettingsPatch::default();
        if !model.topics.contains_key(&name) {
            settings = self.scenery.topic_settings(topic);
        }
        settings.retention = retention.map(|length| ms(length.into())).or(settings.retention);
        Command::PutTopic { name, settings, only_create: false }
    }

    fn put_queue(&self, queue: u8, change: QueueChange, model: &Model) -> Command {
        let name = self.scenery.queue(queue);
        // A delete in the same group may come before: then it is made anew with the defaults and this.
        let settings = if model.queues.contains_key(&name) {
            let backoff = BackoffPatch { jitter: Some(0.0), ..Default::default() };
            QueueSettingsPatch { backoff, ..Default::default() }
        } else {
            self.scenery.queue_settings(queue)
        };
        Command::PutQueue { name, settings: changed(settings, change), only_create: false }
    }
}
