//! Sending by SMTP, at least once: a server that took the message and was not heard gets it again,
//! under the same Message-ID.

use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, transport::smtp};
use tokio::time::timeout;

/// A server that takes mail, by its URL.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    limit: Duration,
}

/// Why the server did not take a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// A 4xx, a connection that fails: it may go well later.
    #[error("the SMTP server can't take the message now")]
    Transient(#[source] smtp::Error),
    /// It took longer than this, and may have taken the message or not: it may go well later.
    #[error("the SMTP server did not take the message within {0:?}")]
    TimedOut(Duration),
    /// A 5xx: it will never take this message.
    #[error("the SMTP server refuses the message for good")]
    Permanent(#[source] smtp::Error),
}

impl Smtp {
    /// For a URL such as `smtp://user:password@host:25` or `smtps://host`; `?tls=required` asks for
    /// STARTTLS. Connects at the first message; each may take so long in all.
    ///
    /// # Errors
    /// When it is not such a URL.
    pub fn new(url: &str, limit: Duration) -> Result<Self, smtp::Error> {
        Ok(Self { transport: AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.build(), limit })
    }

    /// Hands the message to the server, and answers once it took it.
    ///
    /// # Errors
    /// [`SmtpError`], by the code that the server answered.
    pub async fn send(&self, message: Message) -> Result<(), SmtpError> {
        match timeout(self.limit, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(SmtpError::Permanent(error)),
            Ok(Err(error)) => Err(SmtpError::Transient(error)),
            Err(_) => Err(SmtpError::TimedOut(self.limit)),
        }
    }
}
