//! How much more the store can hold: what the disk has free, and what its own files take again without
//! growing. A message is written twice, to the log and then into the database, so both have to have room.

/// The bytes of a page.
pub(super) const PAGE: u64 = 4096;
/// How many bytes the log has to be able to take before anything unused in the database is room: that much is
/// left to acks, however little the disk has free.
const LOG_ROOM: u64 = 512 << 10;
/// How many bytes the log's file keeps where the disk has too little room: what somebody else writes to the
/// disk then can't take them from acks.
pub(super) const LOG_KEPT: u64 = 4 << 20;
/// Where the log can take fewer bytes than this, it is kept short: twice as many as it has when it is moved
/// anyway.
const LOG_AT_EASE: u64 = 32 << 20;

/// What there is, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    /// What this process may still write to the disk.
    pub(super) free: u64,
    /// The length of the log's file. Once all of it was moved, it is written again from its beginning.
    pub(super) log: u64,
    /// The length of the database's file.
    pub(super) database: u64,
    /// What the database takes once all of the log was moved into it.
    pub(super) whole: u64,
    /// What holds nothing in it any more.
    pub(super) unused: u64,
}

impl Space {
    /// How many bytes more can be stored.
    pub(super) fn room(&self) -> u64 {
        if self.log_takes() < LOG_ROOM { self.left() } else { self.left().saturating_add(self.unused) }
    }

    /// Whether the log is to be moved before it is long: what the database is to grow by on the way may be gone
    /// by then.
    pub(super) fn is_tight(&self) -> bool {
        self.log_takes() < LOG_AT_EASE
    }

    /// What the disk has free after the database has grown by what is in the log.
    fn left(&self) -> u64 {
        self.free.saturating_sub(self.whole.saturating_sub(self.database))
    }

    /// How many bytes the log can take from its beginning.
    fn log_takes(&self) -> u64 {
        self.left().saturating_add(self.log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// An empty broker: its log was moved, and nothing in its database is used.
    fn emptied(free: u64, log: u64, database: u64) -> Space {
        let [free, log, database] = [free * MIB, log * MIB, database * MIB];
        Space { free, log, database, whole: database, unused: database }
    }

    #[test]
    fn what_the_database_takes_again_is_room_where_the_log_has_room_too() {
        assert_eq!(emptied(13, 16, 31).room(), 44 * MIB);
        assert_eq!(emptied(0, 16, 31).room(), 31 * MIB, "the log is written again from its beginning");
        assert_eq!(emptied(10, 0, 31).room(), 41 * MIB);
    }

    #[test]
    fn what_acks_need_of_the_log_is_left_to_them() {
        let little = Space { free: 300 << 10, ..emptied(0, 0, 31) };
        assert_eq!(little.room(), 300 << 10);
        let little = Space { log: 300 << 10, ..emptied(0, 0, 31) };
        assert_eq!(little.room(), 0);
    }

    #[test]
    fn what_the_database_grows_by_when_the_log_is_moved_is_taken() {
        let space = Space { whole: 31 * MIB, unused: 0, ..emptied(20, 16, 15) };
        assert_eq!(space.room(), 4 * MIB);
        assert_eq!(Space { free: 10 * MIB, ..space }.room(), 0);
    }

    #[test]
    fn the_log_is_kept_short_where_it_can_take_little() {
        assert!(emptied(13, 16, 31).is_tight());
        assert!(!emptied(40, 0, 31).is_tight() && !emptied(20, 16, 31).is_tight());
    }
}
