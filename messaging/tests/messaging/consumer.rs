//! The consumer: what becomes of a message by how its handling ends, and of all when everything fails.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use messaging::{Consumer, Event, Failure, Status, Transport, transport::Settle};
use serde_json::json;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, event, eventually, number, orders_to_work},
    faults::{Fault, Faulty, unreachable},
    handlers::Told,
};

struct Consuming {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
    status: Status,
}

impl Consuming {
    fn start(consumer: Consumer) -> Self {
        let (shutdown, status) = (CancellationToken::new(), consumer.status());
        Self { task: tokio::spawn(consumer.run(shutdown.clone())), shutdown, status }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

fn consumer(transport: Arc<dyn Transport>, handler: &Arc<Told>) -> Consumer {
    Consumer::new(transport, "work", "tester", Arc::clone(handler) as Arc<dyn messaging::Handler>)
}

async fn broker() -> Broker {
    let broker = Broker::start().await;
    broker.transport().declare(&orders_to_work()).await.unwrap();
    broker.put_queue("work", &json!({"backoff": {"initial": "10ms", "max": "10ms"}})).await;
    broker
}

async fn dead(broker: &Broker, event: &Event) -> serde_json::Value {
    broker.get(&format!("/queues/work/dead-letters/{}", event.id())).await
}

fn many(n: u64) -> Vec<Event> {
    (0..n).map(|n| event(&format!("key-{n}"), n)).collect()
}

#[tokio::test]
async fn what_was_handled_is_acked_and_comes_no_more() {
    let broker = broker().await;
    broker.publish("work", &many(200)).await;
    let handler = Told::new(|_| async { Ok(()) });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "acked", 200).await;
    consuming.stop().await;
    assert_eq!((handler.seen(), broker.count("work", "delivered").await), (200, 200));
}

#[tokio::test]
async fn a_transient_failure_comes_again_and_is_a_dead_letter_after_three_deliveries() {
    let broker = broker().await;
    let event = event("k", 1);
    broker.publish("work", std::slice::from_ref(&event)).await;
    let handler = Told::new(|_| async { Err(Failure::transient("the gateway is down")) });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "dead", 1).await;
    consuming.stop().await;
    assert_eq!(handler.seen(), 3);
    let dead = dead(&broker, &event).await;
    let history = dead["history"].as_array().unwrap();
    assert_eq!(history.len(), 3);
    assert!(
        history.iter().all(|entry| entry["reason"] == "the gateway is down" && entry["consumer"] == "tester")
    );
}

#[tokio::test]
async fn a_permanent_failure_is_a_dead_letter_at_once_with_the_error_and_its_causes() {
    let broker = broker().await;
    let event = event("k", 1);
    broker.publish("work", std::slice::from_ref(&event)).await;
    let handler = Told::new(|event| async move { Ok(event.decode::<String>().map(|_| ())?) });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "dead", 1).await;
    consuming.stop().await;
    assert_eq!(handler.seen(), 1);
    let reason = dead(&broker, &event).await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("\"numbered\"") && reason.contains("invalid type"), "{reason}");
}

#[tokio::test]
async fn a_panic_comes_again_with_its_text_and_never_stops_the_queue() {
    let broker = broker().await;
    let poison = event("poison", 13);
    broker.publish("work", std::slice::from_ref(&poison)).await;
    broker.publish("work", &many(5)).await;
    let handler = Told::new(|event| async move {
        assert_ne!(number(&event), 13, "unlucky");
        Ok(())
    });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "dead", 1).await;
    broker.wait_count("work", "acked", 5).await;
    consuming.stop().await;
    let dead = dead(&broker, &poison).await;
    assert_eq!(dead["delivery_count"], 3);
    assert!(dead["reason"].as_str().unwrap().contains("unlucky"), "{dead}");
}

#[tokio::test]
async fn what_is_throttled_comes_again_after_that_time_and_does_not_count() {
    let broker = broker().await;
    broker.publish("work", &[event("k", 1)]).await;
    let times = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&times);
    let handler = Told::new(move |_| {
        let nth = count.fetch_add(1, Ordering::SeqCst);
        async move {
            if nth < 4 { Err(Failure::throttled(Duration::from_millis(20), "slow down")) } else { Ok(()) }
        }
    });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "acked", 1).await;
    consuming.stop().await;
    assert_eq!((handler.seen(), broker.count("work", "dead").await), (5, 0));
}

