//! Whether a consumer or a relay, or what a service has in their place, does its work, for the service's readiness.

use tokio::sync::watch;

/// How a consumer or relay fares; cheap to clone, and good after it has ended.
#[derive(Clone, Debug)]
pub struct Status {
    trouble: watch::Receiver<Option<String>>,
}

impl Status {
    /// What keeps it from its work; none while it does it.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Waits until nothing keeps it from its work (any more), or until it has ended.
    pub async fn well(&mut self) {
        // An error means that it has ended.
        let _ = self.trouble.wait_for(Option::is_none).await;
    }
}

/// The side that tells.
#[derive(Debug)]
pub struct Report {
    trouble: watch::Sender<Option<String>>,
}

impl Report {
    /// The report of work that has not begun: what keeps it from that, if anything.
    #[must_use]
    pub fn new(trouble: Option<&str>) -> Self {
        Self { trouble: watch::Sender::new(trouble.map(str::to_owned)) }
    }

    /// What others see of it.
    #[must_use]
    pub fn status(&self) -> Status {
        Status { trouble: self.trouble.subscribe() }
    }

    /// It does its work.
    pub fn well(&self) {
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
    }

    /// Something keeps it from its work. Whether that is news.
    pub fn trouble(&self, trouble: String) -> bool {
        self.trouble.send_replace(Some(trouble.clone())).is_none_or(|before| before != trouble)
    }
}
