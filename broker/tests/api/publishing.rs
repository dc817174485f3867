//! Publishing, in its three modes.

mod batch;
mod binary;
mod deduplication;
mod headers;
mod limits;
mod structured;
