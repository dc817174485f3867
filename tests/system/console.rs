//! The broker's console in a real browser.

use serde_json::json;
use system_tests::{
    browser::Browser,
    eventually::{equal, eventually},
    http::{call, get, post, put},
    programs::{Program, free_ports},
};

async fn broker(folder: &std::path::Path) -> Program {
    let data = folder.join("broker");
    let arguments = ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    Program::start("broker", &arguments, folder).await.unwrap()
}

/// A dead letter whose data and reason would be markup, if they were taken for it.
async fn dead_letter(url: &str, queue: &str, id: &str) {
    dead_letter_of(url, queue, id, "/shop").await;
}

async fn dead_letter_of(url: &str, queue: &str, id: &str, source: &str) {
    put(&format!("{url}/queues/{queue}"), &json!({"max_deliveries": 1})).await.unwrap();
    let messages = format!("{url}/queues/{queue}/messages");
    let event = json!({"specversion": "1.0", "id": id, "source": source, "type": "order.placed", "data": "<b>mug</b>"});
    let header = [("content-type", "application/cloudevents+json")];
    let (status, answer) = call(reqwest::Method::POST, &messages, &header, Some(&event)).await.unwrap();
    assert_eq!(status.as_u16(), 201, "{answer}");
    let received = post(&format!("{url}/queues/{queue}/receive"), &json!({})).await.unwrap();
    let nack = json!({"receipts": [received["deliveries"][0]["receipt"]], "reason": "<i>no stock</i>"});
    post(&format!("{url}/queues/{queue}/nack"), &nack).await.unwrap();
}

#[tokio::test]
async fn a_dead_letter_is_found_looked_at_and_redriven() {
    let Some(browser) = Browser::start("a_dead_letter_is_found_looked_at_and_redriven").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let url = broker.own_url();
    dead_letter(url, "orders", "order-1").await;
    browser.go_to(url).await.unwrap();
    browser.click("//td/a[text()='orders']").await;
    browser.click("(//td/a[text()='order-1'])[1]").await;
    browser.shows("<b>mug</b>").await;
    browser.shows("<i>no stock</i>").await;
    browser.click("//button[text()='Redrive']").await;
    browser.accept().await;
    browser.shows("Redriven: 1").await;
    eventually("the message is ready again", || async {
        let queue = get(&format!("{url}/queues/orders")).await.map_err(|error| error.to_string())?;
        equal(&queue["counts"]["ready"], &json!(1)).map(|_| ())
    })
    .await;
    browser.go_to(&format!("{url}/#/messages/order-1")).await.unwrap();
    browser.shows("redriven").await;
}

#[tokio::test]
async fn numbers_in_data_are_shown_with_the_digits_they_came_with() {
    let Some(browser) = Browser::start("numbers_in_data_are_shown_with_the_digits_they_came_with").await
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let url = broker.own_url();
    put(&format!("{url}/queues/orders"), &json!({"ttl": "1ms", "on_expiry": "dead-letter"})).await.unwrap();
    let publish = reqwest::Client::new().post(format!("{url}/queues/orders/messages"));
    let data = r#"{"cents":12345678901234567890,"price":1.10}"#;
    let publish = publish.header("content-type", "application/json").header("ce-id", "order-1").body(data);
    assert_eq!(publish.send().await.unwrap().status(), 201);
    eventually("it expires", || async {
        let queue = get(&format!("{url}/queues/orders")).await.map_err(|error| error.to_string())?;
        equal(&queue["counts"]["dead"], &json!(1)).map(|_| ())
    })
    .await;
    browser.go_to(&format!("{url}/#/queues/orders")).await.unwrap();
    browser.click("(//td/a[text()='order-1'])[1]").await;
    browser.shows("12345678901234567890").await;
    browser.shows("1.10").await;
}

#[tokio::test]
async fn what_happens_is_shown_while_it_happens() {
    let Some(browser) = Browser::start("what_happens_is_shown_while_it_happens").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let url = broker.own_url();
    browser.go_to(&format!("{url}/#/events")).await.unwrap();
    browser.shows("What happens now").await;
    // The page watches from some moment after it is shown on; what was before that it is not told.
    let mut number = 0;
    eventually("a dead letter on the page", || {
        number += 1;
        let id = format!("order-{number}");
        let browser = &browser;
        async move {
            dead_letter(url, "orders", &id).await;
            let shown = browser.text().await?;
            if shown.contains("dead-lettered") { Ok(()) } else { Err(shown) }
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_messages_with_one_id_the_chosen_one_alone_is_discarded() {
    let Some(browser) = Browser::start("of_two_messages_with_one_id_the_chosen_one_alone_is_discarded").await
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let url = broker.own_url();
    for source in ["/shop", "/other"] {
        dead_letter_of(url, "orders", "order-1", source).await;
    }
    browser.go_to(&format!("{url}/#/queues/orders")).await.unwrap();
    browser.click("//tr[td[text()='/other']]//input").await;
    browser.click("//button[text()='Discard the chosen']").await;
    browser.accept().await;
    browser.shows("Discarded: 1").await;
    let left = get(&format!("{url}/queues/orders/dead-letters")).await.unwrap();
    assert_eq!((left["items"].as_array().unwrap().len(), &left["items"][0]["source"]), (1, &json!("/shop")));
}

#[tokio::test]
async fn the_overview_goes_on_once_the_broker_is_back() {
    let Some(browser) = Browser::start("the_overview_goes_on_once_the_broker_is_back").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, port) = (folder.path().join("broker"), free_ports(1));
    let listen = format!("127.0.0.1:{port}");
    let arguments = ["--listen", &listen, "--data", data.to_str().unwrap()];
    let mut broker = Program::start("broker", &arguments, folder.path()).await.unwrap();
    browser.go_to(broker.own_url()).await.unwrap();
    browser.shows("Topics").await;
    broker.kill().await.unwrap();
    browser.shows("trying again").await;
    broker.restart().await.unwrap();
    put(&format!("{}/queues/orders", broker.own_url()), &json!({})).await.unwrap();
    browser.click("//td/a[text()='orders']").await;
    browser.shows("Settings").await;
}

#[tokio::test]
async fn where_there_are_tokens_the_console_asks_for_one() {
    let Some(browser) = Browser::start("where_there_are_tokens_the_console_asks_for_one").await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let url = broker.own_url();
    put(&format!("{url}/queues/orders"), &json!({})).await.unwrap();
    let token = post(&format!("{url}/tokens"), &json!({"name": "ada", "allow": ["admin:*"]})).await.unwrap();
    browser.go_to(url).await.unwrap();
    browser.shows("this broker wants a token").await;
    browser.type_into("//input[@name='token']", token["token"].as_str().unwrap()).await;
    browser.click("//button[text()='Come in']").await;
    browser.click("//td/a[text()='orders']").await;
    browser.shows("Settings").await;
}
