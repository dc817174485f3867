//! The transport to our own broker, over its HTTP contract. Each concern has its file: `http/client.rs`
//! sends requests and tells errors apart; `declare`, `publish`, `receive` and `settle` say what is sent.

mod client;
mod connector;
mod declare;
mod publish;
mod receive;
mod settle;

use async_trait::async_trait;

use self::client::Client;
use super::{
    Delivery, Destination, Guarantee, PublishError, Receive, Settled, Settlement, Token, Transport,
    TransportError, UnknownTransport, Verdict,
};
use crate::{event::Event, topology::Topology};

/// A client of our broker: keeps its connections open, and gives every request a time limit.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: Client,
}

impl HttpTransport {
    /// A client of the broker at that URL, such as `http://127.0.0.1:7070`, with a token where it wants one.
    /// Nothing is sent yet. Over `https` it trusts the authorities that the system trusts, or those in the
    /// file that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// [`UnknownTransport::Url`] when it is no `http` or `https` URL, or no authority is trusted;
    /// [`UnknownTransport::Token`].
    pub fn new(url: &str, token: Option<&Token>) -> Result<Self, UnknownTransport> {
        Client::new(url, token).map(|client| Self { client })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    fn system(&self) -> &'static str {
        "broker"
    }

    fn guarantee(&self, _: Guarantee) -> Verdict {
        Verdict::Holds
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        declare::topology(&self.client, topology).await
    }

    async fn publish(&self, to: &Destination, events: &[Event]) -> Vec<Result<(), PublishError>> {
        publish::all(&self.client, to, events).await
    }

    async fn receive(&self, queue: &str, receive: &Receive) -> Result<Vec<Delivery>, TransportError> {
        receive::some(&self.client, queue, receive).await
    }

    async fn settle(&self, queue: &str, settlements: &[Settlement]) -> Result<Vec<Settled>, TransportError> {
        settle::each(&self.client, queue, settlements).await
    }

    async fn ready(&self) -> Result<(), TransportError> {
        self.client.get(&["readyz"]).await.map(|_| ())
    }
}
