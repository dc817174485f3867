//! The service behind a real broker: events in, events out.
