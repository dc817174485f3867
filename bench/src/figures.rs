//! What a scene measured, as a line of the table.

use std::{fmt, time::Duration};

/// The table's head.
pub(crate) const HEAD: &str =
    "scene                        messages/s   p50 ms   p99 ms   max ms   memory MB";

/// What one scene measured.
pub(crate) struct Figures {
    scene: &'static str,
    per_second: f64,
    /// In order.
    times: Vec<Duration>,
    memory: u64,
}

impl Figures {
    /// Of so many messages in that time. `times` are those of the requests, or of the messages' ways.
    pub(crate) fn new(scene: &'static str, messages: u64, took: Duration, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { scene, per_second: messages as f64 / took.as_secs_f64(), times, memory: resident_kib() * 1024 }
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        let place = (last as f64 * quantile).round() as usize;
        self.times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|quantile| self.quantile_ms(quantile));
        let (scene, per_second, memory) = (self.scene, self.per_second, self.memory as f64 / 1e6);
        write!(f, "{scene:<28} {per_second:>10.0} {p50:>8.2} {p99:>8.2} {max:>8.1} {memory:>11.1}")
    }
}

/// The resident memory of this process, broker and clients, in KiB; 0 where the system does not say.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
