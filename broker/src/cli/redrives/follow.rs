//! Following a paced redrive to its end, with a bar for whoever watches.

use std::{io, time::Duration};

use super::Redrive;
use crate::cli::{
    client::Client,
    human::{clean, things},
    output::Output,
    progress,
};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);

/// Waits until it ends, then shows it; says what is left where it ended before all had their turn.
pub(in crate::cli) async fn until_it_ends(
    client: &Client,
    out: &mut Output,
    task: &str,
) -> anyhow::Result<Option<String>> {
    let bar = progress::messages(0);
    let (body, redrive) = loop {
        let body = client.get(client.url(&["redrives", task])).await?;
        let redrive: Redrive = client.read(&body)?;
        let had_their_turn = redrive.redriven + redrive.skipped;
        bar.set_length(had_their_turn + redrive.remaining);
        bar.set_position(had_their_turn);
        bar.set_message(clean(&redrive.standing()).into_owned());
        if redrive.state != "running" {
            break (body, redrive);
        }
        tokio::time::sleep(INTERVAL).await;
    };
    bar.finish_and_clear();
    out.answer(client, &body, show)?;
    let left = redrive.remaining;
    Ok((left > 0).then(|| format!("it was stopped; {} still dead", things(left, "dead letter"))))
}

/// Shows how far it is.
pub(super) fn show(out: &mut Output, redrive: Redrive) -> io::Result<()> {
    let standing = redrive.standing();
    let Redrive { task, queue, to, redriven, skipped, remaining, .. } = redrive;
    let [redriven, passed, left] = [redriven, skipped, remaining].map(|number| things(number, "dead letter"));
    let passed = if skipped > 0 { format!(" {passed} skipped,") } else { String::new() };
    out.line(clean(&format!(
        "redrive {task} from {queue} to {to}: {redriven} redriven,{passed} {left} to go, {standing}"
    )))
}
