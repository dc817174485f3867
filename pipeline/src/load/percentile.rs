//! Percentiles by the nearest rank: the smallest value that so many percent do not exceed.

use std::time::Duration;

/// The `percent`-th percentile (above 0, to 100) of durations in ascending order; `None` of none.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: u32) -> Option<Duration> {
    let rank = (sorted.len() * percent as usize).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn of_one_to_a_hundred_the_99th_is_99_and_the_50th_50() {
        let values = millis(1..=100);
        for percent in [1, 50, 99, 100] {
            assert_eq!(percentile(&values, percent), Some(Duration::from_millis(percent.into())));
        }
    }

    #[test]
    fn of_few_values_the_rank_is_rounded_up() {
        let values = millis([10, 20, 30]);
        assert_eq!(percentile(&values, 50), Some(Duration::from_millis(20)));
        assert_eq!(percentile(&values, 99), Some(Duration::from_millis(30)));
        assert_eq!(percentile(&values, 1), Some(Duration::from_millis(10)));
    }

    #[test]
    fn of_none_there_is_none() {
        assert_eq!(percentile(&[], 50), None);
    }
}
