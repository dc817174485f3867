//! One stretch in which the broker can't be worked with: logged once when it begins and once when it
//! ends, and how long to wait between tries. What is tried is the caller's matter.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use rand::RngExt as _;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause that we choose.
const LONGEST: Duration = Duration::from_secs(3);
/// The longest pause that a broker may ask us for.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Outage {
    doing: &'static str,
    /// Since when, and the next pause before jitter.
    current: Option<(Instant, Duration)>,
}

impl Outage {
    /// None so far. `doing` is what the log says is held up.
    pub(crate) const fn new(doing: &'static str) -> Self {
        Self { doing, current: None }
    }

    /// Notes a failure, and tells how long to wait before the next try: `asked` if the broker asks for
    /// longer than the backoff, with jitter so that many clients do not come back at once.
    pub(crate) fn failed(&mut self, error: &impl Display, asked: Option<Duration>) -> Duration {
        let (since, pause) = self.current.unwrap_or_else(|| {
            tracing::warn!(error = %error, doing = self.doing, "broker_away");
            (Instant::now(), FIRST)
        });
        self.current = Some((since, (pause * 2).min(LONGEST)));
        let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
        pause.mul_f64(rand::rng().random_range(0.5..1.0)).max(asked)
    }

    /// Notes that it works (again).
    pub(crate) fn over(&mut self) {
        if let Some((since, _)) = self.current.take() {
            tracing::info!(away_seconds = since.elapsed().as_secs_f64(), doing = self.doing, "broker_back");
        }
    }

    /// Whether it lasts.
    pub(crate) const fn lasts(&self) -> bool {
        self.current.is_some()
    }
}
