//! Asks our own broker how many events it left out because a queue of ours was full: its subscriptions
//! count them, and nobody else knows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use events::{queue, topic};
use messaging::transport::Token;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;

/// Where we listen.
const SUBSCRIPTIONS: [(&str, &str); 2] =
    [(topic::ORDERS, queue::ANALYTICS_ORDERS), (topic::PAYMENTS, queue::ANALYTICS_PAYMENTS)];
/// How long the broker may take; then what it said last has to do.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the broker says of events left out.
#[derive(Clone, Debug)]
pub struct Dropped {
    http: reqwest::Client,
    broker_url: Arc<str>,
    token: Option<Token>,
    last: Arc<[AtomicI64; 2]>,
}

#[derive(Deserialize)]
struct Topic {
    subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    queue: String,
    dropped: i64,
}

impl Dropped {
    /// To ask the broker at that URL, with a token where it wants one.
    ///
    /// # Errors
    /// When the system's settings for HTTP can't be used.
    pub fn new(broker_url: &str, token: Option<Token>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let broker_url = broker_url.trim_end_matches('/').into();
        Ok(Self { http, broker_url, token, last: Arc::default() })
    }

    /// How many events were left out so far. What can't be asked now is what was said last.
    pub async fn ask(&self) -> i64 {
        let [orders, payments] = SUBSCRIPTIONS;
        let (orders, payments) = tokio::join!(self.of(orders), self.of(payments));
        let answers = [orders, payments].into_iter().zip(self.last.iter());
        let latest = answers.map(|(answer, last)| match answer {
            Some(dropped) => {
                last.store(dropped, Ordering::Relaxed);
                dropped
            }
            None => last.load(Ordering::Relaxed),
        });
        latest.sum()
    }

    async fn of(&self, (topic, queue): (&str, &str)) -> Option<i64> {
        let url = format!("{}/topics/{topic}", self.broker_url);
        let request = self.http.get(url);
        let request = match self.token.as_ref().and_then(Token::bearer) {
            Some(bearer) => request.header(AUTHORIZATION, bearer),
            None => request,
        };
        let answer = request.send().await.ok()?.error_for_status().ok()?;
        let topic: Topic = answer.json().await.ok()?;
        topic.subscriptions.iter().find(|known| known.queue == queue).map(|known| known.dropped)
    }
}
