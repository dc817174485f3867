//! Lets the numbers of a database that was copied go on far above all that may have been given out since: so no
//! receipt that was handed out after the copy can ever mean another message, nor another lease of the same one.

use std::path::Path;

use broker_core::{Core, change::HighWater};
use rusqlite::params;
use units::Timestamp;

use super::{
    FILE, checkpoint,
    connection::{self, Place},
    load,
    write::{number, time},
};
use crate::store::StoreError;

/// Numbers of messages and leases begin at the time of the restore, in milliseconds, times 2^20: nobody gives
/// out a thousand million numbers a second, so a second restore of the same copy begins above all that the
/// first gave out. They stay below 2^63 until the year 2248.
const A_MILLISECOND: u64 = 1 << 20;
/// How far numbers go on at the least, whatever the clock says.
const AT_LEAST: u64 = 1 << 40;
/// How many queues, topics and paced redrives may have been made since the copy.
const DESTINATIONS: u32 = 1 << 16;

/// Brings the database in a folder to the present version, and lets its numbers go on far above.
///
/// # Errors
/// When a newer version or another program wrote it, and what SQLite says.
pub fn renumber(folder: &Path, now: Timestamp) -> Result<(), StoreError> {
    let connection = connection::open(&Place::of_file(&folder.join(FILE)))?;
    let (last, at) = load::last(&connection)?.unwrap_or((Core::new(0).high_water(), Timestamp::default()));
    let HighWater { next_sequence, next_lease, next_destination } = above(last, now);
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES (1, ?1, ?2, ?3, ?4)",
        params![number(next_sequence), number(next_lease), next_destination, time(at)],
    )?;
    checkpoint::truncate(&connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    Ok(connection.close().map_err(|(_, error)| error)?)
}

fn above(last: HighWater, now: Timestamp) -> HighWater {
    let base = now.as_millis().saturating_mul(A_MILLISECOND);
    HighWater {
        next_sequence: base.max(last.next_sequence.saturating_add(AT_LEAST)),
        next_lease: base.max(last.next_lease.saturating_add(AT_LEAST)),
        next_destination: last.next_destination.saturating_add(DESTINATIONS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: HighWater = HighWater { next_sequence: 1_000, next_lease: 500, next_destination: 7 };

    #[test]
    fn a_later_restore_of_the_same_copy_begins_above_all_that_an_earlier_one_gave_out() {
        let at = |seconds: u64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000);
        let (first, second) = (above(LAST, at(0)), above(LAST, at(1)));
        assert!(second.next_sequence - first.next_sequence >= 1_000_000_000);
        assert!(second.next_lease - first.next_lease >= 1_000_000_000);
        assert!(second.next_sequence < 1 << 63, "it is a number as SQLite keeps it");
    }

    #[test]
    fn numbers_go_on_upwards_whatever_the_clock_says() {
        let next = above(LAST, Timestamp::from_millis(0));
        assert!(next.next_sequence > 1 << 40 && next.next_lease > 1 << 40 && next.next_destination > 7);
    }
}
