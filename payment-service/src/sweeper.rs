//! Takes up open gateway intents that nobody ended: an undo that the gateway could not serve, and what
//! a crash left behind. It also counts them, for those who watch.

use std::time::Duration;

use messaging::{Database, DatabaseError, failure};
use tokio_util::sync::CancellationToken;
use units::Timestamp;

use crate::{cashier::Cashier, store};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How many it takes up in one look, side by side.
const AT_ONCE: u32 = 64;
/// How long other sweepers keep off what it took up: longer than a call of the gateway takes.
const HOLD: Duration = Duration::from_secs(30);

/// Sweeps until `shutdown`. What is cut off then stays open, and is taken up again.
pub async fn run(database: Database, cashier: Cashier, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            swept = sweep(&database, &cashier, Timestamp::now()) => {
                if let Err(error) = swept {
                    tracing::error!(error = %failure::reason(&error), "sweep_failed");
                }
            }
        }
    }
}

/// Takes up what is due at `now`, and answers how many that were.
///
/// # Errors
/// What the database says. What the gateway says leaves the intent open, and is logged.
pub async fn sweep(database: &Database, cashier: &Cashier, now: Timestamp) -> Result<usize, DatabaseError> {
    let (open, due) = store::count_open(database.reader(), now).await?;
    #[allow(clippy::cast_precision_loss)] // more than 2^53 are none
    metrics::gauge!("payment_open_intents").set(open as f64);
    if due == 0 {
        return Ok(0);
    }
    let claimed = database
        .write(move |connection| {
            Box::pin(async move {
                Ok::<_, DatabaseError>(store::claim_due(connection, now, now.plus(HOLD), AT_ONCE).await?)
            })
        })
        .await?;
    let count = claimed.len();
    futures_util::future::join_all(claimed.into_iter().map(|order_id| async move {
        if let Err(failure) = cashier.resume(order_id).await {
            tracing::warn!(order_id = %order_id, error = failure.reason(), "intent_still_open");
        }
    }))
    .await;
    Ok(count)
}
