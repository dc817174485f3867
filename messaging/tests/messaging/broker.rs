//! A real broker in this process, on a thread and a runtime of its own, so that a test that ends early
//! still stops it before its folder goes; and what a test looks up in it.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use messaging::{
    Destination, Event, Topology, Transport,
    topology::{OnFull, QueueSpec, SubscriptionSpec},
    transport,
};
use serde_json::Value;
use serve::program::Ready;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) struct Broker {
    address: SocketAddr,
    folder: Arc<TempDir>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut broker = Self { address, folder: Arc::new(TempDir::new().unwrap()), running: None };
        broker.run(listener).await;
        broker
    }

    /// Stops it, as SIGTERM does. Its address stays its own by the port's number alone.
    pub(crate) fn stop(&mut self) {
        if let Some((shutdown, thread)) = self.running.take() {
            shutdown.cancel();
            thread.join().unwrap();
        }
    }

    /// Starts it again, on the same folder and address.
    pub(crate) async fn start_again(&mut self) {
        let listener =
            eventually("the port is free again", || async { TcpListener::bind(self.address).ok() }).await;
        self.run(listener).await;
    }

    async fn run(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let (shutdown, ready) = (CancellationToken::new(), Ready::new());
        let (until, tell, folder) = (shutdown.clone(), ready.clone(), Arc::clone(&self.folder));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                ::broker::run(listener, ::broker::Config::new(folder.path()), tell, until).await.unwrap();
            });
        });
        self.running = Some((shutdown, thread));
        tokio::time::timeout(SOON, ready.wait()).await.expect("the broker is ready soon");
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        transport::connect(&self.url(), None).unwrap()
    }

    /// Loses all it stored, as when its volume does. Call it while it is stopped.
    pub(crate) fn lose_data(&mut self) {
        self.folder = Arc::new(TempDir::new().unwrap());
    }

    pub(crate) async fn remove_queue(&self, queue: &str) {
        let url = format!("{}/queues/{queue}?force=true", self.url());
        assert_eq!(reqwest::Client::new().delete(url).send().await.unwrap().status(), 204);
    }

    /// The answer of a GET.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = reqwest::get(format!("{}{path}", self.url())).await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// A counter or gauge of a queue.
    pub(crate) async fn count(&self, queue: &str, counter: &str) -> u64 {
        self.get(&format!("/queues/{queue}")).await["counts"][counter].as_u64().unwrap()
    }

    /// Changes settings of a queue, or makes it.
    pub(crate) async fn put_queue(&self, queue: &str, settings: &Value) {
        let put = reqwest::Client::new().put(format!("{}/queues/{queue}", self.url())).json(settings);
        assert!(put.send().await.unwrap().status().is_success());
    }

    /// Waits until a counter or gauge of a queue has that value.
    pub(crate) async fn wait_count(&self, queue: &str, counter: &str, value: u64) {
        eventually(&format!("{counter} of {queue} is {value}"), || async {
            (self.count(queue, counter).await == value).then_some(())
        })
        .await;
    }

    pub(crate) async fn publish(&self, queue: &str, events: &[Event]) {
        for result in self.transport().publish(&Destination::queue(queue), events).await {
            result.unwrap();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Looks again and again until there is something, and fails when that takes too long.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < SOON, "it takes too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Topic `orders`, and queue `work`, ordered by key, that hears it.
pub(crate) fn orders_to_work() -> Topology {
    Topology {
        topics: vec!["orders".to_owned()],
        queues: vec![QueueSpec { name: "work".to_owned(), ordered_by_key: true }],
        subscriptions: vec![SubscriptionSpec {
            topic: "orders".to_owned(),
            queue: "work".to_owned(),
            on_full: OnFull::Reject,
            without_types: vec![],
        }],
    }
}

/// An event with that number as data, and that key.
pub(crate) fn event(key: &str, n: u64) -> Event {
    Event::new("/test", "numbered", &n).with_partition_key(key)
}

/// Its number.
pub(crate) fn number(event: &Event) -> u64 {
    event.decode().unwrap()
}
