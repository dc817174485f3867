//! The running totals of a queue, kept over restarts.

/// What happened in a queue since it was made. Always:
/// `published + replayed + redriven_in = ready + leased + delayed + acked + dead_lettered + expired +
/// dropped + purged`, and `dead = dead_lettered - redriven_out - discarded`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct QueueCounters {
    pub published: u64,
    pub replayed: u64,
    pub redriven_in: u64,
    pub redriven_out: u64,
    pub delivered: u64,
    pub redelivered: u64,
    pub acked: u64,
    pub dead_lettered: u64,
    pub discarded: u64,
    pub expired: u64,
    pub dropped: u64,
    pub purged: u64,
    pub rejected: u64,
    pub duplicates: u64,
}

/// What is in a queue now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct QueueGauges {
    pub ready: u64,
    pub leased: u64,
    pub delayed: u64,
    pub dead: u64,
    /// Bytes of ready, leased and delayed messages.
    pub bytes: u64,
}
