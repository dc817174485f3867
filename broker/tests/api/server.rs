//! A broker of one's own to talk to, and its answers.

use std::{path::Path, time::Duration};

use broker::config::Config;
use reqwest::{Body, Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// A running broker; it stops when this is dropped.
pub(crate) struct Server {
    pub address: String,
    client: Client,
    shutdown: CancellationToken,
    running: Option<JoinHandle<()>>,
    folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0", TempDir::new().unwrap(), |_| ()).await
    }

    /// A broker on that address and folder, configured as wanted.
    pub(crate) async fn start_on(
        address: &str,
        folder: TempDir,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::new(folder.path());
        configure(&mut config);
        let shutdown = CancellationToken::new();
        let (address, running) = run(address, config, &shutdown).await;
        Self { address, client: Client::new(), shutdown, running: Some(running), folder }
    }

    /// Stops it in good order, and starts it again on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(|_| ()).await;
    }

    /// The same, configured as wanted.
    pub(crate) async fn restart_with(&mut self, configure: impl FnOnce(&mut Config)) {
        self.stop().await;
        self.start_again(configure).await;
    }

    /// Stops it in good order, lets something happen to its data, and starts it again on that.
    pub(crate) async fn restart_after(&mut self, happens: impl FnOnce(&Path)) {
        self.stop().await;
        happens(self.folder.path());
        self.start_again(|_| ()).await;
    }

    async fn start_again(&mut self, configure: impl FnOnce(&mut Config)) {
        let mut config = Config::new(self.folder.path());
        configure(&mut config);
        self.shutdown = CancellationToken::new();
        let (address, running) = run("127.0.0.1:0", config, &self.shutdown).await;
        (self.address, self.running) = (address, Some(running));
    }

    /// Where its data is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Tells it to stop; what is open may end.
    pub(crate) fn begin_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Stops it in good order.
    pub(crate) async fn stop(&mut self) {
        self.begin_to_stop();
        self.running.take().unwrap().await.unwrap();
    }

    /// A broker with one queue of those settings.
    pub(crate) async fn with_queue(name: &str, settings: Value) -> Self {
        let server = Self::start().await;
        server.put_queue(name, settings).await;
        server
    }

    pub(crate) async fn put_queue(&self, name: &str, settings: Value) {
        assert_eq!(self.put(&format!("/queues/{name}"), settings).await.status, 201);
    }

    /// A request to be filled in.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    /// The same with a path that is made on the spot.
    pub(crate) async fn post_owned(&self, path: String, body: Value) -> Answer {
        self.post(&path, body).await
    }

    /// A POST of just these bytes, without a Content-Type.
    pub(crate) async fn post_bytes(&self, path: &str, body: impl Into<Body>) -> Answer {
        Answer::of(self.request(Method::POST, path).body(body)).await
    }

    /// Publishes in binary mode with those headers.
    pub(crate) async fn publish(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = format!("{path}/messages");
        let request = self.request(Method::POST, &path).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(request).await
    }

    /// Publishes one event, or an array of them, in JSON.
    pub(crate) async fn publish_json(&self, path: &str, json: &str) -> Answer {
        let batch = json.trim_start().starts_with('[');
        let content_type =
            if batch { "application/cloudevents-batch+json" } else { "application/cloudevents+json" };
        self.publish(path, &[("content-type", content_type)], json).await
    }

    /// Publishes messages of those ids into a queue, all or none.
    pub(crate) async fn publish_ids(&self, queue: &str, ids: &[&str]) {
        let events: Vec<Value> = ids.iter().map(|id| event(id)).collect();
        let answer = self.publish_json(&format!("/queues/{queue}"), &Value::from(events).to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// The deliveries of one receive.
    pub(crate) async fn receive(&self, queue: &str, body: Value) -> Vec<Value> {
        let answer = self.post(&format!("/queues/{queue}/receive"), body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["deliveries"].as_array().unwrap().clone()
    }

    /// Settles, and gives the status of each receipt.
    pub(crate) async fn settle(&self, queue: &str, how: &str, body: Value) -> Vec<String> {
        let answer = self.post(&format!("/queues/{queue}/{how}"), body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let results = answer.json()["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes one message a dead letter, of id `id` and for that reason.
    pub(crate) async fn dead_letter(&self, queue: &str, id: &str, reason: &str) {
        self.publish_ids(queue, &[id]).await;
        assert_eq!(self.fail_next(queue, reason).await, id);
    }

    /// Makes the message that is next a dead letter for that reason, and gives its id.
    pub(crate) async fn fail_next(&self, queue: &str, reason: &str) -> String {
        let delivery = self.receive(queue, json!({})).await.remove(0);
        let nack = json!({"receipts": [delivery["receipt"]], "dead_letter": true, "reason": reason});
        assert_eq!(self.settle(queue, "nack", nack).await, ["done"]);
        delivery["message"]["id"].as_str().unwrap().to_owned()
    }

    /// The counts of a queue.
    pub(crate) async fn counts(&self, queue: &str) -> Value {
        self.get(&format!("/queues/{queue}")).await.json()["counts"].clone()
    }

    /// Waits until a count of a queue is that; it must come to be within ten seconds.
    pub(crate) async fn until_count(&self, queue: &str, count: &str, wanted: u64) {
        let what = format!("{count} of {queue} to be {wanted}");
        self.until(&what, async |server| server.counts(queue).await[count] == wanted).await;
    }

    /// Waits for what must come to be within ten seconds.
    pub(crate) async fn until(&self, what: &str, come: impl AsyncFn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !come(self).await {
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Runs a broker, and gives its address when it takes work.
async fn run(address: &str, config: Config, shutdown: &CancellationToken) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let ready = Ready::new();
    let running = broker::run(listener, config, ready.clone(), shutdown.clone());
    let mut running = tokio::spawn(async move { running.await.unwrap() });
    tokio::select! {
        () = ready.wait() => {}
        ended = &mut running => panic!("the broker did not start: {ended:?}"),
    }
    (address, running)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A small event of that id.
pub(crate) fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/test", "type": "t", "data": {"id": id}})
}

/// The ids of the messages of deliveries, or of browsed items.
pub(crate) fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["message"]["id"].as_str().unwrap()).collect()
}

/// The receipts of deliveries.
pub(crate) fn receipts(deliveries: &[Value]) -> Vec<&Value> {
    deliveries.iter().map(|delivery| &delivery["receipt"]).collect()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Checks that this is a problem of that status and slug, and gives its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        assert_eq!(body["type"], format!("/problems/{slug}"), "{self:?}");
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && body["detail"].is_string(), "{self:?}");
        body
    }

    /// Checks that this is `invalid-field` for that field.
    #[track_caller]
    pub(crate) fn invalid(&self, field: &str) {
        let body = self.problem(422, "invalid-field");
        assert_eq!(body["errors"][0]["field"], field, "{self:?}");
        assert!(body["errors"][0]["detail"].is_string());
    }
}
