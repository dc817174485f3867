//! Lists in pages: `{"items":[…],"next_cursor"?}`, with `limit` and `cursor`.

use serde::{Deserialize, Serialize, de::Error};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// The page length when none is asked for.
pub const DEFAULT_LIMIT: u32 = 100;
/// The longest page.
pub const MAX_LIMIT: u32 = 1000;

/// One page of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The parameters of a list. Where a list has filters too, repeat these two fields beside them: serde
/// can't both flatten and refuse unknown fields.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    pub limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The length of a page: 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = u32, minimum = 1, maximum = 1000)]
pub struct Limit(u32);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl Limit {
    /// As a number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u32::deserialize(deserializer)?;
        if (1..=MAX_LIMIT).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(D::Error::custom("limit is 1 to 1000"))
        }
    }
}

/// The problem of a cursor that this list did not give.
#[must_use]
pub fn invalid_cursor() -> Problem {
    Problem::invalid("cursor", "is not a cursor of this list: pass on next_cursor as it was given")
}
