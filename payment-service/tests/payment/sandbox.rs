//! The sandbox gateway as another company would promise it: idempotent under concurrency, durable.

use std::time::{Duration, Instant};

use payment_service::gateway::{
    Gateway, GatewayError, IdempotencyKey, Instruction, Operation, Standing, sandbox::Mode,
};

use crate::scene::{Scene, order};

async fn instruction(scene: &Scene, operation: Operation, method: &str) -> Instruction {
    let order = order(method);
    Instruction {
        key: IdempotencyKey::of(order.order_id, operation),
        operation,
        reference: scene.sandbox.open(order.order_id, order.total).await.unwrap(),
        order_id: order.order_id,
        amount: order.total,
        method: method.to_owned(),
    }
}

fn then(instruction: &Instruction, operation: Operation) -> Instruction {
    let key = IdempotencyKey::of(instruction.order_id, operation);
    Instruction { key, operation, ..instruction.clone() }
}

#[tokio::test]
async fn a_key_is_carried_out_once_however_many_ask_at_once_over_two_instances() {
    let scene = Scene::new().await;
    let other = scene.beside().await;
    let authorize = instruction(&scene, Operation::Authorize, "pm_card_visa").await;
    let calls = (0..50).map(|n| {
        let sandbox = if n % 2 == 0 { scene.sandbox.clone() } else { other.sandbox.clone() };
        let authorize = authorize.clone();
        tokio::spawn(async move { sandbox.carry_out(&authorize).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let page = scene.sandbox.ledger().page(Some(authorize.order_id), 0, 1000).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].idempotency_key, authorize.key.0);
}

#[tokio::test]
async fn the_look_up_tells_how_the_money_stands() {
    let scene = Scene::new().await;
    let authorize = instruction(&scene, Operation::Authorize, "pm_card_visa").await;
    let look_up = || async { scene.sandbox.look_up(&authorize.reference).await.unwrap() };
    assert_eq!(look_up().await, Standing::Open);
    for (operation, standing) in [
        (Operation::Authorize, Standing::Authorized),
        (Operation::Capture, Standing::Captured),
        (Operation::Refund, Standing::Refunded),
    ] {
        scene.sandbox.carry_out(&then(&authorize, operation)).await.unwrap();
        assert_eq!(look_up().await, standing);
    }
}

#[tokio::test]
async fn a_voided_reference_refuses_a_late_authorization() {
    let scene = Scene::new().await;
    let authorize = instruction(&scene, Operation::Authorize, "pm_card_visa").await;
    scene.sandbox.carry_out(&then(&authorize, Operation::Void)).await.unwrap();
    let refused = scene.sandbox.carry_out(&authorize).await.unwrap_err();
    assert!(matches!(refused, GatewayError::Refused { .. }), "{refused}");
    assert_eq!(scene.sandbox.look_up(&authorize.reference).await.unwrap(), Standing::Voided);
}

#[tokio::test]
async fn the_count_of_failures_is_kept_over_a_restart() {
    let scene = Scene::new().await;
    let authorize = instruction(&scene, Operation::Authorize, "pm_sandbox_failTwice").await;
    scene.sandbox.carry_out(&authorize).await.unwrap_err();
    scene.beside().await.sandbox.carry_out(&authorize).await.unwrap_err();
    scene.beside().await.sandbox.carry_out(&authorize).await.unwrap();
}

#[tokio::test]
async fn a_slow_gateway_takes_two_seconds_for_each_call_and_serves_many_at_once() {
    let scene = Scene::new().await;
    scene.sandbox.ledger().set_mode(Mode::Slow).await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..50 {
        let authorize = instruction(&scene, Operation::Authorize, "pm_card_visa").await;
        let sandbox = scene.sandbox.clone();
        calls.push(tokio::spawn(async move { sandbox.carry_out(&authorize).await }));
    }
    let began = Instant::now();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1500) && took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn an_outage_refuses_look_ups_too_and_carries_out_nothing() {
    let scene = Scene::new().await;
    scene.sandbox.ledger().set_mode(Mode::Down).await.unwrap();
    let authorize = instruction(&scene, Operation::Authorize, "pm_card_visa").await;
    let down = |error| matches!(error, GatewayError::Transient { .. });
    assert!(down(scene.sandbox.carry_out(&authorize).await.unwrap_err()));
    assert!(down(scene.sandbox.look_up(&authorize.reference).await.unwrap_err()));
    scene.sandbox.ledger().set_mode(Mode::Up).await.unwrap();
    assert_eq!(scene.sandbox.look_up(&authorize.reference).await.unwrap(), Standing::Open);
}

#[tokio::test]
async fn the_ledger_is_read_in_pages_oldest_first() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let authorize = instruction(&scene, Operation::Authorize, "pm_card_visa").await;
        scene.sandbox.carry_out(&authorize).await.unwrap();
    }
    let (mut after, mut sizes, mut times) = (Some(0), vec![], vec![]);
    while let Some(place) = after {
        let page = scene.sandbox.ledger().page(None, place, 2).await.unwrap();
        sizes.push(page.items.len());
        times.extend(page.items.iter().map(|line| line.at));
        after = page.next_after;
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert!(times.is_sorted());
}
