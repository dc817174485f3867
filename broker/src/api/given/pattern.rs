//! Regular expressions (ECMA-262) that match exactly the durations or sizes of a range, for the schemas.

/// The units of durations, in milliseconds.
const TIMES: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// The units of sizes, in bytes.
const SIZES: [(&str, u64); 6] =
    [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// Matches the durations of `min` to `max` milliseconds.
pub(super) fn of_durations(min: u64, max: u64) -> String {
    of_units(&TIMES, min, max)
}

/// Matches the sizes of `min` to `max` bytes.
pub(super) fn of_sizes(min: u64, max: u64) -> String {
    of_units(&SIZES, min, max)
}

fn of_units(units: &[(&str, u64)], min: u64, max: u64) -> String {
    let of_unit = |(unit, factor): &(&str, u64)| {
        let (min, max) = (min.div_ceil(*factor), max / factor);
        (min <= max).then(|| format!("0*(?:{}){unit}", of_numbers(min, max)))
    };
    let all: Vec<String> = units.iter().filter_map(of_unit).collect();
    format!("^(?:{})$", all.join("|"))
}

/// Matches the whole numbers of `min` to `max`, without leading zeros.
fn of_numbers(min: u64, max: u64) -> String {
    let mut parts = Vec::new();
    let mut start = min;
    loop {
        let end = stretch(start, max);
        parts.push(of_stretch(start, end));
        if end == max {
            return parts.join("|");
        }
        start = end + 1;
    }
}

/// The furthest end so that `start` to it is a fixed beginning, one range of digits, and any digits.
fn stretch(start: u64, max: u64) -> u64 {
    let mut best = start;
    let mut step: u64 = 1;
    // Widen by free digits while `start` ends in as many zeros and the stretch stays within its length.
    while start.is_multiple_of(step) {
        let Some(next) = step.checked_mul(10) else { break };
        let last_of_digit = (start / next).saturating_mul(next).saturating_add(next - 1);
        let whole_steps = (max.saturating_sub(start).saturating_add(1)) / step;
        if whole_steps == 0 || (start == 0 && step > 1) {
            break;
        }
        best = best.max(start.saturating_add(whole_steps.saturating_mul(step) - 1).min(last_of_digit));
        step = next;
    }
    best
}

/// Matches `start` to `end`, which [`stretch`] made.
fn of_stretch(start: u64, end: u64) -> String {
    let (start, end) = (start.to_string(), end.to_string());
    let same = start.bytes().zip(end.bytes()).take_while(|(a, b)| a == b).count();
    let mut out = start[..same].to_owned();
    if same < start.len() {
        let (low, high) = (&start[same..=same], &end[same..=same]);
        out.push_str(&if low == high { low.to_owned() } else { format!("[{low}-{high}]") });
        match start.len() - same - 1 {
            0 => {}
            1 => out.push_str("[0-9]"),
            free => out.push_str(&format!("[0-9]{{{free}}}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use regex::Regex;

    use super::*;
    use crate::api::given::{Bytes, LARGEST, Span, TEN_YEARS};

    /// The numbers that a pattern of [`of_numbers`] lists, read back from its parts.
    fn covered(pattern: &str) -> Vec<(u64, u64)> {
        pattern.split('|').map(bounds).collect()
    }

    fn bounds(part: &str) -> (u64, u64) {
        let (mut low, mut high) = (String::new(), String::new());
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            if let Some(range) = rest.strip_prefix('[') {
                let (range, after) = range.split_once(']').unwrap();
                let (from, to) = range.split_once('-').unwrap();
                let (times, after) = match after.strip_prefix('{') {
                    Some(count) => {
                        let (count, after) = count.split_once('}').unwrap();
                        (count.parse().unwrap(), after)
                    }
                    None => (1, after),
                };
                low.push_str(&from.repeat(times));
                high.push_str(&to.repeat(times));
                rest = after;
            } else {
                low.push(first);
                high.push(first);
                rest = &rest[1..];
            }
        }
        (low.parse().unwrap(), high.parse().unwrap())
    }

    /// Texts of a number and a unit, the number most often at an end of a range that counts in that unit.
    fn texts(units: &'static [(&'static str, u64)], ends: &'static [u64]) -> impl Strategy<Value = String> {
        let at_end = (select(units), select(ends), 0..5_u64).prop_map(|((unit, factor), end, step)| {
            ((end / factor).saturating_add(step).saturating_sub(2).to_string(), unit)
        });
        let anywhere = (select(units), any::<u64>(), 0..64_u32)
            .prop_map(|((unit, _), number, shift)| ((number >> shift).to_string(), unit));
        let odd = (select(&["", "-", "+", "1.", " "][..]), select(&["", "S", "kB", "ms ", "days"][..]))
            .prop_map(|(number, unit)| (format!("{number}7"), unit));
        let number_and_unit = prop_oneof![6 => at_end, 2 => anywhere, 1 => odd];
        ("0{0,2}", number_and_unit).prop_map(|(zeros, (number, unit))| format!("{zeros}{number}{unit}"))
    }

    /// The first text that the pattern of a range and the parser of its durations judge differently.
    fn of_two_minds<const MIN: u64, const MAX: u64>(texts: &[String]) -> Option<&String> {
        let pattern = Regex::new(&of_durations(MIN, MAX)).unwrap();
        let parse = |text: &str| Span::<MIN, MAX>::parse(text);
        texts.iter().find(|text| pattern.is_match(text) != parse(text).is_ok())
    }

    /// The same of sizes.
    fn of_two_minds_on_sizes<const MIN: u64, const MAX: u64>(texts: &[String]) -> Option<&String> {
        let pattern = Regex::new(&of_sizes(MIN, MAX)).unwrap();
        let read = |text: &str| serde_json::from_value::<Bytes<MIN, MAX>>(text.into());
        texts.iter().find(|text| pattern.is_match(text) != read(text).is_ok())
    }

    const LEASE: (u64, u64) = (100, 43_200_000);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn the_pattern_of_durations_matches_just_those_that_are_taken(
            texts in vec(texts(&TIMES, &[LEASE.0, LEASE.1, 0, 1, TEN_YEARS, u64::MAX]), 200),
        ) {
            prop_assert_eq!(of_two_minds::<{ LEASE.0 }, { LEASE.1 }>(&texts), None);
            prop_assert_eq!(of_two_minds::<0, TEN_YEARS>(&texts), None);
            prop_assert_eq!(of_two_minds::<1, TEN_YEARS>(&texts), None);
        }

        #[test]
        fn the_pattern_of_sizes_matches_just_those_that_are_taken(
            texts in vec(texts(&SIZES, &[0, 1, 1 << 30, LARGEST, u64::MAX]), 200),
        ) {
            prop_assert_eq!(of_two_minds_on_sizes::<1, LARGEST>(&texts), None);
            prop_assert_eq!(of_two_minds_on_sizes::<1, { 1 << 30 }>(&texts), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn the_parts_of_a_pattern_follow_each_other_from_the_first_to_the_last(a: u64, b: u64, shift in 0_u32..60) {
            let (min, max) = ((a >> shift).min(b >> shift), (a >> shift).max(b >> shift));
            let parts = covered(&of_numbers(min, max));
            proptest::prop_assert_eq!(parts.first().unwrap().0, min);
            proptest::prop_assert_eq!(parts.last().unwrap().1, max);
            for pair in parts.windows(2) {
                proptest::prop_assert_eq!(pair[0].1 + 1, pair[1].0);
            }
        }
    }

    #[test]
    fn a_lease_is_matched_in_every_unit() {
        assert_eq!(of_numbers(1, 12), "[1-9]|1[0-2]");
        assert_eq!(of_numbers(0, 1000), "[0-9]|[1-9][0-9]|[1-9][0-9]{2}|1000");
        assert!(of_durations(100, 43_200_000).contains("0*(?:[1-9]|1[0-2])h"));
        assert!(!of_durations(100, 43_200_000).contains('d'));
    }
}
