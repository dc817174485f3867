//! What is done when the store fails for good: nothing that was answered is lost by ending at once, and
//! nothing that might not be on disk is answered.

use crate::store::StoreError;

/// How the process ends when the store failed. The engine's thread stops all work before and does not
/// touch the store again.
pub trait Fatal: Send {
    /// Called once, with why.
    fn fatal(&self, error: &StoreError);
}

/// Ends the process at once, without a checkpoint: a failed sync can't be trusted when it is tried
/// again, and what is in the write-ahead log is read at the next start.
#[derive(Clone, Copy, Debug, Default)]
pub struct AbortProcess;

impl Fatal for AbortProcess {
    fn fatal(&self, error: &StoreError) {
        tracing::error!(error = %error, "the store failed: the process ends at once, clients try again");
        std::process::abort();
    }
}
