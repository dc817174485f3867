//! `broker topics unsubscribe`.

use clap::Args;

use crate::cli::{client::Client, output::Output};

/// Unsubscribe a queue; messages already in it stay
#[derive(Args, Debug)]
pub(super) struct Unsubscribe {
    /// From which topic
    topic: String,
    /// Which queue
    queue: String,
}

impl Unsubscribe {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { topic, queue } = self;
        client.delete(client.url(&["topics", &topic, "subscriptions", &queue])).await?;
        out.done(format_args!("queue {queue} unsubscribed from {topic}"))
    }
}
