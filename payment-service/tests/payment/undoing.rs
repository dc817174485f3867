//! What a cancelled order does to its payment, whatever was done or is being done.

use events::{Fact, kind, parse};
use payment_service::{gateway::Operation, payment::Status};

use crate::{
    faults::interfered,
    interference::{Fate, Gate},
    scene::{Scene, cancelled, confirmed, order, placed},
};

#[tokio::test]
async fn what_was_authorized_is_voided_and_what_was_captured_is_refunded() {
    let scene = Scene::new().await;
    let (held, taken) = (order("pm_card_visa"), order("pm_card_visa"));
    for order in [&held, &taken] {
        scene.deliver(&placed(order)).await.unwrap();
    }
    scene.deliver(&confirmed(&taken)).await.unwrap();
    for order in [&held, &taken, &held, &taken] {
        scene.deliver(&cancelled(order)).await.unwrap();
    }
    assert_eq!(scene.ledger(&held).await, [Operation::Authorize, Operation::Void]);
    assert_eq!(scene.told(&held).await, [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_VOIDED]);
    assert_eq!(scene.ledger(&taken).await, [Operation::Authorize, Operation::Capture, Operation::Refund]);
    let told = [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_CAPTURED, kind::PAYMENT_REFUNDED];
    assert_eq!(scene.told(&taken).await, told);
}

#[tokio::test]
async fn an_order_cancelled_before_it_was_heard_of_is_never_authorized() {
    let scene = Scene::new().await;
    let order = order("pm_card_visa");
    scene.deliver(&cancelled(&order)).await.unwrap();
    scene.deliver(&placed(&order)).await.unwrap();
    scene.deliver(&confirmed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, []);
    assert_eq!(scene.payment(&order).await.status, Status::Voided);
    assert_eq!(scene.told(&order).await, [""; 0]);
}

#[tokio::test]
async fn a_declined_card_has_nothing_to_undo() {
    let scene = Scene::new().await;
    let order = order("pm_card_chargeDeclined");
    scene.deliver(&placed(&order)).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, []);
    assert_eq!(scene.payment(&order).await.status, Status::Declined);
}

#[tokio::test]
async fn a_redriven_confirmation_captures_nothing_that_was_voided() {
    let scene = Scene::new().await;
    let order = order("pm_card_visa");
    scene.deliver(&placed(&order)).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap();
    scene.deliver(&confirmed(&order)).await.unwrap();
    scene.deliver(&placed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Void]);
}

#[tokio::test]
async fn an_order_cancelled_while_its_dead_letter_waits_takes_no_money_when_that_is_redriven() {
    let scene = Scene::new().await;
    let order = order("pm_sandbox_failTwice");
    let event = placed(&order);
    scene.deliver(&event).await.unwrap_err();
    scene.deliver(&event).await.unwrap_err();
    scene.deliver(&cancelled(&order)).await.unwrap();
    scene.deliver(&event).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Void], "the reference is closed");
    assert_eq!(scene.payment(&order).await.status, Status::Voided);
}

#[tokio::test]
async fn a_cancel_that_overtakes_an_authorization_closes_its_reference() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    let gate = Gate::new();
    hand.next(Operation::Authorize, Fate::HeldBefore(gate.clone()));
    let delivery = scene.deliver_aside(&placed(&order));
    gate.reached().await;
    scene.deliver(&cancelled(&order)).await.unwrap();
    gate.open();
    delivery.await.unwrap().unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Void], "the late authorization was refused");
    assert_eq!(scene.payment(&order).await.status, Status::Voided);
    assert_eq!(scene.told(&order).await, [kind::PAYMENT_VOIDED]);
}

#[tokio::test]
async fn a_cancel_during_an_authorization_that_was_carried_out_voids_it() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    let gate = Gate::new();
    hand.next(Operation::Authorize, Fate::HeldAfter(gate.clone()));
    let delivery = scene.deliver_aside(&placed(&order));
    gate.reached().await;
    scene.deliver(&cancelled(&order)).await.unwrap();
    gate.open();
    delivery.await.unwrap().unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Void]);
    assert_eq!(scene.payment(&order).await.intent, None);
}

#[tokio::test]
async fn a_cancel_that_the_gateway_can_not_serve_is_made_good_by_the_authorization_it_met() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    let gate = Gate::new();
    hand.next(Operation::Authorize, Fate::HeldAfter(gate.clone()));
    let delivery = scene.deliver_aside(&placed(&order));
    gate.reached().await;
    hand.next(Operation::Void, Fate::Throttled);
    scene.deliver(&cancelled(&order)).await.unwrap_err();
    assert_eq!(scene.payment(&order).await.intent, Some(Operation::Void));
    gate.open();
    delivery.await.unwrap().unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Void]);
}

#[tokio::test]
async fn a_cancel_that_overtakes_a_capture_voids_and_the_late_capture_is_refused() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    scene.deliver(&placed(&order)).await.unwrap();
    let gate = Gate::new();
    hand.next(Operation::Capture, Fate::HeldBefore(gate.clone()));
    let delivery = scene.deliver_aside(&confirmed(&order));
    gate.reached().await;
    scene.deliver(&cancelled(&order)).await.unwrap();
    gate.open();
    delivery.await.unwrap().unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Void]);
    assert_eq!(scene.told(&order).await, [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_VOIDED]);
}

#[tokio::test]
async fn a_cancel_that_comes_after_a_capture_whose_answer_is_late_refunds() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    scene.deliver(&placed(&order)).await.unwrap();
    let gate = Gate::new();
    hand.next(Operation::Capture, Fate::HeldAfter(gate.clone()));
    let delivery = scene.deliver_aside(&confirmed(&order));
    gate.reached().await;
    scene.deliver(&cancelled(&order)).await.unwrap();
    gate.open();
    delivery.await.unwrap().unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Capture, Operation::Refund]);
    let told = [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_CAPTURED, kind::PAYMENT_REFUNDED];
    assert_eq!(scene.told(&order).await, told);
}

#[tokio::test]
async fn a_capture_refused_for_good_is_told_and_the_hold_given_up_with_the_order() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    scene.deliver(&placed(&order)).await.unwrap();
    hand.next(Operation::Capture, Fate::Refused);
    scene.deliver(&confirmed(&order)).await.unwrap();
    let Fact::PaymentCaptureFailed(failed) = parse(&scene.last_told(&order).await).unwrap() else { panic!() };
    assert_eq!((failed.order_id, failed.amount), (order.order_id, order.total));
    assert_eq!(failed.reason, "expired");
    scene.deliver(&confirmed(&order)).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Void]);
    let told = [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_CAPTURE_FAILED, kind::PAYMENT_VOIDED];
    assert_eq!(scene.told(&order).await, told);
}
