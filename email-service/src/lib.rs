//! The email service: it listens to orders and payments and sends the customer a mail of what matters,
//! one an order and kind. It decides nothing and tells nobody but the customer.

pub mod api;
pub mod config;
pub mod handlers;
pub mod mail;
pub mod mailbox;
pub mod maildir;
pub mod smtp;
pub mod store;

use std::sync::Arc;

use anyhow::Context;
use config::Config;
use events::queue;
use handlers::Handlers;
use mailbox::Mailbox;
use messaging::{
    consumer::Consumer,
    topology,
    transport::{self, Transport},
};
use operations::readiness;
use serve::{health::Health, http::Limits, program::Ready};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How many events of a queue are worked on at a time.
const CONCURRENCY: usize = 64;

/// Serves on `listener` and sends mails until `shutdown`; `ready` is set once it serves. While the broker
/// is away it serves what was sent, and says that it is not ready.
///
/// # Errors
/// When the data folder or the mailbox can't be used, the broker's URL is none, or what it holds
/// conflicts with what is declared.
pub async fn run(
    listener: TcpListener,
    config: Config,
    ready: Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    serve::program::make_folder(&config.data)?;
    let store = Store::open(&config.data).await.context("opening the database")?;
    let mailbox = Mailbox::open(&config).context("opening the mailbox")?;
    let transport = transport::connect(&config.broker_url, config.broker_token.as_ref())?;
    let health = Health::starting();
    let router = api::router(store.clone(), &health);
    // Ends the server too when the work can't go on.
    let stop = shutdown.child_token();
    let sender = config.mail_from;
    let handlers = [queue::EMAIL_ORDERS, queue::EMAIL_PAYMENTS].map(|queue| Handlers {
        queue,
        store: store.clone(),
        mailbox: mailbox.clone(),
        sender: sender.clone(),
    });
    let work = tokio::spawn(work(transport, handlers, health, stop.clone()));
    ready.set();
    serve::http::run(listener, router, Limits::default(), stop).await?;
    work.await.context("sending mails")??;
    store.close().await;
    Ok(())
}

/// Declares the topology, then works on both queues until `stop`.
async fn work(
    transport: Arc<dyn Transport>,
    handlers: [Handlers; 2],
    health: Health,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // However it ends, nothing is left that the server could serve for.
    let _stops_the_server = stop.clone().drop_guard();
    health.set_not_ready("waiting for the broker");
    if !topology::declare(&transport, &events::topology(), &stop).await? {
        return Ok(());
    }
    let consumers = handlers.map(|handlers| {
        let queue = handlers.queue;
        Consumer::new(Arc::clone(&transport), queue, "email-service", Arc::new(handlers))
            .concurrency(CONCURRENCY)
    });
    let workers: Vec<_> = consumers.iter().map(Consumer::status).collect();
    let watching = readiness::watch(&workers, health, stop.clone());
    let [orders, payments] = consumers.map(|consumer| consumer.run(stop.clone()));
    tokio::join!(orders, payments, watching);
    Ok(())
}
