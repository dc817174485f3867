//! Trials of what is promised to who publishes.

use std::time::Duration;

use bytes::Bytes;

use super::bench::{Bench, Broken, Checked, event_of, hold, id_of};
use crate::{event::Event, transport::Destination};

pub(super) async fn durable_confirm(bench: &Bench<'_>) -> Checked {
    let event = Bench::event("k", 1);
    bench.publish(std::slice::from_ref(&event)).await?;
    let bench = bench.after_restart().await;
    let id = id_of(&bench.one().await?)?;
    hold(id == event.id(), || format!("{id} came in place of what was confirmed"))
}

pub(super) async fn unroutable_is_an_error(bench: &Bench<'_>) -> Checked {
    let nowhere = Destination::topic(format!("{}.nobody-listens", bench.topic));
    let results = bench.publish_to(&nowhere, &[Bench::event("k", 1)]).await;
    hold(results.iter().all(Result::is_err), || "what reached no queue was confirmed".to_owned())
}

pub(super) async fn batch_order(bench: &Bench<'_>) -> Checked {
    let events: Vec<Event> = (0..20).map(|n| Bench::event("k", n)).collect();
    bench.publish(&events).await?;
    let came = bench.drain(&bench.queue).await?;
    hold(came.iter().map(Event::id).eq(events.iter().map(Event::id)), || {
        "it came in another order".to_owned()
    })
}

pub(super) async fn deduplication(bench: &Bench<'_>) -> Checked {
    let event = Bench::event("k", 1);
    bench.publish(std::slice::from_ref(&event)).await?;
    bench.publish(&[Bench::event("k", 2), event]).await?;
    let came = bench.drain(&bench.queue).await?.len();
    hold(came == 2, || format!("{came} came of 2"))
}

pub(super) async fn fan_out(bench: &Bench<'_>) -> Checked {
    let events = [Bench::event("a", 1), Bench::event("b", 2)];
    for result in bench.publish_to(&Destination::topic(&bench.topic), &events).await {
        result?;
    }
    for queue in [&bench.queue, &bench.other] {
        let came = bench.drain(queue).await?.len();
        hold(came == 2, || format!("{came} of 2 came to {queue}"))?;
    }
    Ok(())
}

pub(super) async fn verbatim_data(bench: &Bench<'_>) -> Checked {
    for data in ["1.10", "123456789012345678901234567890", r#"{"a":1,"a":[ 2 ]}"#] {
        let json = format!(
            r#"{{"specversion":"1.0","id":"{}","source":"/conformance","type":"tried","datacontenttype":"application/json","data":{data}}}"#,
            uuid::Uuid::now_v7(),
        );
        let event = Event::from_json(Bytes::from(json)).map_err(|error| Broken(error.to_string()))?;
        bench.publish(&[event]).await?;
        let came = event_of(&bench.one_for(Duration::from_secs(30)).await?)?;
        hold(came.data() == data.as_bytes(), || {
            format!("{data} came as {}", String::from_utf8_lossy(came.data()))
        })?;
    }
    Ok(())
}
