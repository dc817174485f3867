//! A core to carry commands out on, without a store.

use broker_core::{
    Core,
    change::Effects,
    command::{Command, Destination, NewMessage, Publish, Receive},
    filter::Attributes,
    identity::{Identity, Name},
    reply::{Refusal, Reply},
    settings::{QueueSettingsPatch, TopicSettingsPatch},
};
use bytes::Bytes;
use units::Timestamp;

pub(crate) struct Bench {
    pub(crate) core: Core,
}

/// A name that is one.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("it is a name")
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { core: Core::new(1) }
    }

    /// With the queue `q` and the topic `t`.
    pub(crate) fn with_queue_and_topic() -> Self {
        let mut bench = Self::new();
        let (settings, only_create) = (QueueSettingsPatch::default(), true);
        bench.apply(Command::PutQueue { name: name("q"), settings, only_create }).expect("there is none");
        let settings = TopicSettingsPatch::default();
        bench.apply(Command::PutTopic { name: name("t"), settings, only_create }).expect("there is none");
        bench
    }

    /// With three messages in the queue `q`.
    pub(crate) fn with_messages() -> Self {
        let mut bench = Self::with_queue_and_topic();
        let messages = (1..=3).map(message).collect();
        let publish = Publish { destination: Destination::Queue(name("q")), messages, require_route: true };
        bench.apply(Command::Publish(publish)).expect("the queue has room");
        bench
    }

    /// A receive of two messages of the queue `q`.
    pub(crate) fn receive(&self) -> Receive {
        Receive {
            bytes_beside: 0,
            queue: name("q"),
            max: 2,
            lease: None,
            max_bytes: u64::MAX,
            auto_ack: false,
            consumer: None,
            receive_id: None,
        }
    }

    pub(crate) fn apply(&mut self, command: Command) -> Result<Reply, Refusal> {
        self.core.apply(command, Timestamp::from_millis(1_795_493_700_000), &mut Effects::default())
    }
}

fn message(id: u64) -> NewMessage {
    NewMessage {
        identity: Identity { whole: u128::from(id), id },
        deduplicate: true,
        fingerprint: id,
        key: None,
        size: 10,
        available: None,
        expires: None,
        attributes: Attributes::new(),
        record: Bytes::new(),
    }
}
