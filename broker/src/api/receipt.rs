//! The text form of receipts: `QUEUE-MESSAGE-LEASE`, three decimal numbers without leading zeros, so
//! that every receipt has exactly one text. What a receipt is worth is the core's to say.

use broker_core::identity::{LeaseId, QueueId, Receipt, Sequence};

/// Writes a receipt at the end of `out`.
pub fn write(out: &mut Vec<u8>, receipt: Receipt) {
    let Receipt { queue: QueueId(queue), sequence: Sequence(sequence), lease: LeaseId(lease) } = receipt;
    write_number(out, u64::from(queue));
    out.push(b'-');
    write_number(out, sequence);
    out.push(b'-');
    write_number(out, lease);
}

/// Reads a receipt; `None` for any text that [`write`] would not have written.
#[must_use]
pub fn parse(text: &str) -> Option<Receipt> {
    let mut parts = text.split('-').map(parse_number);
    let (queue, sequence, lease) = (parts.next()??, parts.next()??, parts.next()??);
    let queue = u32::try_from(queue).ok()?;
    let receipt = Receipt { queue: QueueId(queue), sequence: Sequence(sequence), lease: LeaseId(lease) };
    parts.next().is_none().then_some(receipt)
}

/// Writes a number in decimal, without going through a `String`.
pub(super) fn write_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Reads a number that has no sign and no leading zeros.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(queue: u32, sequence: u64, lease: u64) -> String {
        let mut out = Vec::new();
        write(
            &mut out,
            Receipt { queue: QueueId(queue), sequence: Sequence(sequence), lease: LeaseId(lease) },
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_receipt_is_read_back_as_it_was_written() {
        assert_eq!(text(7, 1043, 88), "7-1043-88");
        for (queue, sequence, lease) in [(0, 0, 0), (7, 1043, 88), (u32::MAX, u64::MAX, u64::MAX)] {
            let receipt =
                Receipt { queue: QueueId(queue), sequence: Sequence(sequence), lease: LeaseId(lease) };
            assert_eq!(parse(&text(queue, sequence, lease)), Some(receipt));
        }
    }

    #[test]
    fn any_other_text_is_no_receipt() {
        for text in [
            "",
            "7",
            "7-1",
            "7-1-",
            "7-1-2-3",
            "07-1-2",
            "7-+1-2",
            "7-1-x",
            "4294967296-1-2",
            "-7-1-2",
            "7-1-2 ",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