#[tokio::test]
async fn messages_of_a_key_are_handled_one_at_a_time_in_order_and_keys_side_by_side() {
    let broker = broker().await;
    let events: Vec<Event> = (0..40).map(|n| event(&format!("key-{}", n % 4), n)).collect();
    broker.publish("work", &events).await;
    let at_work = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let most_keys = Arc::new(AtomicUsize::new(0));
    let (keys, most) = (Arc::clone(&at_work), Arc::clone(&most_keys));
    let handler = Told::new(move |event| {
        let (keys, most) = (Arc::clone(&keys), Arc::clone(&most));
        async move {
            let key = event.partition_key().unwrap().to_owned();
            {
                let mut keys = keys.lock().unwrap();
                assert_eq!(keys.insert(key.clone(), 1), None, "two of {key} at once");
                most.fetch_max(keys.len(), Ordering::SeqCst);
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
            keys.lock().unwrap().remove(&key);
            Ok(())
        }
    });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "acked", 40).await;
    consuming.stop().await;
    assert_eq!(most_keys.load(Ordering::SeqCst), 4);
    for key in 0..4 {
        let of_key: Vec<u64> = handler.numbers().into_iter().filter(|n| n % 4 == key).collect();
        assert_eq!(of_key, (key..40).step_by(4).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_lease_is_extended_while_the_handler_works() {
    let broker = broker().await;
    broker.publish("work", &[event("k", 1)]).await;
    let handler = Told::new(|_| async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        Ok(())
    });
    let consuming =
        Consuming::start(consumer(broker.transport(), &handler).lease(Duration::from_millis(600)));
    broker.wait_count("work", "acked", 1).await;
    consuming.stop().await;
    assert_eq!((handler.seen(), broker.count("work", "redelivered").await), (1, 0));
}

#[tokio::test]
async fn when_everything_fails_it_probes_and_the_rest_keeps_its_deliveries() {
    let broker = broker().await;
    broker.publish("work", &many(100)).await;
    let down = Arc::new(AtomicBool::new(true));
    let is_down = Arc::clone(&down);
    let handler = Told::new(move |_| {
        let is_down = is_down.load(Ordering::SeqCst);
        async move { if is_down { Err(Failure::transient("the gateway is down")) } else { Ok(()) } }
    });
    let consuming = Consuming::start(consumer(broker.transport(), &handler).concurrency(20));
    let trouble = eventually("it probes", || async {
        consuming.status.trouble().filter(|trouble| trouble.contains("one at a time"))
    })
    .await;
    assert!(trouble.contains("the gateway is down"), "{trouble}");
    broker.wait_count("work", "leased", 0).await;
    // The five of the row, and those that ran beside them.
    assert!(handler.seen() <= 20 + 5, "{} were tried", handler.seen());
    down.store(false, Ordering::SeqCst);
    broker.wait_count("work", "acked", 100).await;
    assert_eq!(consuming.status.trouble(), None);
    consuming.stop().await;
    assert_eq!(broker.count("work", "dead").await, 0);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_and_costs_no_delivery() {
    let broker = broker().await;
    broker.publish("work", &many(5)).await;
    let transport = Faulty::new(broker.transport());
    transport.fail_receive([Fault::AnswerLost, Fault::NotSent(unreachable())]);
    let handler = Told::new(|_| async { Ok(()) });
    let consuming = Consuming::start(consumer(transport, &handler));
    broker.wait_count("work", "acked", 5).await;
    consuming.stop().await;
    assert_eq!((handler.seen(), broker.count("work", "redelivered").await), (5, 0));
}

#[tokio::test]
async fn an_ack_that_was_lost_is_sent_again() {
    let broker = broker().await;
    broker.publish("work", &many(5)).await;
    let transport = Faulty::new(broker.transport());
    transport.fail_settle([Fault::NotSent(unreachable()), Fault::AnswerLost]);
    let handler = Told::new(|_| async { Ok(()) });
    let consuming = Consuming::start(consumer(transport, &handler));
    broker.wait_count("work", "acked", 5).await;
    consuming.stop().await;
    assert_eq!(handler.seen(), 5);
}

#[tokio::test]
async fn while_the_broker_is_away_it_waits_and_goes_on_when_it_is_back() {
    let mut broker = broker().await;
    let handler = Told::new(|_| async { Ok(()) });
    let mut consuming = Consuming::start(consumer(broker.transport(), &handler));
    consuming.status.well().await;
    broker.stop();
    eventually("it says so", || async { consuming.status.trouble() }).await;
    broker.start_again().await;
    consuming.status.well().await;
    broker.publish("work", &many(3)).await;
    broker.wait_count("work", "acked", 3).await;
    consuming.stop().await;
}

#[tokio::test]
async fn acks_go_in_batches_and_receives_bring_many() {
    let broker = broker().await;
    broker.publish("work", &many(500)).await;
    let transport = Faulty::new(broker.transport());
    let handler = Told::new(|_| async { Ok(()) });
    let consuming = Consuming::start(consumer(Arc::clone(&transport) as Arc<dyn Transport>, &handler));
    broker.wait_count("work", "acked", 500).await;
    consuming.stop().await;
    let acks = transport.settled.lock().unwrap().iter().filter(|batch| batch.contains(&Settle::Ack)).count();
    assert!(acks < 100, "{acks} calls to ack 500");
    let receives = transport.receives.load(Ordering::SeqCst);
    assert!(receives < 50, "{receives} receives for 500");
    assert!(transport.receive_most.load(Ordering::SeqCst) <= 128);
}

#[tokio::test]
async fn at_shutdown_what_runs_is_finished_and_the_rest_goes_back_uncounted() {
    let broker = broker().await;
    broker.publish("work", &many(10)).await;
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let handler = Told::new(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Ok(())
        }
    });
    let consuming = Consuming::start(consumer(broker.transport(), &handler).concurrency(2));
    eventually("two run", || async { (handler.seen() == 2).then_some(()) }).await;
    consuming.shutdown.cancel();
    broker.wait_count("work", "leased", 2).await;
    go.notify_waiters();
    consuming.task.await.unwrap();
    assert_eq!((broker.count("work", "acked").await, broker.count("work", "ready").await), (2, 8));
    assert_eq!(handler.seen(), 2);
    let waiting = broker.get("/queues/work/messages").await;
    assert!(waiting["items"].as_array().unwrap().iter().all(|item| item["delivery_count"] == 0), "{waiting}");
}

#[tokio::test]
async fn a_handler_that_outlasts_the_grace_is_given_up_and_its_message_goes_back_uncounted() {
    let broker = broker().await;
    broker.publish("work", &[event("k", 1)]).await;
    let handler = Told::new(|_| std::future::pending());
    let consuming = Consuming::start(consumer(broker.transport(), &handler).grace(Duration::from_millis(50)));
    eventually("it runs", || async { (handler.seen() == 1).then_some(()) }).await;
    consuming.stop().await;
    assert_eq!((broker.count("work", "ready").await, broker.count("work", "leased").await), (1, 0));
}

#[tokio::test]
async fn at_most_once_nothing_comes_again() {
    let broker = broker().await;
    broker.publish("work", &many(20)).await;
    let handler = Told::new(|event| async move {
        if number(&event).is_multiple_of(10) { Err(Failure::transient("no")) } else { Ok(()) }
    });
    let consuming = Consuming::start(consumer(broker.transport(), &handler).at_most_once());
    eventually("all have come", || async { (handler.seen() == 20).then_some(()) }).await;
    consuming.stop().await;
    assert_eq!((broker.count("work", "acked").await, broker.count("work", "ready").await), (20, 0));
}

#[tokio::test]
async fn what_a_handler_causes_hangs_below_its_own_span_in_the_trace_of_the_event() {
    let broker = broker().await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    broker.publish("work", &[event("k", 1).with_traceparent(parent)]).await;
    let handler = Told::new(|_| async { Ok(()) });
    let consuming = Consuming::start(consumer(broker.transport(), &handler));
    broker.wait_count("work", "acked", 1).await;
    consuming.stop().await;
    let seen = handler.seen.lock().unwrap()[0].clone();
    let caused = seen.caused("/tester", "caused", &1).traceparent().unwrap().to_owned();
    assert!(caused.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && caused != parent, "{caused}");
}

#[tokio::test]
async fn what_is_no_event_is_a_dead_letter_at_once_and_never_reaches_the_handler() {
    let broker = broker().await;
    let event = event("k", 1);
    broker.publish("work", std::slice::from_ref(&event)).await;
    let transport = Faulty::new(broker.transport());
    transport.garbles.store(true, Ordering::SeqCst);
    let handler = Told::new(|_| async { Ok(()) });
    let consuming = Consuming::start(consumer(transport, &handler));
    broker.wait_count("work", "dead", 1).await;
    consuming.stop().await;
    let dead = dead(&broker, &event).await;
    assert_eq!((handler.seen(), dead["delivery_count"].as_u64()), (0, Some(1)));
    assert!(dead["reason"].as_str().unwrap().contains("not a CloudEvent"), "{dead}");
}
