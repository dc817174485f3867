//! One event, one mail. The mail goes out first and is recorded after, so that a crash between the two
//! leaves a mail that the redelivery sends again: into the same file, or under the same Message-ID.

use events::Fact;
use messaging::{consumer::Handler, event::Event, failure::Failure};
use units::Timestamp;

use crate::{
    mail::{Mail, Sender},
    mailbox::Mailbox,
    store::Store,
};

/// Handles the events of one queue.
pub struct Handlers {
    /// Which queue; the inbox knows the consumer by it.
    pub queue: &'static str,
    /// What was sent.
    pub store: Store,
    /// Where mails go.
    pub mailbox: Mailbox,
    /// Whom they are from.
    pub sender: Sender,
}

#[async_trait::async_trait]
impl Handler for Handlers {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        let fact = events::parse(event).map_err(Failure::permanent)?;
        match mail_about(&fact, event) {
            Some(mail) => self.send(event, mail).await,
            None => Ok(()),
        }
    }
}

fn mail_about(fact: &Fact, event: &Event) -> Option<Mail> {
    Mail::about(fact, event.time().unwrap_or_else(Timestamp::now))
}

impl Handlers {
    async fn send(&self, event: &Event, mail: Mail) -> Result<(), Failure> {
        if self.store.was_sent(mail.order_id, mail.kind).await? {
            return Ok(());
        }
        let composed = mail.compose(&self.sender).map_err(Failure::permanent)?;
        let message = composed.bytes.clone();
        let (order_id, kind) = (mail.order_id, mail.kind);
        self.mailbox.deliver(composed).await?;
        self.store.record(self.queue, event, mail, message).await?;
        metrics::counter!("emails_sent_total", "kind" => kind.as_str()).increment(1);
        tracing::debug!(%order_id, %kind, "mail_sent");
        Ok(())
    }
}
