//! What is authorized and captured, once, and what the others are told.

use events::{Fact, kind, parse};
use payment_service::{gateway::Operation, payment::Status};

use crate::scene::{Scene, confirmed, order, placed};

#[tokio::test]
async fn a_placed_order_is_authorized_for_its_total_and_the_others_are_told() {
    let scene = Scene::new().await;
    let order = order("pm_card_visa");
    let event = placed(&order);
    scene.deliver(&event).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
    let told = scene.last_told(&order).await;
    let Fact::PaymentAuthorized(payment) = parse(&told).unwrap() else { panic!("{told:?}") };
    assert_eq!((payment.order_id, payment.amount), (order.order_id, order.total));
    assert_eq!(payment.customer, order.customer);
    assert_eq!(told.partition_key(), Some(order.order_id.to_string().as_str()));
    assert_eq!((told.causation_id(), told.correlation_id()), (Some(event.id()), Some("conversation")));
    let payment = scene.payment(&order).await;
    assert_eq!((payment.status, payment.intent), (Status::Authorized, None));
}

#[tokio::test]
async fn a_declined_card_is_an_event_with_its_reason_and_no_failure() {
    let scene = Scene::new().await;
    for (method, reason) in [
        ("pm_card_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_of_nobody", "unknown_payment_method"),
    ] {
        let order = order(method);
        scene.deliver(&placed(&order)).await.unwrap();
        scene.deliver(&confirmed(&order)).await.unwrap();
        assert_eq!(scene.ledger(&order).await, []);
        let Fact::PaymentDeclined(declined) = parse(&scene.last_told(&order).await).unwrap() else {
            panic!()
        };
        assert_eq!(declined.reason, reason);
        assert_eq!(scene.told(&order).await, [kind::PAYMENT_DECLINED]);
    }
}

#[tokio::test]
async fn the_same_event_a_hundred_times_at_once_over_two_instances_authorizes_once() {
    let one = Scene::new().await;
    let other = one.beside().await;
    let order = order("pm_card_visa");
    let event = placed(&order);
    let deliveries: Vec<_> =
        (0..100).map(|n| if n % 2 == 0 { &one } else { &other }.deliver_aside(&event)).collect();
    for delivery in deliveries {
        delivery.await.unwrap().unwrap();
    }
    assert_eq!(one.ledger(&order).await, [Operation::Authorize]);
    assert_eq!(one.told(&order).await, [kind::PAYMENT_AUTHORIZED]);
}

#[tokio::test]
async fn a_confirmed_order_is_captured_once_however_often_it_is_told() {
    let scene = Scene::new().await;
    let order = order("pm_card_mastercard");
    scene.deliver(&placed(&order)).await.unwrap();
    let event = confirmed(&order);
    for event in [&event, &event, &confirmed(&order)] {
        scene.deliver(event).await.unwrap();
    }
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Capture]);
    assert_eq!(scene.told(&order).await, [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_CAPTURED]);
    assert_eq!(scene.payment(&order).await.status, Status::Captured);
}

#[tokio::test]
async fn an_order_confirmed_before_it_was_heard_of_is_captured_when_it_is() {
    let scene = Scene::new().await;
    let order = order("pm_card_visa");
    scene.deliver(&confirmed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, []);
    scene.deliver(&placed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Capture]);
}

#[tokio::test]
async fn an_event_of_an_unknown_type_or_with_wrong_data_is_a_permanent_failure() {
    let scene = Scene::new().await;
    for kind in ["order.eaten", kind::ORDER_PLACED] {
        let event = messaging::Event::new("/test", kind, &serde_json::json!({"n": 1}));
        let failure = scene.deliver(&event).await.unwrap_err();
        assert!(matches!(failure, messaging::Failure::Permanent(_)), "{failure:?}");
    }
    let known = messaging::Event::new("/test", kind::PAYMENT_VOIDED, &serde_json::json!({"n": 1}));
    assert!(scene.deliver(&known).await.is_err(), "known, but not what its type says");
}
