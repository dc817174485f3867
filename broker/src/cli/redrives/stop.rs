//! `broker redrives stop`.

use clap::Args;

use crate::cli::{client::Client, output::Output};

/// Stop a paced redrive and forget it; what was redriven stays so
#[derive(Args, Debug)]
pub(super) struct Stop {
    /// Its number, as the redrive was answered
    task: String,
}

impl Stop {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        client.delete(client.url(&["redrives", &self.task])).await?;
        out.done(format_args!("redrive {} stopped", self.task))
    }
}
