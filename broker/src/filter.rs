//! The JSON form of subscription filters, as the CloudEvents Subscriptions dialect has it: an object with
//! one member, which is the dialect's word. The store keeps filters in the same form.
//!
//! ```text
//! {"exact": {ATTRIBUTE: VALUE, …}}   and "prefix", "suffix" alike; all of its terms must fit
//! {"all": [FILTER, …]}               and "any" alike
//! {"not": FILTER}
//! ```

use std::sync::Arc;

use broker_core::filter::{Filter, Terms};
use serde_json::{Map, Value, json};

/// What is wrong in a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct InvalidFilter {
    /// The path of the member at fault, such as `filter.all[0].exact`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub detail: String,
}

impl InvalidFilter {
    fn new(field: &str, detail: impl Into<String>) -> Self {
        Self { field: field.to_owned(), detail: detail.into() }
    }
}

/// Reads a filter that stands in that field.
///
/// # Errors
/// [`InvalidFilter`] when it is none, or nested deeper or larger than
/// [`Filter::MAX_DEPTH`] and [`Filter::MAX_PARTS`] allow.
pub fn read(json: &Value, field: &str) -> Result<Filter, InvalidFilter> {
    Reader { parts: 0, is_new: true }.filter(json, field, 1)
}

/// Reads a filter that is stored: rules that came later do not hold for it.
///
/// # Errors
/// As [`read`].
pub fn read_stored(json: &Value) -> Result<Filter, InvalidFilter> {
    Reader { parts: 0, is_new: false }.filter(json, "filter", 1)
}

/// Writes a filter.
#[must_use]
pub fn write(filter: &Filter) -> Value {
    match filter {
        Filter::Exact(terms) => json!({"exact": write_terms(terms)}),
        Filter::Prefix(terms) => json!({"prefix": write_terms(terms)}),
        Filter::Suffix(terms) => json!({"suffix": write_terms(terms)}),
        Filter::All(filters) => json!({"all": filters.iter().map(write).collect::<Vec<_>>()}),
        Filter::Any(filters) => json!({"any": filters.iter().map(write).collect::<Vec<_>>()}),
        Filter::Not(filter) => json!({"not": write(filter)}),
    }
}

fn write_terms(terms: &Terms) -> Map<String, Value> {
    terms.iter().map(|(name, value)| (name.to_string(), Value::from(&**value))).collect()
}

/// Counts what a filter consists of while it is read.
struct Reader {
    parts: usize,
    is_new: bool,
}

impl Reader {
    fn filter(&mut self, json: &Value, field: &str, depth: usize) -> Result<Filter, InvalidFilter> {
        if depth > Filter::MAX_DEPTH {
            let detail = format!("is nested too deep: at most {} levels", Filter::MAX_DEPTH);
            return Err(InvalidFilter::new(field, detail));
        }
        self.count(field)?;
        let (word, value) = only_member(json, field)?;
        let within = format!("{field}.{word}");
        match word {
            "exact" => Ok(Filter::Exact(self.terms(value, &within)?)),
            "prefix" => Ok(Filter::Prefix(self.terms(value, &within)?)),
            "suffix" => Ok(Filter::Suffix(self.terms(value, &within)?)),
            "all" => Ok(Filter::All(self.filters(value, &within, depth)?)),
            "any" => Ok(Filter::Any(self.filters(value, &within, depth)?)),
            "not" => Ok(Filter::Not(Arc::new(self.filter(value, &within, depth + 1)?))),
            _ => Err(InvalidFilter::new(&within, "is none of exact, prefix, suffix, all, any, not")),
        }
    }

    fn filters(&mut self, json: &Value, field: &str, depth: usize) -> Result<Arc<[Filter]>, InvalidFilter> {
        let filters = json.as_array().filter(|filters| !filters.is_empty());
        let filters =
            filters.ok_or_else(|| InvalidFilter::new(field, "is an array of at least one filter"))?;
        let places = filters.iter().enumerate();
        places.map(|(place, json)| self.filter(json, &format!("{field}[{place}]"), depth + 1)).collect()
    }

