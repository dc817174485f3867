//! The service put together: database, HTTP, relay, both consumers, deadlines; started and stopped as one.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use events::queue;
use messaging::{Consumer, Relay, Status, Transport, topology, transport};
use serve::{health::Health, http::Limits, program::Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, App},
    config::Config,
    deadline::Deadlines,
    handlers::Hearing,
    saga::Queue,
    store::Store,
};

/// The consumer's name in histories.
const CONSUMER: &str = "order-service";
/// How often the broker is asked whether it is there.
const LOOK_AT_BROKER: Duration = Duration::from_secs(1);
/// The same while it is missing.
const LOOK_FOR_BROKER: Duration = Duration::from_millis(100);

/// Serves on `listener` until `shutdown`; `ready` is set once it takes orders. It takes them while the
/// broker is away, too, and publishes them when it is back.
///
/// # Errors
/// When the data folder can't be used, the broker's URL is none, or what the broker holds conflicts with
/// what is declared.
pub async fn run(
    listener: TcpListener,
    config: Config,
    ready: Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    serve::program::make_folder(&config.data)?;
    let store = Store::open(&config.data).await.context("can't open the database")?;
    let transport = transport::connect(&config.broker_url, config.broker_token.as_ref())?;
    let health = Health::starting();
    // Ends the server, too, when the rest can't go on.
    let stop = shutdown.child_token();
    let app = App::new(store.clone(), &config, stop.clone());
    let router = api::router(app, &health);
    let work = tokio::spawn(work(store.clone(), transport, config, health.clone(), stop.clone()));
    health.set_ready();
    ready.set();
    serve::http::run(listener, router, Limits::default(), stop).await?;
    work.await.context("the service's work ended by a panic")??;
    store.close().await;
    Ok(())
}

/// Declares the topology, then publishes, hears and watches the deadlines until `stop`.
async fn work(
    store: Store,
    transport: Arc<dyn Transport>,
    config: Config,
    health: Health,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // However it ends, nothing is left that the server could serve for.
    let _stops_the_server = stop.clone().drop_guard();
    let workers = Arc::new(OnceLock::new());
    let watching = watch_broker(Arc::clone(&transport), Arc::clone(&workers), health, stop.clone());
    let watching = tokio::spawn(watching);
    if topology::declare(&transport, &events::topology(), &stop).await? {
        let relay = Relay::new(store.outbox().clone(), Arc::clone(&transport));
        let deadlines = Deadlines::new(store.clone(), Arc::clone(&transport), config.deadline);
        let hear = |queue, part| {
            let hearing = Hearing::new(store.clone(), part, config.compensation_deadline);
            Consumer::new(Arc::clone(&transport), queue, CONSUMER, Arc::new(hearing))
                .concurrency(config.concurrency)
        };
        let (stock, payments) =
            (hear(queue::ORDER_STOCK, Queue::Stock), hear(queue::ORDER_PAYMENTS, Queue::Payments));
        workers.get_or_init(|| [relay.status(), stock.status(), payments.status()]);
        tokio::join!(
            relay.run(stop.clone()),
            stock.run(stop.clone()),
            payments.run(stop.clone()),
            deadlines.run(stop.clone()),
        );
    }
    watching.await.context("watching the broker ended by a panic")
}

/// Keeps `/readyz` true: orders are taken without the broker, so it is only named as missing, be it away, or there
/// and not doing what it is asked, to declare what is needed first of all.
async fn watch_broker(
    transport: Arc<dyn Transport>,
    workers: Arc<OnceLock<[Status; 3]>>,
    health: Health,
    stop: CancellationToken,
) {
    loop {
        let at_work = |workers: &[Status; 3]| workers.iter().all(|worker| worker.trouble().is_none());
        let is_there = transport.ready().await.is_ok() && workers.get().is_some_and(at_work);
        health.set_degraded(if is_there { vec![] } else { vec!["broker".to_owned()] });
        tokio::select! {
            () = stop.cancelled() => return health.set_not_ready("stopping"),
            () = tokio::time::sleep(if is_there { LOOK_AT_BROKER } else { LOOK_FOR_BROKER }) => {}
        }
    }
}
