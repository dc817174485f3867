//! Following a paced redrive to its end, with a bar for whoever watches.

use std::{io, time::Duration};

use super::Redrive;
use crate::cli::{
    client::Client,
    failure::Failure,
    human::{clean, things},
    output::Output,
    progress,
};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);

/// Waits until it ends, then shows it; fails where it ended before all had their turn.
pub(in crate::cli) async fn until_it_ends(
    client: &Client,
    out: &mut Output,
    task: &str,
) -> anyhow::Result<()> {
    let bar = progress::messages(0);
    let (body, redrive) = loop {
        let body = client.get(client.url(&["redrives", task])).await?;
        let redrive: Redrive = client.read(&body)?;
        bar.set_length(redrive.redriven + redrive.remaining);
        bar.set_position(redrive.redriven);
        bar.set_message(clean(&redrive.standing()).into_owned());
        if redrive.state != "running" {
            break (body, redrive);
        }
        tokio::time::sleep(INTERVAL).await;
    };
    bar.finish_and_clear();
    out.answer(client, &body, show)?;
    match redrive.remaining {
        0 => Ok(()),
        left => {
            Err(Failure::Undone(format!("it was stopped; {} still dead", things(left, "dead letter"))).into())
        }
    }
}

/// Shows how far it is.
pub(super) fn show(out: &mut Output, redrive: Redrive) -> io::Result<()> {
    let standing = redrive.standing();
    let Redrive { task, queue, to, redriven, remaining, .. } = redrive;
    let (redriven, left) = (things(redriven, "dead letter"), things(remaining, "dead letter"));
    out.line(clean(&format!(
        "redrive {task} from {queue} to {to}: {redriven} redriven, {left} to go, {standing}"
    )))
}
