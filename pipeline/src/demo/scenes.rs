//! The scenes of the day: an order of every kind.

use anyhow::ensure;
use events::kind;
use serde_json::{Value, json};

use super::{Stage, watch::happened};
use crate::{
    places::Part,
    shop::{Basket, Placed},
};

/// Plays them one after the other.
pub(super) async fn play_all(stage: &mut Stage) -> anyhow::Result<()> {
    good(stage).await?;
    declined(stage).await?;
    out_of_stock(stage).await?;
    recovers(stage).await?;
    changed_mind(stage).await?;
    outage(stage).await
}

async fn good(stage: &mut Stage) -> anyhow::Result<()> {
    stage.scene(1, "A good order", "stock and payment work side by side; both good makes it confirmed")?;
    let basket = Basket::new("Ada", &[("mug", 2), ("coffee-beans", 1)], "pm_card_visa");
    let mut order = stage.place(&basket).await?;
    let order = stage.watch(&mut order, is_paid).await?;
    expect(&order, "confirmed")?;
    stage.conclude(&order, &["order-received", "order-confirmed"]).await
}

async fn declined(stage: &mut Stage) -> anyhow::Result<()> {
    stage.scene(
        2,
        "A card that is declined",
        "a refusal is an event, not an error: the stock is put back",
    )?;
    let basket = Basket::new("Bob", &[("grinder", 1)], "pm_card_chargeDeclinedInsufficientFunds");
    let mut order = stage.place(&basket).await?;
    let order = stage.watch(&mut order, |order| happened(order, kind::STOCK_RELEASED)).await?;
    expect(&order, "cancelled")?;
    stage.conclude(&order, &["order-received", "order-cancelled"]).await
}

async fn out_of_stock(stage: &mut Stage) -> anyhow::Result<()> {
    stage.scene(
        3,
        "Out of stock",
        "one gold mug is there and two are wanted: the authorization is voided",
    )?;
    stock_gold_mug(stage).await?;
    let mut order = stage.place(&Basket::new("Cleo", &[("gold-mug", 2)], "pm_card_visa")).await?;
    let order = stage.watch(&mut order, |order| happened(order, kind::PAYMENT_VOIDED)).await?;
    expect(&order, "cancelled")?;
    stage.conclude(&order, &["order-received", "order-cancelled"]).await
}

async fn stock_gold_mug(stage: &Stage) -> anyhow::Result<()> {
    let product = json!({"name": "Gold mug", "price": {"amount": 49_900, "currency": "EUR"}});
    let url = format!("{}/products/gold-mug", stage.places.of(Part::Order));
    stage.client.put::<Value>(&url, &product).await?;
    let url = format!("{}/stock/gold-mug", stage.places.of(Part::Inventory));
    stage.client.put::<Value>(&url, &json!({"on_hand": 1})).await?;
    Ok(())
}

async fn recovers(stage: &mut Stage) -> anyhow::Result<()> {
    stage.scene(
        4,
        "A gateway that recovers",
        "it answers 503 twice; the broker delivers again after a backoff",
    )?;
    let mut order = stage.place(&Basket::new("Dan", &[("coffee-beans", 3)], "pm_sandbox_failTwice")).await?;
    let order = stage.watch(&mut order, is_paid).await?;
    expect(&order, "confirmed")?;
    stage.conclude(&order, &["order-received", "order-confirmed"]).await
}

async fn changed_mind(stage: &mut Stage) -> anyhow::Result<()> {
    stage.scene(
        5,
        "A customer who changes their mind",
        "confirmed, captured, then cancelled: all of it is undone",
    )?;
    let mut watched = stage.place(&Basket::new("Eve", &[("mug", 1)], "pm_card_mastercard")).await?;
    stage.watch(&mut watched, is_paid).await?;
    stage.shop.cancel(&watched.id).await?;
    let undone =
        |order: &Placed| happened(order, kind::PAYMENT_REFUNDED) && happened(order, kind::STOCK_RELEASED);
    let order = stage.watch(&mut watched, undone).await?;
    expect(&order, "cancelled")?;
    let mails = ["order-received", "order-confirmed", "order-cancelled", "order-refunded"];
    stage.conclude(&order, &mails).await
}

async fn outage(stage: &mut Stage) -> anyhow::Result<()> {
    stage.scene(
        6,
        "A gateway that is down",
        "three deliveries fail, and the message is a dead letter; nothing is lost",
    )?;
    stage.gateway("down").await?;
    let mut watched =
        stage.place(&Basket::new("Finn", &[("grinder", 1), ("mug", 1)], "pm_card_visa")).await?;
    let letter = stage.await_dead_letter(&mut watched).await?;
    stage.show_dead_letter(&letter).await?;
    stage.gateway("up").await?;
    stage.redrive(&letter).await?;
    let order = stage.watch(&mut watched, is_paid).await?;
    expect(&order, "confirmed")?;
    stage.conclude(&order, &["order-received", "order-confirmed"]).await
}

fn is_paid(order: &Placed) -> bool {
    order.is_settled() && (order.status != "confirmed" || happened(order, kind::PAYMENT_CAPTURED))
}

fn expect(order: &Placed, status: &str) -> anyhow::Result<()> {
    ensure!(order.status == status, "order {} should be {status} and is {}", order.id, order.status);
    Ok(())
}
