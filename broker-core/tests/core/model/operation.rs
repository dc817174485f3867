//! What the random walk consists of.

use broker_core::{command::NackKind, settings::OnFull};
use proptest::{collection::vec, option, prelude::*, sample::Index};

/// How many queues there are, see `shadow::settings`.
pub(super) const QUEUES: usize = 5;

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Publish {
        to: Option<usize>,
        messages: Vec<New>,
    },
    Receive {
        queue: usize,
        max: usize,
        lease_ms: Option<u64>,
        auto_ack: bool,
        receive_id: Option<u8>,
        max_bytes: u64,
    },
    Settle {
        how: Settle,
        picks: Vec<Index>,
    },
    Wait {
        ms: u64,
    },
    Restart,
    Purge {
        queue: usize,
    },
    Remove {
        queue: usize,
        id: u64,
    },
    Redrive {
        queue: usize,
        ids: Option<Vec<u64>>,
        to: usize,
        limit: Option<u64>,
    },
    Discard {
        queue: usize,
        ids: Option<Vec<u64>>,
    },
    Limit {
        queue: usize,
        max_messages: u64,
    },
    Recreate {
        queue: usize,
    },
    Subscribe {
        queue: usize,
        on_full: OnFull,
    },
    Unsubscribe {
        queue: usize,
    },
}

/// A message to be published; the topic's messages have no delay of their own.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) id: u64,
    pub(super) key: Option<u8>,
    pub(super) size: u32,
    pub(super) delay_ms: Option<u64>,
    pub(super) ttl_ms: Option<u64>,
    pub(super) other_content: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Settle {
    Ack,
    Nack(NackKind, Option<u64>),
    Extend(u64),
}

fn new() -> impl Strategy<Value = New> {
    let times = (option::weighted(0.2, 0..6000_u64), option::weighted(0.2, 1..9000_u64));
    (0..25_u64, option::weighted(0.8, 0..3_u8), 1..40_u32, times, prop::bool::weighted(0.03)).prop_map(
        |(id, key, size, (delay_ms, ttl_ms), other_content)| New {
            id,
            key,
            size,
            delay_ms,
            ttl_ms,
            other_content,
        },
    )
}

fn settle() -> impl Strategy<Value = Settle> {
    let delay = || option::of(0..4000_u64);
    prop_oneof![
        4 => Just(Settle::Ack),
        3 => delay().prop_map(|delay| Settle::Nack(NackKind::Failed, delay)),
        2 => delay().prop_map(|delay| Settle::Nack(NackKind::Uncounted, delay)),
        2 => Just(Settle::Nack(NackKind::DeadLetter, None)),
        1 => (100..9000_u64).prop_map(Settle::Extend),
    ]
}

fn receive() -> impl Strategy<Value = Operation> {
    let ways = (prop::bool::weighted(0.1), option::weighted(0.2, 0..2_u8));
    (0..QUEUES, 1..6_usize, option::of(100..9000_u64), ways, prop_oneof![Just(u64::MAX), 1..80_u64]).prop_map(
        |(queue, max, lease_ms, (auto_ack, id), max_bytes)| {
            let receive_id = id.filter(|_| !auto_ack);
            Operation::Receive { queue, max, lease_ms, auto_ack, receive_id, max_bytes }
        },
    )
}

pub(super) fn any() -> impl Strategy<Value = Operation> {
    let ids = || option::of(vec(0..25_u64, 1..4));
    let on_full = prop_oneof![Just(OnFull::Reject), Just(OnFull::Drop), Just(OnFull::DeadLetter)];
    prop_oneof![
        12 => (option::of(0..QUEUES), vec(new(), 1..5)).prop_map(|(to, messages)| Operation::Publish { to, messages }),
        12 => receive(),
        12 => (settle(), vec(any_index(), 1..5)).prop_map(|(how, picks)| Operation::Settle { how, picks }),
        6 => (0..4000_u64).prop_map(|ms| Operation::Wait { ms }),
        1 => (4000..120_000_u64).prop_map(|ms| Operation::Wait { ms }),
        3 => Just(Operation::Restart),
        1 => (0..QUEUES).prop_map(|queue| Operation::Purge { queue }),
        1 => (0..QUEUES, 0..25_u64).prop_map(|(queue, id)| Operation::Remove { queue, id }),
        4 => (0..QUEUES, ids(), 0..QUEUES, option::of(1..4_u64), prop::bool::weighted(0.7)).prop_map(
            |(queue, ids, other, limit, home)| Operation::Redrive { queue, ids, to: if home { queue } else { other }, limit },
        ),
        1 => (0..QUEUES, ids()).prop_map(|(queue, ids)| Operation::Discard { queue, ids }),
        1 => (0..QUEUES, 1..15_u64).prop_map(|(queue, max_messages)| Operation::Limit { queue, max_messages }),
        1 => (0..QUEUES).prop_map(|queue| Operation::Recreate { queue }),
        2 => (0..QUEUES, on_full).prop_map(|(queue, on_full)| Operation::Subscribe { queue, on_full }),
        1 => (0..QUEUES).prop_map(|queue| Operation::Unsubscribe { queue }),
    ]
}

fn any_index() -> impl Strategy<Value = Index> {
    prop::arbitrary::any::<Index>()
}
