//! Durations, sizes and times as the HTTP contracts write them: `"30s"`, `"256MiB"`,
//! `"2026-11-24T04:15:00.000Z"`. Parsing is strict and says what would be right.

pub mod duration;
pub mod size;
pub mod timestamp;

pub use duration::{format_duration, parse_duration};
pub use size::Size;
pub use timestamp::Timestamp;
