//! The measurements of a load: how fast, how long, what became of the orders.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use super::{Ended, Outcome, percentile};
use crate::paint::{bad, good, strong, warn};

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How long the whole took.
    pub took: Duration,
    /// How long each confirmed order took, ascending.
    pub confirmed: Vec<Duration>,
    /// How many ended how.
    pub ended: BTreeMap<Ended, usize>,
}

impl Measured {
    pub(super) fn new(outcomes: &[Outcome], took: Duration) -> Self {
        let (mut confirmed, mut ended) = (Vec::new(), BTreeMap::new());
        for outcome in outcomes {
            *ended.entry(outcome.ended.clone()).or_default() += 1;
            if outcome.ended == Ended::Confirmed {
                confirmed.push(outcome.took);
            }
        }
        confirmed.sort_unstable();
        Self { took, confirmed, ended }
    }

    /// Orders decided a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        let decided: usize = self
            .ended
            .iter()
            .filter(|(ended, _)| matches!(ended, Ended::Confirmed | Ended::Cancelled(_)))
            .map(|(_, n)| n)
            .sum();
        // Counts of orders are far below where a float loses whole numbers.
        #[allow(clippy::cast_precision_loss)]
        let decided = decided as f64;
        decided / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Whether every order was taken and decided.
    #[must_use]
    pub fn all_decided(&self) -> bool {
        !self.ended.keys().any(|ended| matches!(ended, Ended::Pending | Ended::Failed(_)))
    }

    /// Tells it.
    ///
    /// # Errors
    /// When `out` can't be written to.
    pub fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        let seconds = self.took.as_secs_f64();
        let rate = strong(&format!("{:.0} orders/s", self.per_second()));
        writeln!(out, "{rate} from POST to decided, in {seconds:.1} s")?;
        let at = |percent| percentile(&self.confirmed, percent).map_or("-".to_owned(), in_millis);
        writeln!(out, "POST to confirmed: p50 {}, p99 {}", at(50), at(99))?;
        for (ended, n) in &self.ended {
            match ended {
                Ended::Confirmed => writeln!(out, "{} {n} confirmed", good("✓"))?,
                Ended::Cancelled(reason) => writeln!(out, "{} {n} cancelled: {reason}", warn("✓"))?,
                Ended::Pending => writeln!(out, "{} {n} still pending", bad("✗"))?,
                Ended::Failed(why) => writeln!(out, "{} {n} failed: {why}", bad("✗"))?,
            }
        }
        Ok(())
    }
}

fn in_millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn outcome(ended: Ended, millis: u64) -> Outcome {
        Outcome { key: Uuid::now_v7(), order: None, ended, took: Duration::from_millis(millis) }
    }

    #[test]
    fn only_confirmed_orders_are_timed_and_only_decided_ones_make_the_rate() {
        let outcomes = [
            outcome(Ended::Confirmed, 30),
            outcome(Ended::Confirmed, 10),
            outcome(Ended::Cancelled("payment-declined".to_owned()), 500),
            outcome(Ended::Failed("refused with 503".to_owned()), 900),
        ];
        let measured = Measured::new(&outcomes, Duration::from_secs(2));
        assert_eq!(measured.confirmed, [Duration::from_millis(10), Duration::from_millis(30)]);
        assert!((measured.per_second() - 1.5).abs() < 1e-9);
        assert!(!measured.all_decided());
    }

    #[test]
    fn it_tells_rate_percentiles_and_what_became_of_the_orders() {
        let outcomes =
            [outcome(Ended::Confirmed, 12), outcome(Ended::Cancelled("out-of-stock".to_owned()), 5)];
        let mut out = Vec::new();
        Measured::new(&outcomes, Duration::from_secs(1))
            .tell(&mut anstream::StripStream::new(&mut out))
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in ["2 orders/s", "p50 12.0 ms", "p99 12.0 ms", "1 confirmed", "1 cancelled: out-of-stock"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
