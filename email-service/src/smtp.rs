//! Sending by SMTP, at least once: a server that took the message and was not heard gets it again,
//! under the same Message-ID.

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, transport::smtp};

/// A server that takes mail, by its URL.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// Why the server did not take a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// A 4xx, a connection that fails, a time-out: it may go well later.
    #[error("the SMTP server can't take the message now")]
    Transient(#[source] smtp::Error),
    /// A 5xx: it will never take this message.
    #[error("the SMTP server refuses the message for good")]
    Permanent(#[source] smtp::Error),
}

impl Smtp {
    /// For a URL such as `smtp://user:password@host:25` or `smtps://host`; `?tls=required` asks for
    /// STARTTLS. Connects at the first message.
    ///
    /// # Errors
    /// When it is not such a URL.
    pub fn new(url: &str) -> Result<Self, smtp::Error> {
        Ok(Self { transport: AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.build() })
    }

    /// Hands the message to the server, and answers once it took it.
    ///
    /// # Errors
    /// [`SmtpError`], by the code that the server answered.
    pub async fn send(&self, message: Message) -> Result<(), SmtpError> {
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SmtpError::Permanent(error)),
            Err(error) => Err(SmtpError::Transient(error)),
        }
    }
}
