//! Into the maildir: exactly one file an order and kind.

use email_service::{mail::Mail, store::Listing};
use events::{CancelReason, kind};
use messaging::{consumer::Handler, failure::Failure};

use crate::parts::{cancelled, captured, config, confirmed, event, files, handlers, order, placed, refunded};

const ALL: Listing = Listing { order: None, after: 0, limit: 1000 };

#[tokio::test]
async fn each_kind_is_a_file_named_by_order_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (handlers, order) = (handlers(&config(folder.path())).await, order());
    for event in [
        placed(&order),
        confirmed(&order),
        cancelled(&order, CancelReason::CancelledByCustomer),
        refunded(&order),
    ] {
        handlers.handle(&event).await.unwrap();
    }
    let names: Vec<_> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
    let wanted = ["order-cancelled", "order-confirmed", "order-received", "order-refunded"];
    assert_eq!(names, wanted.map(|kind| format!("{}.{kind}.eml", order.order_id)));
}

#[tokio::test]
async fn the_same_event_a_hundred_times_at_once_is_one_mail() {
    let folder = tempfile::tempdir().unwrap();
    let handlers = std::sync::Arc::new(handlers(&config(folder.path())).await);
    let event = placed(&order());
    let mut deliveries = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (handlers, event) = (handlers.clone(), event.clone());
        deliveries.spawn(async move { handlers.handle(&event).await });
    }
    for handled in deliveries.join_all().await {
        handled.unwrap();
    }
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(handlers.store.list(ALL).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_event_of_the_same_order_and_kind_is_no_second_mail() {
    let folder = tempfile::tempdir().unwrap();
    let (handlers, order) = (handlers(&config(folder.path())).await, order());
    handlers.handle(&confirmed(&order)).await.unwrap();
    let (_, before) = files(folder.path()).remove(0);
    handlers.handle(&confirmed(&order)).await.unwrap();
    assert_eq!(files(folder.path()), [(format!("{}.order-confirmed.eml", order.order_id), before)]);
    assert_eq!(handlers.store.list(ALL).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_crash_between_file_and_row_leaves_one_identical_file_after_the_redelivery() {
    let folder = tempfile::tempdir().unwrap();
    let (handlers, event) = (handlers(&config(folder.path())).await, placed(&order()));
    let mail = Mail::about(&events::parse(&event).unwrap(), event.time().unwrap()).unwrap();
    handlers.mailbox.deliver(mail.compose(&handlers.sender).unwrap()).await.unwrap();
    let before = files(folder.path());
    handlers.handle(&event).await.unwrap();
    assert_eq!(files(folder.path()), before);
    assert_eq!(handlers.store.list(ALL).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_sent_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (config, event) = (config(folder.path()), placed(&order()));
    let first = handlers(&config).await;
    first.handle(&event).await.unwrap();
    first.store.close().await;
    let second = handlers(&config).await;
    second.handle(&event).await.unwrap();
    assert_eq!(second.store.list(ALL).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_of_no_interest_brings_no_mail() {
    let folder = tempfile::tempdir().unwrap();
    let handlers = handlers(&config(folder.path())).await;
    handlers.handle(&captured(&order())).await.unwrap();
    assert_eq!(files(folder.path()), []);
}

#[tokio::test]
async fn an_unknown_type_wrong_data_or_a_wrong_address_fails_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let (handlers, mut order) = (handlers(&config(folder.path())).await, order());
    order.customer.email = "nobody".to_owned();
    for event in [
        event("weather.changed", order.order_id, &"rain"),
        event(kind::ORDER_PLACED, order.order_id, &"poison"),
        placed(&order),
    ] {
        let failure = handlers.handle(&event).await.unwrap_err();
        assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
    }
    assert_eq!(files(folder.path()), []);
}

#[tokio::test]
async fn a_disk_that_refuses_is_tried_again_and_then_works() {
    let folder = tempfile::tempdir().unwrap();
    let (handlers, event) = (handlers(&config(folder.path())).await, placed(&order()));
    let new = folder.path().join("mail/new");
    std::fs::remove_dir(&new).unwrap();
    let failure = handlers.handle(&event).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)), "{failure:?}");
    std::fs::create_dir(&new).unwrap();
    handlers.handle(&event).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
}
