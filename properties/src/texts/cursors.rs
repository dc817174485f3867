//! Cursors: what one list takes is written by it as it was read, and is no cursor of another list.

use broker::api::cursor::{self, Numbered, Timeline};

const TIMELINES: [Timeline; 3] = [Timeline::Waiting, Timeline::DeadLetters, Timeline::Retained];
const NUMBERED: [Numbered; 3] = [Numbered::Audit, Numbered::Redrives, Numbered::Groups];

pub(super) fn hold(text: &str) {
    let by_name = cursor::name(text).map(|name| cursor::of_name(&name));
    let by_time = TIMELINES.map(|list| list.parse(text).map(|(at, sequence)| list.cursor(at, sequence)));
    let by_number = NUMBERED.map(|list| list.parse(text).map(|number| list.cursor(number)));
    let written = std::iter::once(by_name).chain(by_time).chain(by_number).flatten();
    let written: Vec<String> = written.collect();
    assert!(written.len() <= 1, "{text:?} is a cursor of more than one list");
    assert!(written.iter().all(|written| written == text), "{text:?} was written as {written:?}");
}
