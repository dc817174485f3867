//! What holds of every parser of the broker that sees bytes from outside, whatever the bytes: a function a
//! parser, which panics where it does not hold. The fuzzers in `fuzz/` call them with what they think up, the
//! tests of this crate with the inputs kept in `fuzz/seeds/`.

mod bench;
mod bodies;
mod calls;
mod events;
mod filters;
mod members;
mod request;
mod texts;

pub use bodies::bodies;
pub use calls::calls;
pub use events::events;
pub use filters::filters;
pub use texts::texts;

/// What must hold of some bytes.
pub type Property = fn(&[u8]);

/// All of them, by the names of the fuzz targets.
pub const ALL: &[(&str, Property)] =
    &[("bodies", bodies), ("calls", calls), ("events", events), ("filters", filters), ("texts", texts)];
