//! A problem (RFC 9457) as the broker answered it, in words for a terminal.

use std::fmt;

use ::serve::problem::{INVALID_FIELD, MALFORMED_JSON};
use serde::Deserialize;

use super::human::clean;

/// What the broker says is wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    /// `/problems/SLUG`.
    r#type: String,
    title: String,
    /// The HTTP status.
    pub(super) status: u16,
    detail: String,
    errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Debug, Deserialize)]
struct FieldError {
    field: String,
    detail: String,
}

impl Problem {
    /// The stable name: what stands after the last slash of `type`.
    pub(super) fn slug(&self) -> &str {
        self.r#type.rsplit('/').next().unwrap_or_default()
    }

    /// Whether what was asked is wrong in itself, so that to ask it again is of no use.
    pub(super) fn is_of_the_arguments(&self) -> bool {
        [INVALID_FIELD.name, MALFORMED_JSON.name].contains(&self.slug())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", clean(&self.title), self.status, clean(self.slug()))?;
        // With fields at fault, the detail says the same as the first of them.
        if self.errors.is_empty() && !self.detail.eq_ignore_ascii_case(&self.title) {
            write!(f, "\n  {}", clean(&self.detail))?;
        }
        for FieldError { field, detail } in &self.errors {
            write!(f, "\n  {}: {}", clean(field), clean(detail))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(problem: serde_json::Value) -> String {
        serde_json::from_value::<Problem>(problem).unwrap().to_string()
    }

    #[test]
    fn a_problem_shows_its_title_slug_and_detail() {
        let problem = json!({"type": "/problems/queue-not-found", "title": "There is no such queue", "status": 404,
            "detail": "no queue is called \"jobs\""});
        assert_eq!(
            shown(problem),
            "There is no such queue (404 queue-not-found)\n  no queue is called \"jobs\""
        );
    }

    #[test]
    fn fields_at_fault_stand_a_line_each_in_place_of_the_detail() {
        let errors =
            json!([{"field": "lease", "detail": "too long"}, {"field": "ttl", "detail": "too short"}]);
        let problem = json!({"type": "/problems/invalid-field", "title": "A field is wrong", "status": 422,
            "detail": "lease: too long", "errors": errors});
        let expected = "A field is wrong (422 invalid-field)\n  lease: too long\n  ttl: too short";
        assert_eq!(shown(problem), expected);
    }
}
