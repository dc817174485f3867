//! Pages of lists that are sorted by name.

use broker_core::identity::Name;
use serde::Deserialize;
use serve::{
    page::{Limit, Page, invalid_cursor},
    problem::Problem,
};
use utoipa::IntoParams;

use super::cursor;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ByName {
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before, as it was given.
    #[param(pattern = "^name~[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    cursor: Option<String>,
}

impl ByName {
    /// The name that the page starts after, where it is not the first.
    pub(super) fn after(&self) -> Result<Option<Name>, Problem> {
        self.cursor.as_deref().map(|text| cursor::name(text).ok_or_else(invalid_cursor)).transpose()
    }

    /// How many things to ask for: one more than a page has shows whether another page follows.
    pub(super) const fn wanted(&self) -> usize {
        self.limit.get() + 1
    }
}

/// Makes a page of the first of [`ByName::wanted`] things.
pub(super) fn of<V, T>(
    all: impl Iterator<Item = V>,
    wanted: usize,
    name: impl Fn(&V) -> &Name,
    show: impl Fn(&V) -> T,
) -> Page<T> {
    let found: Vec<V> = all.take(wanted).collect();
    let length = found.len().min(wanted - 1);
    let next_cursor = (found.len() > length).then(|| cursor::of_name(name(&found[length - 1])));
    Page { items: found[..length].iter().map(show).collect(), next_cursor }
}
