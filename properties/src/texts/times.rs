//! Times: RFC 3339 as its grammar has it, no earlier than 1970 and no later than 9999, and written in one form.

use units::Timestamp;

pub(super) fn hold(text: &str) {
    let read = text.parse::<Timestamp>();
    match reference(text) {
        Reference::At(millis) => {
            assert_eq!(read.as_ref().ok().map(|at| i128::from(at.as_millis())), Some(millis), "{text:?}");
        }
        Reference::None => assert!(read.is_err(), "{text:?} was read as {read:?}"),
        Reference::LeapSecond => {}
    }
    match read {
        Ok(at) => {
            let written = at.to_string();
            assert_eq!(written.len(), "2026-11-24T04:15:00.000Z".len(), "{written}");
            assert_eq!(written.parse::<Timestamp>(), Ok(at), "{text:?} was written as {written}");
        }
        Err(error) => assert!(error.to_string().contains("write it by RFC 3339"), "{error}"),
    }
}

/// What the grammar of RFC 3339 (section 5.6) makes of a text.
enum Reference {
    /// Milliseconds since 1970.
    At(i128),
    /// A leap second: when there was one is not told here.
    LeapSecond,
    /// Nothing that can be a time here.
    None,
}

fn reference(text: &str) -> Reference {
    let Some((time, seconds)) = instant(text) else { return Reference::None };
    if seconds == 60 {
        return Reference::LeapSecond;
    }
    let millis = time.div_euclid(1_000_000);
    let last = i128::from(Timestamp::MAX.as_millis());
    if (0..=last).contains(&millis) { Reference::At(millis) } else { Reference::None }
}

/// Nanoseconds since 1970, and the second of the minute.
fn instant(text: &str) -> Option<(i128, i128)> {
    let mut rest = Rest(text.as_bytes());
    let (year, ()) = (rest.digits(4)?, rest.byte(b"-")?);
    let (month, ()) = (rest.digits(2)?, rest.byte(b"-")?);
    let (day, ()) = (rest.digits(2)?, rest.byte(b"Tt")?);
    let (hour, ()) = (rest.digits(2)?, rest.byte(b":")?);
    let (minute, ()) = (rest.digits(2)?, rest.byte(b":")?);
    let second = rest.digits(2)?;
    let nanos = rest.fraction()?;
    let offset = rest.offset()?;
    let lengths = [31, 28 + i128::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    let fits = (1..=*length).contains(&day) && hour <= 23 && minute <= 59 && second <= 60;
    let days = days_before(year) + lengths[..usize::try_from(month).ok()? - 1].iter().sum::<i128>() + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
    fits.then_some((seconds * 1_000_000_000 + nanos, second))
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days from 1970 to the start of a year.
fn days_before(year: i128) -> i128 {
    let leaps = |year: i128| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    year * 365 + leaps(year) - (1970 * 365 + leaps(1970))
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn digits(&mut self, count: usize) -> Option<i128> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i128::from(digit - b'0'))
        })
    }

    fn byte(&mut self, wanted: &[u8]) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        wanted.contains(first).then_some(())
    }

    /// Nanoseconds; digits beyond the ninth count for nothing.
    fn fraction(&mut self) -> Option<i128> {
        if self.0.first() != Some(&b'.') {
            return Some(0);
        }
        let digits = self.0[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0[1..].split_at(digits);
        self.0 = rest;
        let nanos = fraction.iter().chain(&[b'0'; 9]).take(9);
        (digits > 0).then(|| nanos.fold(0, |nanos, digit| nanos * 10 + i128::from(digit - b'0')))
    }

    /// Minutes that local time is ahead of UTC; nothing may follow.
    fn offset(&mut self) -> Option<i128> {
        let sign = match self.0.first()? {
            b'Z' | b'z' => return (self.0.len() == 1).then_some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let (hours, ()) = (self.digits(2)?, self.byte(b":")?);
        let minutes = self.digits(2)?;
        (hours <= 23 && minutes <= 59 && self.0.is_empty()).then_some(sign * (hours * 60 + minutes))
    }
}
