//! The bodies of calls, and the settings that answers show, as types. A body refuses what is out of its range
//! where it is read (by [`serve::extract::parse_json`], with the field at fault), and says what it asks for.

pub use super::{
    dead_letters::{PurgeBody, RedriveBody},
    queues::settings::{Settings as QueueSettings, SettingsToSet as QueueSettingsToSet},
    receiving::ReceiveBody,
    replaying::ReplayBody,
    settling::{AckBody, ExtendBody, NackBody},
    subscriptions::{Subscription, SubscriptionToSet},
    tokens::TokenToMake,
    topics::{Settings as TopicSettings, SettingsToSet as TopicSettingsToSet},
};
