//! Trials of how deliveries end.

use std::time::{Duration, Instant};

use super::bench::{Bench, Checked, hold, id_of, nack};
use crate::transport::{Settle, Settled};

const SHORT: Duration = Duration::from_millis(200);

pub(super) async fn fenced_receipts(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("k", 1)]).await?;
    let stale = bench.one_for(SHORT).await?;
    let holder = bench.one().await?;
    for settle in [Settle::Ack, nack(Duration::ZERO), Settle::Extend { lease: Duration::from_secs(5) }] {
        let settled = bench.settle(&stale, settle.clone()).await?;
        hold(settled == Settled::LeaseLost, || format!("{settle:?} by a stale receipt was {settled:?}"))?;
    }
    let acked = bench.settle(&holder, Settle::Ack).await?;
    hold(acked == Settled::Done, || format!("the holder's ack was {acked:?}"))?;
    let again = bench.settle(&holder, Settle::Ack).await?;
    hold(again == Settled::Already, || format!("the same ack again was {again:?}"))
}

pub(super) async fn counted_deliveries(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("k", 1)]).await?;
    let first = bench.one().await?;
    bench.settle(&first, nack(Duration::ZERO)).await?;
    let bench = bench.after_restart().await;
    let second = bench.one().await?;
    let counts = (first.delivery_count, second.delivery_count);
    hold(counts == (1, 2), || format!("the deliveries counted {counts:?}"))
}

pub(super) async fn nack_delay(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("k", 1)]).await?;
    let delivery = bench.one().await?;
    let nacked = Instant::now();
    bench.settle(&delivery, nack(SHORT)).await?;
    bench.none("before the delay was over").await?;
    bench.one().await?;
    hold(nacked.elapsed() >= SHORT, || format!("it came after {:?}", nacked.elapsed()))
}

pub(super) async fn uncounted_give_back(bench: &Bench<'_>) -> Checked {
    bench.publish(&[Bench::event("k", 1), Bench::event("k", 2)]).await?;
    let first = bench.one().await?;
    bench.settle(&first, Settle::GiveBack { delay: None }).await?;
    let again = bench.one().await?;
    hold(id_of(&again)? == id_of(&first)?, || "it did not go back in its place".to_owned())?;
    hold(again.delivery_count == 1, || format!("it counts {}", again.delivery_count))
}

pub(super) async fn dead_letter_with_reason(bench: &Bench<'_>) -> Checked {
    let (worn_out, for_good) = (Bench::event("k", 1), Bench::event("k", 2));
    bench.publish(&[worn_out.clone(), for_good.clone()]).await?;
    for _ in 0..3 {
        let delivery = bench.one().await?;
        hold(id_of(&delivery)? == worn_out.id(), || "it was not delivered three times".to_owned())?;
        bench.settle(&delivery, nack(Duration::ZERO)).await?;
    }
    let last = bench.one().await?;
    bench.settle(&last, Settle::DeadLetter { reason: "for good".to_owned() }).await?;
    bench.none("although all are dead").await?;
    let mut dead: Vec<_> =
        bench.dead_letters().await.into_iter().map(|letter| (letter.id, letter.reason)).collect();
    dead.sort();
    let mut expected = [
        (worn_out.id().to_owned(), "on trial".to_owned()),
        (for_good.id().to_owned(), "for good".to_owned()),
    ];
    expected.sort();
    hold(dead == expected, || format!("the dead letters are {dead:?}"))
}
