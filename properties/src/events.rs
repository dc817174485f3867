//! Events in the three modes of CloudEvents: what is stored is what was received, and reads back as the same.

mod batch;
mod binary;
mod refused;
mod stored;
mod structured;

use crate::request::{LIMIT, Request};

/// A publish: headers and a body.
pub fn events(input: &[u8]) {
    let request = Request::read(input);
    match request.published(LIMIT) {
        Err(problem) => refused::hold(&problem, &request),
        Ok((publish, ids)) => {
            assert_eq!(publish.messages.len(), ids.len());
            assert!(!ids.is_empty());
            for (message, id) in publish.messages.iter().zip(&ids) {
                stored::hold(message, id);
            }
            match &*request.essence() {
                "application/cloudevents+json" => structured::hold(&request, &publish.messages[0]),
                "application/cloudevents-batch+json" => batch::hold(&request, &publish.messages),
                _ => binary::hold(&request, &publish.messages[0]),
            }
        }
    }
    if request.essence() == "application/cloudevents-batch+json" {
        batch::refused_like_its_events(&request);
    }
}
