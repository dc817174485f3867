//! Trials of how messages are handed out and held.

use std::{collections::HashSet, time::Duration};

use futures_util::future::try_join_all;

use super::bench::{Bench, Checked, hold, id_of};
use crate::transport::{Destination, Settle, Settled};

/// The shortest lease.
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(30);

pub(super) async fn competing_consumers(bench: &Bench<'_>) -> Checked {
    let events: Vec<_> = (0..20).map(|n| Bench::event("k", n)).collect();
    for result in bench.publish_to(&Destination::queue(&bench.other), &events).await {
        result?;
    }
    let consumers = (0..4).map(|_| bench.receive(&bench.other, 10, Duration::ZERO, Bench::leased(LONG)));
    let deliveries: Vec<_> = try_join_all(consumers).await?.into_iter().flatten().collect();
    let ids = deliveries.iter().map(id_of).collect::<Result<HashSet<_>, _>>()?;
    hold(ids.len() == deliveries.len(), || "a message went to two consumers".to_owned())?;
    hold(ids.len() == 20, || format!("{} of 20 were delivered", ids.len()))
}

pub(super) async fn order_by_key(bench: &Bench<'_>) -> Checked {
    let events = [Bench::event("a", 1), Bench::event("a", 2), Bench::event("b", 3)];
    bench.publish(&events).await?;
    let deliveries = bench.receive(&bench.queue, 10, Duration::ZERO, Bench::leased(LONG)).await?;
    let ids = deliveries.iter().map(id_of).collect::<Result<Vec<_>, _>>()?;
    hold(ids == [events[0].id(), events[2].id()], || format!("{} came of two keys", ids.len()))?;
    bench.settle(&deliveries[0], Settle::GiveBack { delay: Some(SHORT) }).await?;
    bench.none("while the key's first backs off").await?;
    let again = bench.one().await?;
    hold(id_of(&again)? == events[0].id(), || "a later message of the key overtook".to_owned())?;
    bench.settle(&again, Settle::Ack).await?;
    let second = id_of(&bench.one().await?)?;
    hold(second == events[1].id(), || "the key's second did not follow".to_owned())
}

pub(super) async fn lease_expiry(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("k", 1)]).await?;
    let first = bench.one_for(SHORT).await?;
    let again = bench.one().await?;
    hold(id_of(&first)? == id_of(&again)?, || "another came".to_owned())
}

pub(super) async fn lease_extension(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("k", 1)]).await?;
    let lease = Duration::from_secs(1);
    let delivery = bench.one_for(lease).await?;
    let extended = bench.settle(&delivery, Settle::Extend { lease: LONG }).await?;
    hold(extended == Settled::Done, || format!("extending answered {extended:?}"))?;
    // Until well after the lease would have run out, nothing may come.
    let came = bench.receive(&bench.queue, 1, lease + SHORT, Bench::leased(LONG)).await?;
    hold(came.is_empty(), || "it came again although it was extended".to_owned())?;
    let acked = bench.settle(&delivery, Settle::Ack).await?;
    hold(acked == Settled::Done, || format!("acking answered {acked:?}"))
}

pub(super) async fn repeatable_receive(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("a", 1), Bench::event("b", 2)]).await?;
    let mode = Bench::leased(LONG);
    let lost = bench.receive(&bench.queue, 10, Duration::ZERO, mode.clone()).await?;
    let again = bench.receive(&bench.queue, 10, Duration::ZERO, mode).await?;
    let receipts = |deliveries: &[crate::transport::Delivery]| -> Vec<_> {
        deliveries.iter().map(|delivery| delivery.lease.as_ref().map(|lease| lease.receipt.clone())).collect()
    };
    hold(lost.len() == 2 && receipts(&lost) == receipts(&again), || format!("{} came of 2", again.len()))?;
    hold(again.iter().all(|delivery| delivery.delivery_count == 1), || "asking again was counted".to_owned())
}

pub(super) async fn at_most_once(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("a", 1)]).await?;
    let mode = crate::transport::Mode::AtMostOnce;
    let came = bench.receive(&bench.queue, 10, Duration::ZERO, mode).await?;
    hold(came.len() == 1 && came[0].lease.is_none(), || "it was not handed out without a lease".to_owned())?;
    bench.none("a second time").await
}
