//! The binary columns. All numbers are little-endian; times are milliseconds since 1970.
//!
//! ```text
//! messages.whole        16 bytes        digest of source and id, u128
//! messages.placements   20 bytes each   queue u32 | available_at u64 | expires_at u64, all ones for never
//! leases.sequences       8 bytes each   sequence u64
//! counters.totals        8 bytes each   the totals in the order of `totals`, u64
//! remembered_ids.ids    36 bytes each   whole u128 | fingerprint u64 | queues u32 | at u64
//! ```

use broker_core::{
    change::{Placement, RememberedId},
    counters::QueueCounters,
    identity::{QueueId, Sequence},
};
use units::Timestamp;

use crate::store::StoreError;

/// Stands for "never" in a placement's expiry: no time is that large.
const NEVER: u64 = u64::MAX;

/// Reads numbers off the front of a column.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (front, rest) = self.0.split_first_chunk().ok_or_else(|| damaged("a column ends in a number"))?;
        self.0 = rest;
        Ok(*front)
    }

    fn u32(&mut self) -> Result<u32, StoreError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_le_bytes)
    }

    fn u128(&mut self) -> Result<u128, StoreError> {
        self.array().map(u128::from_le_bytes)
    }

    fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.u64().map(Timestamp::from_millis)
    }

    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

/// Reads a column of equal items.
fn all<T>(
    column: &[u8],
    item: impl Fn(&mut Numbers<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut numbers = Numbers(column);
    let mut items = Vec::new();
    while !numbers.is_empty() {
        items.push(item(&mut numbers)?);
    }
    Ok(items)
}

/// Writes `messages.placements` into an emptied buffer.
pub(super) fn write_placements(out: &mut Vec<u8>, placements: &[Placement]) {
    out.clear();
    for placement in placements {
        out.extend_from_slice(&placement.queue.0.to_le_bytes());
        out.extend_from_slice(&placement.available_at.as_millis().to_le_bytes());
        out.extend_from_slice(&placement.expires_at.map_or(NEVER, Timestamp::as_millis).to_le_bytes());
    }
}

pub(super) fn read_placements(column: &[u8]) -> Result<Vec<Placement>, StoreError> {
    all(column, |numbers| {
        let (queue, available_at, expires_at) = (QueueId(numbers.u32()?), numbers.time()?, numbers.u64()?);
        let expires_at = (expires_at != NEVER).then(|| Timestamp::from_millis(expires_at));
        Ok(Placement { queue, available_at, expires_at })
    })
}

/// Writes `leases.sequences` into an emptied buffer.
pub(super) fn write_sequences(out: &mut Vec<u8>, sequences: &[Sequence]) {
    out.clear();
    out.extend(sequences.iter().flat_map(|sequence| sequence.0.to_le_bytes()));
}

pub(super) fn read_sequences(column: &[u8]) -> Result<Vec<Sequence>, StoreError> {
    all(column, |numbers| numbers.u64().map(Sequence))
}

/// Appends one id to `remembered_ids.ids`.
pub(super) fn write_remembered(out: &mut Vec<u8>, id: &RememberedId) {
    out.extend_from_slice(&id.whole.to_le_bytes());
    out.extend_from_slice(&id.fingerprint.to_le_bytes());
    out.extend_from_slice(&id.queues.to_le_bytes());
    out.extend_from_slice(&id.at.as_millis().to_le_bytes());
}

pub(super) fn read_remembered(destination: u32, column: &[u8]) -> Result<Vec<RememberedId>, StoreError> {
    all(column, |numbers| {
        let (whole, fingerprint) = (numbers.u128()?, numbers.u64()?);
        Ok(RememberedId { destination, whole, fingerprint, queues: numbers.u32()?, at: numbers.time()? })
    })
}

/// Reads `messages.whole`.
pub(super) fn read_whole(column: &[u8]) -> Result<u128, StoreError> {
    Numbers(column).u128()
}

/// Where each total stands. New ones are added at the end: older columns are shorter, and then zero.
fn totals(counters: &mut QueueCounters) -> [&mut u64; 14] {
    let QueueCounters {
        published,
        replayed,
        redriven_in,
        redriven_out,
        delivered,
        redelivered,
        acked,
        dead_lettered,
        discarded,
        expired,
        dropped,
        purged,
        rejected,
        duplicates,
    } = counters;
    [
        published,
        replayed,
        redriven_in,
        redriven_out,
        delivered,
        redelivered,
        acked,
        dead_lettered,
        discarded,
        expired,
        dropped,
        purged,
        rejected,
        duplicates,
    ]
}

pub(super) fn write_counters(counters: &QueueCounters) -> Vec<u8> {
    totals(&mut counters.clone()).into_iter().flat_map(|total| total.to_le_bytes()).collect()
}

pub(super) fn read_counters(column: &[u8]) -> Result<QueueCounters, StoreError> {
    let mut counters = QueueCounters::default();
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough")]
    let stored = all(column, |numbers| numbers.u64())?;
    for (total, stored) in totals(&mut counters).into_iter().zip(stored) {
        *total = stored;
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let mut out = Vec::new();
        let placements = vec![
            Placement { queue: QueueId(1), available_at: at(5), expires_at: None },
            Placement {
                queue: QueueId(u32::MAX),
                available_at: Timestamp::MAX,
                expires_at: Some(Timestamp::MAX),
            },
        ];
        write_placements(&mut out, &placements);
        assert_eq!(read_placements(&out).unwrap(), placements);

        let sequences = vec![Sequence(0), Sequence(u64::MAX)];
        write_sequences(&mut out, &sequences);
        assert_eq!(read_sequences(&out).unwrap(), sequences);

        let id = RememberedId { destination: 3, whole: u128::MAX - 1, fingerprint: 9, queues: 4, at: at(7) };
        out.clear();
        write_remembered(&mut out, &id);
        assert_eq!(read_remembered(3, &out).unwrap(), [id]);

        let counters = QueueCounters { published: 1, duplicates: u64::MAX, ..QueueCounters::default() };
        assert_eq!(read_counters(&write_counters(&counters)).unwrap(), counters);
    }

    #[test]
    fn a_column_that_ends_in_a_number_is_damaged() {
        assert!(matches!(read_sequences(&[1, 2, 3]), Err(StoreError::Damaged(_))));
        assert!(matches!(read_whole(&[0; 15]), Err(StoreError::Damaged(_))));
    }

    #[test]
    fn totals_that_were_not_known_when_a_column_was_written_are_zero() {
        let counters = read_counters(&7_u64.to_le_bytes()).unwrap();
        assert_eq!(counters, QueueCounters { published: 7, ..QueueCounters::default() });
    }
}
