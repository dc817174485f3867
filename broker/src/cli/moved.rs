//! What `backup` and `restore` tell as JSON of what they put in place.

use std::{borrow::Cow, path::Path};

use serde::Serialize;

use crate::maintenance::Copied;

/// From where to where; `ok` is as the exit code is.
#[derive(Serialize)]
pub(super) struct Moved<'a> {
    ok: bool,
    from: Cow<'a, str>,
    to: Cow<'a, str>,
    #[serde(flatten)]
    copied: Copied,
}

impl<'a> Moved<'a> {
    pub(super) fn new(ok: bool, from: &'a Path, to: &'a Path, copied: Copied) -> Self {
        Self { ok, from: from.to_string_lossy(), to: to.to_string_lossy(), copied }
    }
}
