//! Which messages a subscription takes: the filters of the CloudEvents Subscriptions dialect
//! (CloudEvents Subscriptions API 1.0-wip, section 3.2.4), over the attributes of events.

mod attributes;

use std::sync::Arc;

pub use self::attributes::Attributes;

/// Attributes with what their values are compared to; at least one.
pub type Terms = Arc<[(Arc<str>, Arc<str>)]>;

/// A filter. Case counts; an attribute that an event lacks fits nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Each attribute has just this value.
    Exact(Terms),
    /// Each attribute's value starts so.
    Prefix(Terms),
    /// Each attribute's value ends so.
    Suffix(Terms),
    /// All of these match.
    All(Arc<[Self]>),
    /// One of these matches.
    Any(Arc<[Self]>),
    /// This does not match.
    Not(Arc<Self>),
}

impl Filter {
    /// How deep filters may be nested.
    pub const MAX_DEPTH: usize = 16;
    /// How many comparisons and combinations one filter may hold.
    pub const MAX_PARTS: usize = 256;

    /// Whether an event with these attributes passes.
    #[must_use]
    pub fn matches(&self, attributes: &Attributes) -> bool {
        match self {
            Self::Exact(terms) => all(terms, attributes, |value, wanted| value == wanted),
            Self::Prefix(terms) => all(terms, attributes, |value, wanted| value.starts_with(wanted)),
            Self::Suffix(terms) => all(terms, attributes, |value, wanted| value.ends_with(wanted)),
            Self::All(filters) => filters.iter().all(|filter| filter.matches(attributes)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(attributes)),
            Self::Not(filter) => !filter.matches(attributes),
        }
    }
}

fn all(terms: &Terms, attributes: &Attributes, fits: impl Fn(&str, &str) -> bool) -> bool {
    terms.iter().all(|(name, wanted)| attributes.get(name).is_some_and(|value| fits(value, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(terms: &[(&str, &str)]) -> Terms {
        terms.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
    }

    fn event() -> Attributes {
        [("type", "order.placed"), ("source", "/shop/eu"), ("subject", "o-1")].into_iter().collect()
    }

    #[test]
    fn exact_prefix_and_suffix_compare_each_attribute_that_they_name() {
        let matches = |filter: Filter| filter.matches(&event());
        assert!(matches(Filter::Exact(terms(&[("type", "order.placed"), ("subject", "o-1")]))));
        assert!(!matches(Filter::Exact(terms(&[("type", "order.placed"), ("subject", "o-2")]))));
        assert!(!matches(Filter::Exact(terms(&[("type", "Order.Placed")]))));
        assert!(matches(Filter::Prefix(terms(&[("type", "order."), ("source", "/shop")]))));
        assert!(!matches(Filter::Prefix(terms(&[("type", "placed")]))));
        assert!(matches(Filter::Suffix(terms(&[("source", "/eu")]))));
        assert!(!matches(Filter::Suffix(terms(&[("source", "/shop")]))));
    }

    #[test]
    fn an_attribute_that_is_not_there_fits_nothing() {
        let absent = terms(&[("region", "")]);
        for filter in [Filter::Exact(absent.clone()), Filter::Prefix(absent.clone()), Filter::Suffix(absent)]
        {
            assert!(!filter.matches(&event()));
            assert!(Filter::Not(Arc::new(filter)).matches(&event()));
        }
    }

    #[test]
    fn all_any_and_not_combine() {
        let yes = Filter::Exact(terms(&[("subject", "o-1")]));
        let no = Filter::Exact(terms(&[("subject", "o-2")]));
        let both = [yes.clone(), no.clone()];
        assert!(!Filter::All(both.clone().into()).matches(&event()));
        assert!(Filter::Any(both.into()).matches(&event()));
        assert!(Filter::All([yes.clone(), yes.clone()].into()).matches(&event()));
        assert!(!Filter::Any([no.clone(), no.clone()].into()).matches(&event()));
        assert!(Filter::Not(Arc::new(no)).matches(&event()));
        assert!(!Filter::Not(Arc::new(yes)).matches(&event()));
    }
}
