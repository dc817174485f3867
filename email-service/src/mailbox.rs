//! Where mails go: a maildir, or a server by SMTP.

use messaging::failure::Failure;

use crate::{
    config::Config,
    mail::Composed,
    maildir::Maildir,
    smtp::{Smtp, SmtpError},
};

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Mailbox {
    /// Exactly one file a mail.
    Maildir(Maildir),
    /// At least once, always under the same Message-ID.
    Smtp(Smtp),
}

impl Mailbox {
    /// The one that the configuration asks for: SMTP where a server is named, else `mail/` in the
    /// data folder.
    ///
    /// # Errors
    /// When the URL is none of SMTP, or the maildir can't be made.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        match &config.smtp_url {
            Some(url) => Ok(Self::Smtp(Smtp::new(url, config.smtp_timeout)?)),
            None => Ok(Self::Maildir(Maildir::open(config.data.join("mail"))?)),
        }
    }

    /// Delivers a message; when it answers well, it is on disk, or with the server.
    ///
    /// # Errors
    /// [`Failure`]: permanent when the server refuses the message for good, else transient.
    pub async fn deliver(&self, mail: Composed) -> Result<(), Failure> {
        match self {
            Self::Maildir(maildir) => {
                maildir.deliver(&mail.name, mail.bytes).await.map_err(Failure::transient)
            }
            Self::Smtp(smtp) => smtp.send(mail.message).await.map_err(|error| match error {
                SmtpError::Permanent(_) => Failure::permanent(error),
                SmtpError::Transient(_) | SmtpError::TimedOut(_) => Failure::transient(error),
            }),
        }
    }
}