    fn terms(&mut self, json: &Value, field: &str) -> Result<Terms, InvalidFilter> {
        let members = json.as_object().filter(|members| !members.is_empty());
        let wrong =
            || InvalidFilter::new(field, "is an object of attributes with the texts they are compared to");
        members.ok_or_else(wrong)?.iter().map(|(name, value)| self.term(name, value, field)).collect()
    }

    fn term(
        &mut self,
        name: &str,
        value: &Value,
        field: &str,
    ) -> Result<(Arc<str>, Arc<str>), InvalidFilter> {
        self.count(field)?;
        let within = format!("{field}.{name}");
        let is_attribute = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if name.is_empty() || !name.bytes().all(is_attribute) {
            return Err(InvalidFilter::new(&within, "is no attribute: lower-case letters and digits"));
        }
        if name == "data" && self.is_new {
            return Err(InvalidFilter::new(&within, "is no attribute: filters do not look at the data"));
        }
        match value.as_str() {
            Some(text) if !text.is_empty() => Ok((Arc::from(name), Arc::from(text))),
            _ => Err(InvalidFilter::new(&within, "is compared to a text that is not empty")),
        }
    }

    fn count(&mut self, field: &str) -> Result<(), InvalidFilter> {
        self.parts += 1;
        if self.parts <= Filter::MAX_PARTS {
            return Ok(());
        }
        Err(InvalidFilter::new(
            field,
            format!("makes the filter too large: at most {} parts", Filter::MAX_PARTS),
        ))
    }
}

fn only_member<'a>(json: &'a Value, field: &str) -> Result<(&'a str, &'a Value), InvalidFilter> {
    let members = json.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.iter().next());
    let wrong =
        || InvalidFilter::new(field, "is an object with one member: exact, prefix, suffix, all, any or not");
    member.map(|(word, value)| (word.as_str(), value)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &Value) -> String {
        read(json, "filter").unwrap_err().field
    }

    #[test]
    fn a_filter_is_read_back_as_it_was_written() {
        let json = json!({"all": [
            {"exact": {"type": "order.placed", "source": "/shop"}},
            {"any": [{"prefix": {"subject": "eu-"}}, {"suffix": {"subject": "-eu"}}]},
            {"not": {"exact": {"region": "us"}}},
        ]});
        assert_eq!(write(&read(&json, "filter").unwrap()), json);
    }

    #[test]
    fn what_is_no_filter_is_named_by_its_path() {
        assert_eq!(fault(&json!("all")), "filter");
        assert_eq!(fault(&json!({})), "filter");
        assert_eq!(fault(&json!({"exact": {"type": "a"}, "prefix": {"type": "b"}})), "filter");
        assert_eq!(fault(&json!({"like": {"type": "a"}})), "filter.like");
        assert_eq!(fault(&json!({"exact": {}})), "filter.exact");
        assert_eq!(fault(&json!({"all": []})), "filter.all");
        assert_eq!(fault(&json!({"any": [{"exact": {"type": "a"}}, {"not": 1}]})), "filter.any[1].not");
        assert_eq!(fault(&json!({"exact": {"Type": "a"}})), "filter.exact.Type");
        assert_eq!(fault(&json!({"prefix": {"type": ""}})), "filter.prefix.type");
        assert_eq!(fault(&json!({"suffix": {"n": 1}})), "filter.suffix.n");
    }

    #[test]
    fn a_filter_is_bounded_in_depth_and_size() {
        let leaf = json!({"exact": {"type": "a"}});
        let nested = |depth: usize| (1..depth).fold(leaf.clone(), |inner, _| json!({"not": inner}));
        assert!(read(&nested(Filter::MAX_DEPTH), "filter").is_ok());
        assert!(read(&nested(Filter::MAX_DEPTH + 1), "filter").is_err());
        let wide = |parts: usize| json!({"any": vec![leaf.clone(); parts]});
        assert!(read(&wide(127), "filter").is_ok());
        assert!(read(&wide(128), "filter").is_err());
    }
}
