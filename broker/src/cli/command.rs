//! Which commands there are.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{
    audit::Audit,
    backup::Backup,
    client::Client,
    completions::Completions,
    dead_letters::DeadLetters,
    failure, folder,
    messages::Messages,
    output::{Output, remark},
    publish::Publish,
    queues::Queues,
    receive::Receive,
    redrives::Redrives,
    restore::Restore,
    serve::ServeArgs,
    settle::{Ack, Extend, Nack},
    tail::Tail,
    tokens::Tokens,
    topics::Topics,
    verify::Verify,
};
use crate::maintenance::MaintenanceError;

/// What is asked for. What asks no broker stands here, the others in [`Ask`].
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve until SIGTERM or ctrl-c; the same as without a command
    Serve(Box<ServeArgs>),
    #[command(flatten)]
    Ask(Ask),
    #[command(flatten)]
    Keep(Keep),
    /// Write a completion script for a shell to stdout
    Completions(Completions),
}

/// What is done with a data folder, whether a broker runs on it or not.
#[derive(Debug, Subcommand)]
pub(super) enum Keep {
    /// Copy a data folder as it is at one moment, while the broker runs
    Backup(Backup),
    /// Check a backup and put it into a data folder
    Restore(Restore),
    /// Check a data folder or a backup: every message's bytes, and that all adds up
    Verify(Verify),
}

impl Keep {
    /// Does it. Answers 0; 1 when it failed, or 2 where the folders are wrong for it, with why on stderr.
    pub(super) fn run(&self, data: Option<PathBuf>, json: bool) -> ExitCode {
        let is_named = data.is_some();
        let data = folder(data);
        let done = match self {
            Self::Backup(backup) => backup.run(&data, json),
            Self::Restore(restore) => restore.run(&data, json),
            Self::Verify(Verify {}) => Verify::run(&data, json),
        };
        done.unwrap_or_else(|error| {
            let code = failure::tell(&error);
            // Of a restore it is the backup in which there is no data, and that is always named.
            if !is_named && !matches!(self, Self::Restore(_)) && is_without_data(&error) {
                remark(
                    "  It reads a data folder, whether a broker runs on it or not: --data or DATA names it.",
                );
            }
            code
        })
    }
}

fn is_without_data(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(MaintenanceError::NoData(_)))
}

/// What a broker that runs is asked.
#[derive(Debug, Subcommand)]
pub(super) enum Ask {
    /// List, create, change, empty and delete queues
    #[command(visible_alias = "queue")]
    Queues(Queues),
    /// List, create, change and delete topics; subscribe queues to them; replay
    #[command(visible_alias = "topic")]
    Topics(Topics),
    /// Publish one message, or one a line, to a queue or topic
    Publish(Box<Publish>),
    /// Receive messages of a queue under a lease
    Receive(Receive),
    /// Settle deliveries as done
    Ack(Ack),
    /// End deliveries as failed, or hand them back
    Nack(Nack),
    /// Let leases run on
    Extend(Extend),
    /// Look at a queue's waiting messages, at one message's journey, or remove one
    #[command(visible_alias = "message")]
    Messages(Messages),
    /// Show what happens in the broker, live
    Tail(Tail),
    /// List, show, group, redrive and discard dead letters
    #[command(visible_aliases = ["dead-letter", "dlq"])]
    DeadLetters(DeadLetters),
    /// List, follow and stop paced redrives
    #[command(visible_alias = "redrive")]
    Redrives(Redrives),
    /// List what was done by hand, by whom and when
    Audit(Audit),
    /// Make, list and revoke access tokens
    #[command(visible_alias = "token")]
    Tokens(Tokens),
}

impl Ask {
    /// Asks the broker, and shows what it says.
    ///
    /// # Errors
    /// When it went wrong; what is to be said about it.
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self {
            Self::Queues(queues) => queues.run(client, out).await,
            Self::Topics(topics) => topics.run(client, out).await,
            Self::Publish(publish) => publish.run(client, out).await,
            Self::Receive(receive) => receive.run(client, out).await,
            Self::Ack(ack) => ack.run(client, out).await,
            Self::Nack(nack) => nack.run(client, out).await,
            Self::Extend(extend) => extend.run(client, out).await,
            Self::Messages(messages) => messages.run(client, out).await,
            Self::Tail(tail) => tail.run(client, out).await,
            Self::DeadLetters(dead_letters) => dead_letters.run(client, out).await,
            Self::Redrives(redrives) => redrives.run(client, out).await,
            Self::Audit(audit) => audit.run(client, out).await,
            Self::Tokens(tokens) => tokens.run(client, out).await,
        }
    }
}
