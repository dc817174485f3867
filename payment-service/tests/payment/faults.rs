//! What becomes of a payment when the gateway fails, answers late or not at all, and when we crash.

use std::time::Duration;

use events::kind;
use messaging::Failure;
use payment_service::{
    gateway::{Operation, sandbox::Mode},
    payment::{AttemptOutcome, Status},
    sweeper,
};
use units::Timestamp;

use crate::{
    interference::{Fate, Gate, Interference},
    scene::{Scene, cancelled, confirmed, order, placed},
};

/// A scene, and the hand that interferes with its gateway.
pub(crate) async fn interfered() -> (Scene, Interference) {
    let mut hand = None;
    let scene = Scene::with_gateway(|sandbox| {
        let interference = hand.insert(Interference::new(sandbox)).clone();
        std::sync::Arc::new(interference)
    })
    .await;
    (scene, hand.unwrap())
}

#[tokio::test]
async fn a_method_that_fails_twice_is_authorized_at_the_third_delivery() {
    let scene = Scene::new().await;
    let order = order("pm_sandbox_failTwice");
    let event = placed(&order);
    for _ in 0..2 {
        let failure = scene.deliver(&event).await.unwrap_err();
        assert!(matches!(failure, Failure::Transient(_)), "{failure:?}");
    }
    scene.deliver(&event).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
    let outcomes: Vec<_> = scene.payment(&order).await.attempts.iter().map(|a| a.outcome).collect();
    assert_eq!(outcomes, [AttemptOutcome::Failed, AttemptOutcome::Failed, AttemptOutcome::Done]);
}

#[tokio::test]
async fn a_gateway_that_is_unavailable_fails_each_delivery_names_the_error_and_leaves_nothing_open() {
    let scene = Scene::new().await;
    let order = order("pm_sandbox_unavailable");
    for _ in 0..4 {
        let failure = scene.deliver(&placed(&order)).await.unwrap_err();
        assert!(failure.reason().contains("503 Service Unavailable"), "{}", failure.reason());
    }
    let payment = scene.payment(&order).await;
    assert_eq!((payment.status, payment.intent), (Status::Pending, None));
    assert!(payment.attempts[0].error.as_ref().unwrap().contains("503"));
    assert_eq!(scene.ledger(&order).await, []);
}

#[tokio::test]
async fn an_authorization_that_is_never_answered_is_looked_up_and_charged_once() {
    let scene = Scene::new().await;
    let order = order("pm_sandbox_timeoutAfterAuthorize");
    scene.deliver(&placed(&order)).await.unwrap();
    scene.deliver(&placed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
    assert_eq!(scene.told(&order).await, [kind::PAYMENT_AUTHORIZED]);
    let payment = scene.payment(&order).await;
    assert_eq!(payment.status, Status::Authorized);
    assert_eq!(payment.attempts[0].outcome, AttemptOutcome::Unknown);
}

#[tokio::test]
async fn what_nobody_can_tell_stays_open_and_is_asked_again_under_the_same_key() {
    let (scene, hand) = interfered().await;
    for fate in [Fate::Lost, Fate::AnswerLost] {
        let order = order("pm_card_visa");
        hand.next(Operation::Authorize, fate);
        hand.blind(true);
        let failure = scene.deliver(&placed(&order)).await.unwrap_err();
        assert!(matches!(failure, Failure::Transient(_)), "{failure:?}");
        assert_eq!(scene.payment(&order).await.intent, Some(Operation::Authorize));
        hand.blind(false);
        scene.deliver(&placed(&order)).await.unwrap();
        assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
        assert_eq!(scene.payment(&order).await.intent, None);
    }
}

#[tokio::test]
async fn a_call_that_was_lost_on_its_way_is_not_taken_for_done() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    hand.next(Operation::Authorize, Fate::Lost);
    scene.deliver(&placed(&order)).await.unwrap_err();
    assert_eq!(scene.told(&order).await, [""; 0]);
    scene.deliver(&placed(&order)).await.unwrap();
    hand.next(Operation::Capture, Fate::Lost);
    scene.deliver(&confirmed(&order)).await.unwrap_err();
    hand.next(Operation::Capture, Fate::AnswerLost);
    scene.deliver(&confirmed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Capture]);
    hand.next(Operation::Refund, Fate::Lost);
    scene.deliver(&cancelled(&order)).await.unwrap_err();
    hand.next(Operation::Refund, Fate::AnswerLost);
    scene.deliver(&cancelled(&order)).await.unwrap();
    let all = [Operation::Authorize, Operation::Capture, Operation::Refund];
    assert_eq!(scene.ledger(&order).await, all);
}

