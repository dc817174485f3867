//! `broker queues delete`.

use clap::Args;

use crate::{
    api::problem::QUEUE_NOT_EMPTY,
    cli::{client::Client, confirm::Confirmation, failure::Failure, output::Output},
};

/// Delete a queue with its subscriptions, and with --force its messages
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// Which queue
    #[arg(value_name = "QUEUE")]
    name: String,
    /// With all messages in it, dead letters too, and without asking
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { name, force, confirmation } = self;
        if !force {
            confirmation.ask(&format!("Delete the queue {name}?"))?;
        }
        let mut url = client.url(&["queues", &name]);
        if force {
            url.query_pairs_mut().append_pair("force", "true");
        }
        client.delete(url).await.map_err(with_way_on)?;
        out.done(format_args!("queue {name} deleted"))
    }
}

/// Names the flag that deletes a queue though it is not empty, where that is what is wrong.
fn with_way_on(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(problem) if problem.slug() == QUEUE_NOT_EMPTY.name => {
            let hint = "--force deletes it with all messages in it, dead letters too.".to_owned();
            Failure::Hinted { problem, hint }
        }
        other => other,
    }
}
