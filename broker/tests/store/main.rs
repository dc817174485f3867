//! The engine and its store, held to what they promise: what was answered is on disk, whatever happens
//! next. Real SQLite in temporary folders; the real program where a process has to die.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod backup;
mod choosing;
mod commit;
mod damage;
mod expiry;
mod faults;
mod folder;
mod full_disk;
mod journey;
mod log;
mod losses;
mod metrics;
mod process;
mod program;
mod receive;
mod removing;
mod restart;
mod running;
mod slices;
mod verify;