#[tokio::test]
async fn a_gateway_that_asks_to_wait_is_waited_for() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    hand.next(Operation::Authorize, Fate::Throttled);
    let failure = scene.deliver(&placed(&order)).await.unwrap_err();
    let Failure::Throttled { after, .. } = failure else { panic!("{failure:?}") };
    assert_eq!(after, Duration::from_secs(7));
    assert_eq!(scene.payment(&order).await.intent, None);
}

#[tokio::test]
async fn an_outage_fails_every_call_and_ends_when_it_is_over() {
    let scene = Scene::new().await;
    let other = scene.beside().await;
    let order = order("pm_card_visa");
    other.sandbox.ledger().set_mode(Mode::Down).await.unwrap();
    let failure = scene.deliver(&placed(&order)).await.unwrap_err();
    assert!(failure.reason().contains("503"), "{}", failure.reason());
    assert_eq!(scene.beside().await.sandbox.ledger().mode().await.unwrap(), Mode::Down);
    other.sandbox.ledger().set_mode(Mode::Up).await.unwrap();
    scene.deliver(&placed(&order)).await.unwrap();
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
}

#[tokio::test]
async fn a_crash_during_the_call_is_made_good_by_the_next_delivery() {
    for answer_is_lost in [false, true] {
        let (scene, hand) = interfered().await;
        let order = order("pm_card_visa");
        let gate = Gate::new();
        let held = if answer_is_lost { Fate::HeldAfter } else { Fate::HeldBefore };
        hand.next(Operation::Authorize, held(gate.clone()));
        let event = placed(&order);
        let delivery = scene.deliver_aside(&event);
        gate.reached().await;
        delivery.abort();
        assert!(delivery.await.unwrap_err().is_cancelled());
        assert_eq!(scene.payment(&order).await.intent, Some(Operation::Authorize), "the intent is durable");
        scene.deliver(&event).await.unwrap();
        gate.open();
        assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
        assert_eq!(scene.told(&order).await, [kind::PAYMENT_AUTHORIZED]);
    }
}

#[tokio::test]
async fn an_intent_that_nobody_ends_is_taken_up_by_the_sweeper_in_its_time() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    let gate = Gate::new();
    hand.next(Operation::Authorize, Fate::HeldAfter(gate.clone()));
    let delivery = scene.deliver_aside(&placed(&order));
    gate.reached().await;
    delivery.abort();
    assert!(delivery.await.unwrap_err().is_cancelled());
    let now = Timestamp::now();
    let (database, cashier) = (&scene.database, &scene.cashier);
    let sweep = |seconds| {
        let then = now.plus(Duration::from_secs(seconds));
        async move { sweeper::sweep(database, cashier, then).await.unwrap() }
    };
    assert_eq!(sweep(5).await, 0, "its event is redelivered first");
    assert_eq!(sweep(60).await, 1);
    assert_eq!(sweep(120).await, 0);
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize]);
    assert_eq!(scene.told(&order).await, [kind::PAYMENT_AUTHORIZED]);
}

#[tokio::test]
async fn an_undo_that_the_gateway_could_not_serve_stays_owed_until_it_is_done() {
    let scene = Scene::new().await;
    let order = order("pm_card_visa");
    scene.deliver(&placed(&order)).await.unwrap();
    scene.sandbox.ledger().set_mode(Mode::Down).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap_err();
    let in_a_minute = Timestamp::now().plus(Duration::from_secs(60));
    assert_eq!(sweeper::sweep(&scene.database, &scene.cashier, in_a_minute).await.unwrap(), 1);
    assert_eq!(scene.payment(&order).await.intent, Some(Operation::Void));
    scene.sandbox.ledger().set_mode(Mode::Up).await.unwrap();
    let later = in_a_minute.plus(Duration::from_secs(60));
    assert_eq!(sweeper::sweep(&scene.database, &scene.cashier, later).await.unwrap(), 1);
    assert_eq!(scene.ledger(&order).await, [Operation::Authorize, Operation::Void]);
    assert_eq!(scene.told(&order).await, [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_VOIDED]);
    assert_eq!(scene.payment(&order).await.intent, None);
}

#[tokio::test]
async fn a_refused_undo_is_a_permanent_failure_for_a_person_and_stays_owed() {
    let (scene, hand) = interfered().await;
    let order = order("pm_card_visa");
    scene.deliver(&placed(&order)).await.unwrap();
    hand.next(Operation::Void, Fate::Refused);
    let failure = scene.deliver(&cancelled(&order)).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
    assert_eq!(scene.payment(&order).await.intent, Some(Operation::Void));
}
