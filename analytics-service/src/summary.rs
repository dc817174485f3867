//! The summary as it is told: what was counted, and how far that may be off.

use std::collections::BTreeMap;

use events::{Currency, Money};
use serde::Serialize;
use units::Timestamp;
use utoipa::ToSchema;

/// What was counted since ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Summary {
    /// Orders placed.
    pub placed: i64,
    /// Orders confirmed.
    pub confirmed: i64,
    /// Orders cancelled, by reason.
    pub cancelled: BTreeMap<String, i64>,
    /// What was taken less what was given back, a currency each.
    pub revenue: Vec<Money>,
    /// The last 60 minutes in which anything happened, oldest first.
    pub per_minute: Vec<MinuteCounts>,
    /// At most once: events can be lost on the way to here and are not asked for again.
    #[schema(example = "at most once")]
    pub guarantee: &'static str,
    /// So many events at the most may be missing above or be counted twice, added up either way.
    #[schema(minimum = 0)]
    pub may_be_off_by: i64,
}

/// What happened in one minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MinuteCounts {
    /// When it began.
    pub minute: Timestamp,
    /// Orders placed.
    pub placed: i64,
    /// Orders confirmed.
    pub confirmed: i64,
    /// Orders cancelled.
    pub cancelled: i64,
}

/// The counts as the table holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<(String, String), i64>);

impl Counts {
    /// From rows of name, detail and count.
    pub fn new(rows: impl IntoIterator<Item = (String, String, i64)>) -> Self {
        Self(rows.into_iter().map(|(name, detail, n)| ((name, detail), n)).collect())
    }

    /// A count without detail.
    fn plain(&self, name: &str) -> i64 {
        self.detailed(name).map(|(_, n)| n).sum()
    }

    fn detailed<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, i64)> {
        let of_name = self.0.iter().filter(move |((counted, _), _)| counted == name);
        of_name.map(|((_, detail), n)| (detail.as_str(), *n))
    }

    /// Taken less given back; a capture that was missed makes no debt.
    fn revenue(&self) -> Vec<Money> {
        let mut revenue = BTreeMap::<Currency, i64>::new();
        for (name, sign) in [("captured", 1), ("refunded", -1)] {
            for (currency, n) in self.detailed(name) {
                if let Ok(currency) = Currency::parse(currency) {
                    *revenue.entry(currency).or_default() += sign * n;
                }
            }
        }
        revenue.into_iter().map(|(currency, amount)| Money::new(amount.max(0), currency)).collect()
    }

    /// The summary of these counts. `uncounted` is how many events may be lost, or on the way,
    /// besides what the counts themselves say.
    #[must_use]
    pub fn summary(&self, per_minute: Vec<MinuteCounts>, uncounted: i64) -> Summary {
        Summary {
            placed: self.plain("placed"),
            confirmed: self.plain("confirmed"),
            cancelled: self.detailed("cancelled").map(|(reason, n)| (reason.to_owned(), n)).collect(),
            revenue: self.revenue(),
            per_minute,
            guarantee: "at most once",
            may_be_off_by: self.plain("missed") + self.plain("doubled") + uncounted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, &str, i64)]) -> Counts {
        Counts::new(rows.iter().map(|(name, detail, n)| ((*name).to_owned(), (*detail).to_owned(), *n)))
    }

    #[test]
    fn revenue_is_what_was_taken_less_what_was_given_back_by_currency() {
        let counts = counts(&[("captured", "EUR", 500), ("captured", "USD", 700), ("refunded", "EUR", 200)]);
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(counts.summary(vec![], 0).revenue, [Money::eur(300), Money::new(700, usd)]);
    }

    #[test]
    fn a_refund_whose_capture_was_missed_makes_no_negative_revenue() {
        assert_eq!(counts(&[("refunded", "EUR", 200)]).summary(vec![], 0).revenue, [Money::eur(0)]);
    }

    #[test]
    fn what_was_missed_doubled_or_not_yet_counted_adds_up_to_what_it_may_be_off_by() {
        let counts = counts(&[("placed", "", 7), ("missed", "", 3), ("doubled", "", 2)]);
        let summary = counts.summary(vec![], 4);
        assert_eq!((summary.placed, summary.may_be_off_by), (7, 9));
    }
}
