//! Scripts as somebody reads them.

use std::fmt::{self, Display, Formatter};

use broker_core::command::NackKind;

use super::{
    ALL_BUT_THE_SYNC, Asks, Call, Ending, Failure, From, New, Place, QueueChange, Settle, Taste, Turn, Which,
};

impl Display for Turn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.wait > 0 {
            writeln!(f, "  wait {} ms", self.wait)?;
        }
        for call in &self.calls {
            writeln!(f, "  {call}")?;
        }
        write!(f, "  -- {}", self.ending)?;
        match self.ending {
            Ending::PowerFails { .. } | Ending::CheckpointPowerFails { .. } | Ending::IoFails { .. } => {
                writeln!(f, " (dice {})", self.dice)
            }
            _ => writeln!(f),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish { to, messages, require_route } => {
                write!(f, "publish to {to}")?;
                if *require_route {
                    write!(f, ", which must have a route")?;
                }
                messages.iter().try_for_each(|message| write!(f, "; {message}"))
            }
            Self::Receive { queue, asks } => write!(f, "receive from queue-{queue}{asks}"),
            Self::Settle { how, picks, mixed } => {
                write!(f, "{how} the receipts {picks:?} back")?;
                if *mixed { write!(f, ", whatever queue they are of") } else { Ok(()) }
            }
            Self::PutQueue { queue, change } => write!(f, "put queue-{queue}{change}"),
            Self::DeleteQueue { queue, force } => {
                write!(f, "delete queue-{queue}{}", if *force { " by force" } else { "" })
            }
            Self::Purge { queue, limit, spares } => {
                write!(f, "purge queue-{queue}, limit {limit:?}, sparing {spares:?}")
            }
            Self::Remove { queue, id } => write!(f, "remove m{id} from queue-{queue}"),
            Self::PutTopic { topic, retention } => {
                write!(f, "put topic-{topic}")?;
                retention.map_or(Ok(()), |ms| write!(f, ": retention {ms} ms"))
            }
            Self::DeleteTopic { topic } => write!(f, "delete topic-{topic}"),
            Self::Subscribe { topic, queue, on_full, taste, start } => {
                write!(f, "subscribe queue-{queue} to topic-{topic}")?;
                on_full.map_or(Ok(()), |on_full| write!(f, ", on_full {on_full:?}"))?;
                taste.map_or(Ok(()), |taste| write!(f, ", filter {taste}"))?;
                start.map_or(Ok(()), |start| write!(f, ", from {start}"))
            }
            Self::Unsubscribe { topic, queue } => write!(f, "unsubscribe queue-{queue} from topic-{topic}"),
            Self::Replay { topic, queue, from, to } => {
                write!(f, "replay topic-{topic} into queue-{queue} from {from}")?;
                to.map_or(Ok(()), |ms| write!(f, " to {ms} ms ago"))
            }
            Self::Redrive { queue, which, to, limit, per_second } => {
                write!(f, "redrive {which} of queue-{queue} to queue-{to}")?;
                limit.map_or(Ok(()), |limit| write!(f, ", at most {limit}"))?;
                per_second.map_or(Ok(()), |pace| write!(f, ", {pace} a second"))
            }
            Self::StopRedrive { back } => write!(f, "stop the redrive {back} before the latest"),
            Self::Discard { queue, which } => write!(f, "discard {which} of queue-{queue}"),
            Self::Damage { queue, messages } => {
                write!(f, "those of the latest messages {messages:?} that queue-{queue} holds are damaged")
            }
            Self::Again => write!(f, "the previous call again"),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(queue) => write!(f, "queue-{queue}"),
            Self::Topic(topic) => write!(f, "topic-{topic}"),
        }
    }
}

impl Display for New {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "m{} of {} bytes", self.id, self.size)?;
        self.key.map_or(Ok(()), |key| write!(f, " key-{key}"))?;
        self.delay.map_or(Ok(()), |ms| write!(f, " delay {ms} ms"))?;
        self.ttl.map_or(Ok(()), |ms| write!(f, " ttl {ms} ms"))?;
        if self.kind > 0 {
            write!(f, " kind {}", self.kind)?;
        }
        if self.other_content {
            write!(f, " other content")?;
        }
        if self.nameless {
            write!(f, " nameless")?;
        }
        if self.filler > 0 { write!(f, " filler {}", self.filler) } else { Ok(()) }
    }
}

