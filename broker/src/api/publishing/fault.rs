//! What is wrong with one attribute of one event.

use serve::problem::Problem;

/// A field and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    field: String,
    detail: String,
}

impl Fault {
    /// That field is wrong.
    pub(super) fn of(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }

    /// The same of the event at that place of a batch.
    pub(super) fn at(self, index: usize) -> Self {
        let field =
            if self.field == "body" { format!("[{index}]") } else { format!("[{index}].{}", self.field) };
        Self { field, ..self }
    }

    /// The same of an event that stands in a field.
    pub(super) fn within(self, outer: &str) -> Self {
        let field = if self.field == "body" { outer.to_owned() } else { format!("{outer}.{}", self.field) };
        Self { field, ..self }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::invalid(fault.field, fault.detail)
    }
}
