//! What a cancelled order does to its reservation, however far it had come.

use events::{Fact, kind, parse};
use inventory_service::reservation::State;

use crate::scene::{Scene, cancelled, confirmed, order, placed};

#[tokio::test]
async fn what_was_reserved_is_free_again_and_the_others_are_told() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 3), ("grinder", 1)]);
    scene.deliver(&placed(&order)).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap();
    assert_eq!(scene.pieces("mug").await, (1_000_000, 0, 0));
    assert_eq!(scene.state(&order).await, Some(State::Released));
    assert_eq!(scene.told_kinds(&order).await, [kind::STOCK_RESERVED, kind::STOCK_RELEASED]);
    let Fact::StockReleased(released) = parse(&scene.told(&order).await[1]).unwrap() else { panic!() };
    assert_eq!(released.lines.len(), 2);
}

#[tokio::test]
async fn what_was_committed_is_put_back() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 3)]);
    for event in [placed(&order), confirmed(&order), cancelled(&order), confirmed(&order)] {
        scene.deliver(&event).await.unwrap();
    }
    assert_eq!(scene.pieces("mug").await, (1_000_000, 0, 0));
    assert_eq!(scene.state(&order).await, Some(State::Released));
    assert_eq!(scene.told_kinds(&order).await, [kind::STOCK_RESERVED, kind::STOCK_RELEASED]);
}

#[tokio::test]
async fn an_order_cancelled_before_it_was_heard_of_is_never_reserved() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 3)]);
    for event in [cancelled(&order), placed(&order), confirmed(&order)] {
        scene.deliver(&event).await.unwrap();
    }
    assert_eq!(scene.pieces("mug").await, (1_000_000, 0, 0));
    assert_eq!(scene.state(&order).await, Some(State::Released));
    assert_eq!(scene.told_kinds(&order).await, [""; 0]);
}

#[tokio::test]
async fn a_rejected_order_has_nothing_to_undo() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 1_000_001)]);
    scene.deliver(&placed(&order)).await.unwrap();
    scene.deliver(&cancelled(&order)).await.unwrap();
    assert_eq!(scene.state(&order).await, Some(State::Rejected));
    assert_eq!(scene.told_kinds(&order).await, [kind::STOCK_REJECTED]);
}
