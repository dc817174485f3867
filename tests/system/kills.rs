//! kill -9 of the whole pipeline during load, again and again.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::json;
use system_tests::{
    eventually::within,
    http::get,
    programs::run,
    shop::{Shop, order, up},
};

const KILLS: usize = 20;

/// What the customers were told: each key with the id that its 202 named.
type Accepted = Arc<Mutex<Vec<(String, String)>>>;

/// Places orders one after another until it is told to stop. An answer that was lost is asked for
/// again under the same key, as a customer's browser would.
async fn customer(shop: Shop, accepted: Accepted, stop: Arc<AtomicBool>) {
    let methods = ["pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_sandbox_failTwice"];
    while !stop.load(Ordering::Relaxed) {
        let key = format!("key-{:032x}", rand::random::<u128>());
        let method = methods[rand::random_range(0..methods.len())];
        let body =
            order(method, &json!([{"sku": "mug", "quantity": 1}, {"sku": "coffee-beans", "quantity": 2}]));
        loop {
            match shop.try_place(&key, &body).await {
                Ok((StatusCode::ACCEPTED, answer)) => {
                    let id = answer["id"].as_str().unwrap().to_owned();
                    accepted.lock().unwrap().push((key, id));
                    break;
                }
                Ok((status, answer)) if !(status.is_server_error() || status == StatusCode::CONFLICT) => {
                    panic!("POST /orders answered {status}: {answer}")
                }
                // Down at the moment, or in flight: the same request again.
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_at_random_moments_lose_no_order_and_double_no_charge() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let (accepted, stop) = (Accepted::default(), Arc::new(AtomicBool::new(false)));
    let customers: Vec<_> = (0..8)
        .map(|_| tokio::spawn(customer(shop.clone(), Arc::clone(&accepted), Arc::clone(&stop))))
        .collect();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(rand::random_range(50..1500))).await;
        pipeline.kill().await.unwrap();
        pipeline.restart().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for customer in customers {
        customer.await.unwrap();
    }

    // A delivery that a kill cut short counts; three in a row make a dead letter, which is redriven.
    within(Duration::from_secs(180), "the checker to be green", async || {
        shop.redrive_all().await.map_err(|error| format!("{error:#}"))?;
        let arguments = ["check", "--strict", "--wait", "60s", "--port", shop.port()];
        let (status, printed) =
            run("pipeline", &arguments, Duration::from_secs(120)).await.map_err(|e| e.to_string())?;
        if status.success() { Ok(()) } else { Err(printed) }
    })
    .await;
    let accepted = accepted.lock().unwrap().clone();
    assert!(accepted.len() > KILLS, "the customers were served between the kills: {}", accepted.len());
    for (_, id) in &accepted {
        let order = get(&format!("{}/orders/{id}", shop.orders)).await.unwrap();
        assert_ne!(order["status"], "pending", "{order}");
    }
    println!("{} orders accepted over {KILLS} kills, none lost", accepted.len());
}
