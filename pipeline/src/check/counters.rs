//! Invariant 6: each queue's counters add up. What came in is there or went out by one way, and the
//! dead letters that are there are those that came less those that went.

use super::{
    Fault,
    seen::{Queue, Seen},
};

pub(super) fn judge(seen: &Seen) -> Vec<Fault> {
    seen.queues.iter().flat_map(faults).collect()
}

fn faults(queue: &Queue) -> Vec<Fault> {
    let c = &queue.counts;
    let came = c.published + c.replayed + c.redriven_in;
    let there = c.ready + c.leased + c.delayed;
    let went = c.acked + c.dead_lettered + c.expired + c.dropped + c.purged;
    let dead = c.dead_lettered - c.redriven_out - c.discarded;
    let broken = [
        (came != there + went, format!("{came} came, but {there} are there and {went} went")),
        (c.dead != dead, format!("{} are dead, but its totals say {dead}", c.dead)),
    ];
    broken.into_iter().filter(|(broken, _)| *broken).map(|(_, what)| Fault::new(&queue.name, what)).collect()
}
