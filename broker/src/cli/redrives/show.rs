//! `broker redrives show`.

use clap::Args;

use super::follow;
use crate::cli::{client::Client, failure::Failure, output::Output};

/// Show how far a paced redrive is
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Its number, as the redrive was answered
    task: String,
    /// Until it ends; ctrl-c ends the show, not the redrive
    #[arg(long)]
    follow: bool,
}

impl Show {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        if self.follow {
            let left = follow::until_it_ends(client, out, &self.task).await?;
            return Ok(Failure::of_undone(left.as_slice())?);
        }
        let body = client.get(client.url(&["redrives", &self.task])).await?;
        out.answer(client, &body, follow::show)
    }
}