impl Display for Asks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, ": max {}", self.max)?;
        self.lease.map_or(Ok(()), |ms| write!(f, ", lease {ms} ms"))?;
        self.max_bytes.map_or(Ok(()), |bytes| write!(f, ", max_bytes {bytes}"))?;
        self.receive_id.map_or(Ok(()), |id| write!(f, ", receive_id {id}"))?;
        if self.auto_ack {
            write!(f, ", auto_ack")?;
        }
        if self.hangs_up { write!(f, ", and hang up") } else { Ok(()) }
    }
}

impl Display for Settle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ack => write!(f, "ack"),
            Self::Nack(kind, delay) => {
                let kind = match kind {
                    NackKind::Failed => "nack",
                    NackKind::DeadLetter => "nack to the dead letters",
                    NackKind::Uncounted => "nack uncounted",
                };
                write!(f, "{kind}")?;
                delay.map_or(Ok(()), |ms| write!(f, " with delay {ms} ms"))
            }
            Self::Extend(ms) => write!(f, "extend by {ms} ms"),
        }
    }
}

impl Display for QueueChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::MaxMessages(n) => write!(f, ": max_messages {n}"),
            Self::MaxDeliveries(n) => write!(f, ": max_deliveries {n}"),
            Self::MaxDeadLetters(n) => write!(f, ": max_dead_letters {n}"),
            Self::Overflow(overflow) => write!(f, ": overflow {overflow:?}"),
            Self::Ordering(ordering) => write!(f, ": ordering {ordering:?}"),
            Self::Ttl(Some(ms)) => write!(f, ": ttl {ms} ms"),
            Self::Ttl(None) => write!(f, ": no ttl"),
            Self::Lease(ms) => write!(f, ": lease {ms} ms"),
        }
    }
}

impl Display for Taste {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => write!(f, "none"),
            Self::Only(kind) => write!(f, "kind {kind}"),
            Self::Not(kind) => write!(f, "not kind {kind}"),
            Self::Prefix => write!(f, "any kind"),
        }
    }
}

impl Display for From {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => write!(f, "now"),
            Self::Earliest => write!(f, "the earliest"),
            Self::Ago(ms) => write!(f, "{ms} ms ago"),
        }
    }
}

impl Display for Which {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => write!(f, "all dead letters"),
            Self::Ids(ids) => write!(f, "the dead letters {ids:?}"),
            Self::Oldest(most) => write!(f, "the {most} oldest dead letters"),
            Self::Numbers(back) => write!(f, "those of the latest messages {back:?} that are dead"),
        }
    }
}

impl Display for Ending {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit => write!(f, "commit"),
            Self::PowerFails { after: ALL_BUT_THE_SYNC.., clock } => {
                write!(f, "the power fails at the commit's sync; the clock jumps {clock} ms")
            }
            Self::PowerFails { after, clock } => {
                write!(f, "the power fails {after} writes into the commit; the clock jumps {clock} ms")
            }
            Self::Restart { clock } => write!(f, "commit, restart; the clock jumps {clock} ms"),
            Self::IoFails { after, how, clock } => {
                let how = match how {
                    Failure::NoRoom => "finds no room after {after} writes",
                    Failure::Write => "fails after {after} writes",
                    Failure::Read => "fails to read after {after} reads",
                };
                let how = how.replace("{after}", &after.to_string());
                write!(f, "the group {how}; the clock jumps {clock} ms at a start")
            }
            Self::Checkpoint => write!(f, "commit, checkpoint"),
            Self::CheckpointPowerFails { after: ALL_BUT_THE_SYNC.., clock } => {
                write!(f, "commit; the power fails at a checkpoint's sync; the clock jumps {clock} ms")
            }
            Self::CheckpointPowerFails { after, clock } => write!(
                f,
                "commit; the power fails {after} writes into a checkpoint; the clock jumps {clock} ms"
            ),
            Self::Room { pages: Some(pages) } => write!(f, "commit; the disk has room for {pages} pages"),
            Self::Room { pages: None } => write!(f, "commit; the disk has room again"),
        }
    }
}
