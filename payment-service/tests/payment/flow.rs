//! The service behind a real broker: events in, events out, dead letters looked at and redriven, two
//! instances competing.
