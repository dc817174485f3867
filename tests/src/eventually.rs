//! Bounded waits for a real effect.

use std::{
    fmt::Debug,
    future::Future,
    time::{Duration, Instant},
};

/// How long an effect may take before the test fails. Generous: a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until `look` gives a value, and gives it.
///
/// # Panics
/// When [`PATIENCE`] is over, with what was waited for and the last look.
pub async fn eventually<T, L, F>(what: &str, mut look: L) -> T
where
    L: FnMut() -> F,
    F: Future<Output = Result<T, String>>,
{
    within(PATIENCE, what, &mut look).await
}

/// The same with a patience of its own.
///
/// # Panics
/// When the patience is over.
pub async fn within<T, L, F>(patience: Duration, what: &str, mut look: L) -> T
where
    L: FnMut() -> F,
    F: Future<Output = Result<T, String>>,
{
    let started = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(last) if started.elapsed() > patience => {
                panic!("waited {patience:?} for {what}; at last: {last}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// `Ok` when both are equal, else what was found.
///
/// # Errors
/// The found value, as text.
pub fn equal<T: PartialEq + Debug>(found: T, wanted: T) -> Result<T, String> {
    if found == wanted { Ok(found) } else { Err(format!("{found:?}")) }
}
