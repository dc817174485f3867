//! Settings: what is set is what is shown, and what is shown can be set again and changes nothing.

use broker::{
    BrokerError,
    api::bodies::{
        QueueSettings, QueueSettingsToSet, Subscription, SubscriptionToSet, TopicSettings, TopicSettingsToSet,
    },
};
use broker_core::{
    choice::Chosen,
    command::{Command, SubscriptionPatch},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serve::{extract::parse_json, problem::Problem};
use units::{Size, Timestamp, parse_duration};

use crate::bench::{Bench, name};

pub(super) fn of_queue(body: &[u8]) {
    hold(body, &[], |set: QueueSettingsToSet| {
        let mut bench = Bench::new();
        let put = Command::PutQueue { name: name("q"), settings: set.into(), only_create: false };
        bench.apply(put).map_err(BrokerError::from)?;
        Ok(shown(&QueueSettings::from(bench.core.queue(&name("q")).expect("it was put").settings)))
    });
}

pub(super) fn of_topic(body: &[u8]) {
    hold(body, &[], |set: TopicSettingsToSet| {
        let mut bench = Bench::new();
        let put = Command::PutTopic { name: name("t"), settings: set.into(), only_create: false };
        bench.apply(put).map_err(BrokerError::from)?;
        Ok(shown(&TopicSettings::from(bench.core.topic(&name("t")).expect("it was put").settings)))
    });
}

pub(super) fn of_subscription(body: &[u8]) {
    hold(body, &[], |set: SubscriptionToSet| {
        let settings: SubscriptionPatch = set.patch()?;
        let mut bench = Bench::with_queue_and_topic();
        let (topic, queue, chosen) = (name("t"), name("q"), Chosen::All);
        let put = Command::PutSubscription { topic, queue, settings, only_create: false, chosen };
        bench.apply(put).map_err(BrokerError::from)?;
        let mut shown = shown(&Subscription::of(&bench.core.subscriptions(&name("t"))[0]));
        let members = shown.as_object_mut().expect("a subscription is an object");
        assert_eq!((members.remove("queue"), members.remove("dropped")), (Some(json!("q")), Some(json!(0))));
        Ok(shown)
    });
}

fn shown(settings: &impl Serialize) -> Value {
    // By way of its text, as a client gets it.
    let text = serde_json::to_string(settings).expect("settings are always JSON");
    serde_json::from_str(&text).expect("settings are always JSON")
}

fn hold<T: DeserializeOwned>(body: &[u8], needed: &[&str], put: impl Fn(T) -> Result<Value, Problem>) {
    let Some(shown) = super::read(body, needed, &put) else { return };
    shows(&super::json(body), &shown);
    let text = shown.to_string();
    let again = parse_json(text.as_bytes()).and_then(&put);
    let again = again.unwrap_or_else(|problem| panic!("{text} is refused: {problem:?}"));
    assert_eq!(again, shown);
}

/// Whether what is shown is what was given, whichever way it was written.
fn shows(given: &Value, shown: &Value) {
    let same = match (given, shown) {
        (Value::Object(members), Value::Object(_)) if !members.contains_key("exact") => {
            members.iter().for_each(|(name, given)| shows(given, &shown[name]));
            true
        }
        (Value::String(text), Value::String(shown)) => {
            let time = |text: &str| text.parse::<Timestamp>().ok();
            let duration = |text: &str| parse_duration(text).ok();
            text == shown
                || (time(text).is_some() && time(text) == time(shown))
                || (duration(text).is_some() && duration(text) == duration(shown))
        }
        (Value::String(text), Value::Number(bytes)) => {
            text.parse::<Size>().ok().map(Size::get) == bytes.as_u64()
        }
        (Value::Number(given), Value::Number(shown)) => given == shown || given.as_f64() == shown.as_f64(),
        (given, shown) => given == shown,
    };
    assert!(same, "{given} is shown as {shown}");
}
