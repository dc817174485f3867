//! The stored form of an event, however it came in.

use broker::record::{Listed, all_attributes, stored};
use broker_core::{command::NewMessage, filter::Attributes};

use crate::{members::Members, request::Request};

/// What stands first in every record.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

pub(super) fn hold(message: &NewMessage, id: &str) {
    let record = std::str::from_utf8(&message.record).expect("a record is UTF-8");
    let members = Members::of(record).unwrap_or_else(|| panic!("not an object: {record}"));
    in_its_layout(&members, record);
    assert_eq!(members.text("id").as_deref(), Some(id), "{record}");
    listed_as_it_is(&members, record, message);
    named_as_it_is(&members, record);
    stable(message, record);
}

fn in_its_layout(members: &Members, record: &str) {
    let names: Vec<&str> = members.names().collect();
    assert_eq!(names[..4], REQUIRED, "{record}");
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len(), "a member stands twice in {record}");
    let data = names.iter().position(|name| matches!(*name, "data" | "data_base64"));
    assert!(data.is_none_or(|place| place == names.len() - 1), "data is not last in {record}");
}

/// What lists and filters read in a record is what stands in it.
fn listed_as_it_is(members: &Members, record: &str, message: &NewMessage) {
    let listed = Listed::read(record.as_bytes()).unwrap_or_else(|error| panic!("{error}: {record}"));
    assert_eq!(Some(&*listed.id), members.text("id").as_deref(), "{record}");
    assert_eq!(Some(&*listed.source), members.text("source").as_deref(), "{record}");
    assert_eq!(Some(&*listed.kind), members.text("type").as_deref(), "{record}");
    assert_eq!(listed.subject.as_deref(), members.text("subject").as_deref(), "{record}");
    assert_eq!(listed.content_type.as_deref(), members.text("datacontenttype").as_deref(), "{record}");
    assert_eq!(listed.key.as_deref(), members.text("partitionkey").as_deref(), "{record}");
    assert_eq!(message.key.as_deref(), listed.key.as_deref(), "{record}");
    let stored = all_attributes(record.as_bytes()).unwrap_or_else(|error| panic!("{error}: {record}"));
    assert_eq!(sorted(&stored), sorted(&message.attributes), "{record}");
}

/// The same for the same attributes, in whatever order.
pub(super) fn sorted(attributes: &Attributes) -> Vec<(&str, &str)> {
    let mut sorted: Vec<_> = attributes.iter().collect();
    sorted.sort_unstable();
    sorted
}

/// What is read of a record's beginning alone is what stands there, and of a damaged one no more than that.
fn named_as_it_is(members: &Members, record: &str) {
    let wanted = ["id", "source", "type"].map(|name| members.text(name).expect("it was read before"));
    let names = stored::names(record.as_bytes()).unwrap_or_else(|| panic!("no names in {record}"));
    assert_eq!(names, wanted, "{record}");
    let whole = stored::Head::of_damaged(record.as_bytes());
    assert_eq!([whole.id, whole.source, whole.kind], wanted, "{record}");
    let half = stored::Head::of_damaged(&record.as_bytes()[..record.len() / 2]);
    for (read, wanted) in [half.id, half.source, half.kind].iter().zip(&wanted) {
        assert!(read.is_empty() || read == wanted, "{read:?} of {record}");
    }
}

/// A record is an event in structured mode: published again, it is the same message, and it is stored as it
/// was but for white space around JSON data.
fn stable(message: &NewMessage, record: &str) {
    let again = publish_again(record);
    let (before, after) = (Members::of(record), Members::of(text_of(&again)));
    let texts = |members: Option<Members>| -> Vec<(String, String)> {
        let members = members.map(|Members(members)| members).unwrap_or_default();
        members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
    };
    assert_eq!(texts(before), texts(after));
    assert_eq!((again.identity, again.key.clone()), (message.identity, message.key.clone()), "{record}");
    assert_eq!(again.fingerprint, message.fingerprint, "a repeat of {record} is taken for another message");
    let thrice = publish_again(text_of(&again));
    assert_eq!((&thrice.record, thrice.size), (&again.record, again.size), "{record}");
}

fn publish_again(record: &str) -> NewMessage {
    let request = Request::of("application/cloudevents+json", record.as_bytes().to_vec());
    let published = request.published(usize::MAX);
    let (mut publish, _) = published.unwrap_or_else(|problem| panic!("{record} is refused: {problem:?}"));
    publish.messages.pop().expect("it is one event")
}

fn text_of(message: &NewMessage) -> &str {
    std::str::from_utf8(&message.record).expect("a record is UTF-8")
}
