//! What is reserved and committed: an order whole or not at all, and once.

use events::{Fact, Sku, StockLine, kind, parse};
use inventory_service::reservation::State;

use crate::scene::{Scene, confirmed, order, placed};

#[tokio::test]
async fn the_catalogue_starts_with_a_million_each() {
    let scene = Scene::new().await;
    for sku in ["coffee-beans", "mug", "grinder"] {
        assert_eq!(scene.pieces(sku).await, (1_000_000, 0, 0));
    }
}

#[tokio::test]
async fn a_placed_order_is_reserved_and_the_others_are_told() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 2), ("grinder", 1)]);
    let event = placed(&order);
    scene.deliver(&event).await.unwrap();
    assert_eq!(scene.pieces("mug").await, (1_000_000, 2, 0));
    assert_eq!(scene.pieces("grinder").await, (1_000_000, 1, 0));
    assert_eq!(scene.state(&order).await, Some(State::Reserved));
    let told = scene.told(&order).await.remove(0);
    let Fact::StockReserved(reserved) = parse(&told).unwrap() else { panic!("{told:?}") };
    assert_eq!(reserved.order_id, order.order_id);
    let line = |sku, quantity| StockLine { sku: Sku::new(sku), quantity };
    assert_eq!(reserved.lines, [line("grinder", 1), line("mug", 2)]);
    assert_eq!(told.partition_key(), Some(order.order_id.to_string().as_str()));
    assert_eq!((told.causation_id(), told.correlation_id()), (Some(event.id()), Some("conversation")));
}

#[tokio::test]
async fn an_order_is_reserved_whole_or_not_at_all() {
    let scene = Scene::new().await;
    scene.stock_up("grinder", 3).await;
    for (lines, short) in [
        (vec![("mug", 1), ("grinder", 4)], vec!["grinder"]),
        (vec![("grinder", 4), ("mug", 1)], vec!["grinder"]),
        (vec![("mug", 1), ("unheard-of", 1)], vec!["unheard-of"]),
        (vec![("grinder", 4), ("mug", 1_000_001), ("coffee-beans", 1)], vec!["grinder", "mug"]),
    ] {
        let order = order(&lines);
        scene.deliver(&placed(&order)).await.unwrap();
        assert_eq!(scene.state(&order).await, Some(State::Rejected));
        let Fact::StockRejected(rejected) = parse(&scene.told(&order).await[0]).unwrap() else { panic!() };
        assert_eq!(rejected.short.iter().map(Sku::as_str).collect::<Vec<_>>(), short);
    }
    for sku in ["grinder", "mug", "coffee-beans"] {
        assert_eq!(scene.stock(sku).await.reserved, 0);
    }
}

#[tokio::test]
async fn the_last_piece_goes_to_one_of_many_who_want_it_at_once_over_two_instances() {
    let one = Scene::new().await;
    let other = one.beside().await;
    one.stock_up("mug", 7).await;
    let orders: Vec<_> = (0..30).map(|_| order(&[("mug", 2), ("grinder", 1)])).collect();
    let deliveries: Vec<_> = orders
        .iter()
        .enumerate()
        .map(|(n, order)| if n % 2 == 0 { &one } else { &other }.deliver_aside(&placed(order)))
        .collect();
    for delivery in deliveries {
        delivery.await.unwrap().unwrap();
    }
    assert_eq!(one.pieces("mug").await, (7, 6, 0));
    assert_eq!(one.stock("grinder").await.reserved, 3, "a rejected order holds nothing");
}

#[tokio::test]
async fn the_same_event_a_hundred_times_at_once_over_two_instances_reserves_once() {
    let one = Scene::new().await;
    let other = one.beside().await;
    let order = order(&[("mug", 1)]);
    let event = placed(&order);
    let deliveries: Vec<_> =
        (0..100).map(|n| if n % 2 == 0 { &one } else { &other }.deliver_aside(&event)).collect();
    for delivery in deliveries {
        delivery.await.unwrap().unwrap();
    }
    assert_eq!(one.stock("mug").await.reserved, 1);
    assert_eq!(one.told_kinds(&order).await, [kind::STOCK_RESERVED]);
}

#[tokio::test]
async fn a_confirmed_order_leaves_the_stock_once_however_often_it_is_told() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 3)]);
    scene.deliver(&placed(&order)).await.unwrap();
    let event = confirmed(&order);
    for event in [&event, &event, &confirmed(&order), &placed(&order)] {
        scene.deliver(event).await.unwrap();
    }
    assert_eq!(scene.pieces("mug").await, (999_997, 0, 3));
    assert_eq!(scene.state(&order).await, Some(State::Committed));
    assert_eq!(scene.told_kinds(&order).await, [kind::STOCK_RESERVED]);
}

#[tokio::test]
async fn what_was_never_reserved_is_not_committed() {
    let scene = Scene::new().await;
    let rejected = order(&[("mug", 1_000_001)]);
    scene.deliver(&placed(&rejected)).await.unwrap();
    for order in [&rejected, &order(&[("mug", 1)])] {
        scene.deliver(&confirmed(order)).await.unwrap();
    }
    assert_eq!(scene.pieces("mug").await, (1_000_000, 0, 0));
}

#[tokio::test]
async fn an_event_of_an_unknown_type_or_with_wrong_data_is_a_permanent_failure() {
    let scene = Scene::new().await;
    for kind in ["order.eaten", kind::ORDER_PLACED] {
        let event = messaging::Event::new("/test", kind, &serde_json::json!({"n": 1}));
        let failure = scene.deliver(&event).await.unwrap_err();
        assert!(matches!(failure, messaging::Failure::Permanent(_)), "{failure:?}");
    }
}
