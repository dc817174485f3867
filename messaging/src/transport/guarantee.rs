//! What a transport can promise, and how it keeps it: the rows of the conformance matrix.

/// A promise that callers may build on where a transport says that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guarantee {
    /// A publish is answered only once the message is on disk.
    DurableConfirm,
    /// A publish that reaches no queue is an error.
    UnroutableIsAnError,
    /// A batch is stored in order.
    BatchOrder,
    /// The same `source` + `id` published again is not stored again.
    Deduplication,
    /// A topic copies to every subscribed queue.
    FanOut,
    /// A message goes to one of the consumers that compete for a queue.
    CompetingConsumers,
    /// Messages of one key go out one at a time, in publish order.
    OrderByKey,
    /// A lease that runs out makes the message ready again.
    LeaseExpiry,
    /// A lease can be extended while it is worked on.
    LeaseExtension,
    /// A receipt of a lease that ended changes nothing any more.
    FencedReceipts,
    /// Deliveries are counted, over restarts too.
    CountedDeliveries,
    /// A nack can name the time after which the message comes again.
    NackDelay,
    /// A delivery can be handed back without counting.
    UncountedGiveBack,
    /// A message whose deliveries are used up, or that failed for good, is kept with the reason.
    DeadLetterWithReason,
    /// The answer of a receive that was lost can be asked for again.
    RepeatableReceive,
    /// Messages can be handed out at most once.
    AtMostOnce,
    /// Data comes out byte for byte as it went in.
    VerbatimData,
}

impl Guarantee {
    /// All of them, in the order of the matrix.
    pub const ALL: [Self; 17] = [
        Self::DurableConfirm,
        Self::UnroutableIsAnError,
        Self::BatchOrder,
        Self::Deduplication,
        Self::FanOut,
        Self::CompetingConsumers,
        Self::OrderByKey,
        Self::LeaseExpiry,
        Self::LeaseExtension,
        Self::FencedReceipts,
        Self::CountedDeliveries,
        Self::NackDelay,
        Self::UncountedGiveBack,
        Self::DeadLetterWithReason,
        Self::RepeatableReceive,
        Self::AtMostOnce,
        Self::VerbatimData,
    ];
}

/// How a transport keeps a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The engine does it.
    Holds,
    /// The transport does it with what the engine has.
    Emulated,
    /// Neither does.
    NotGuaranteed,
}
