//! The outages that the sandbox plays.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the sandbox answers; it holds over a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// At once.
    #[default]
    Up,
    /// 503 to every call; nothing is carried out.
    Down,
    /// After 2 s.
    Slow,
}

impl Mode {
    /// As it stands in JSON and in the sandbox's file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Slow => "slow",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Up, Self::Down, Self::Slow].into_iter().find(|mode| mode.name() == name)
    }
}
