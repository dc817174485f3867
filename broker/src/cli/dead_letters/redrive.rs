//! `broker dead-letters redrive`.

use std::io;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::selection::Selection;
use crate::cli::{
    client::Client,
    failure::Failure,
    human::{clean, things},
    output::Output,
    redrives::follow,
    source::BySource,
};

/// Deliver dead letters again: those of the ids, those that fit, or all; oldest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker dead-letters redrive jobs --dry-run
  broker dead-letters redrive jobs 01a20d71-d8a3-7031-8788-455592fcdbb8
  broker dead-letters redrive jobs --reason timeout --limit 10
  broker dead-letters redrive jobs --per-second 50 --follow
  broker dead-letters redrive jobs --to jobs.slow")]
pub(super) struct Redrive {
    /// Of which queue
    queue: String,
    #[command(flatten)]
    source: BySource,
    /// Show how far it is until it ends; ctrl-c ends the show, not the redrive
    #[arg(long, requires = "per_second")]
    follow: bool,
    #[command(flatten)]
    what: What,
}

/// What to redrive, as the contract has it.
#[derive(Args, Debug, Serialize)]
struct What {
    /// Only dead letters of these ids
    #[arg(value_name = "ID", conflicts_with_all = ["type", "reason", "since", "until"])]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ids: Vec<String>,
    /// How many at the most
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// Only say what would be redriven
    #[arg(long)]
    dry_run: bool,
    /// So many a second, as a task that goes on by itself and survives a restart
    #[arg(long, value_name = "N", conflicts_with = "dry_run")]
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<u64>,
    /// Into this queue instead of their own
    #[arg(long, value_name = "QUEUE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    selection: Selection,
}

/// What a redrive answers: at once, or the task that goes on.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Task {
        task: String,
        #[serde(default)]
        not_found: Vec<String>,
    },
    Done(Done),
}

#[derive(Deserialize)]
struct Done {
    redriven: u64,
    ids: Vec<String>,
    not_found: Vec<String>,
    #[serde(default)]
    already_there: Vec<String>,
    #[serde(default)]
    too_large: Vec<String>,
    stopped: Option<String>,
}

impl Redrive {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, source, follow, what } = self;
        let url = source.narrow(client.url(&["queues", &queue, "dead-letters", "redrive"]));
        let body = client.post(url, &what).await?;
        if let (Answer::Task { task, not_found }, true) = (client.read(&body)?, follow) {
            let left = follow::until_it_ends(client, out, &task).await?;
            let undone: Vec<String> = left.into_iter().chain(missing(&not_found)).collect();
            return Ok(Failure::of_undone(&undone)?);
        }
        let dry_run = what.dry_run;
        out.answer(client, &body, |out, answer| match answer {
            Answer::Task { task, .. } => out.line(format_args!(
                "redrive {task} started: `broker redrives show {task} --follow` shows how far it is"
            )),
            Answer::Done(done) => show(out, &done, dry_run),
        })?;
        out.flush()?;
        let undone = match client.read(&body)? {
            Answer::Task { not_found, .. } => missing(&not_found).into_iter().collect(),
            Answer::Done(done) => done.undone(dry_run),
        };
        Ok(Failure::of_undone(&undone)?)
    }
}

fn show(out: &mut Output, done: &Done, dry_run: bool) -> io::Result<()> {
    for id in &done.ids {
        out.line(clean(id))?;
    }
    let did = if dry_run { "would be redriven" } else { "redriven" };
    out.line(format_args!("{} {did}", things(done.redriven, "dead letter")))
}

impl Done {
    /// All that kept some from being redriven.
    fn undone(&self, dry_run: bool) -> Vec<String> {
        let stopped = if dry_run { "would stop" } else { "stopped" };
        let why = self.stopped.iter().map(|why| format!("it {stopped} before the end: {}", clean(why)));
        let stay = [(&self.already_there, "holds them already"), (&self.too_large, "can never hold them")];
        let stay = stay.into_iter().filter(|(ids, _)| !ids.is_empty());
        let stay =
            stay.map(|(ids, why)| format!("these stay, as that queue {why}: {}", clean(&ids.join(", "))));
        why.chain(stay).chain(missing(&self.not_found)).collect()
    }
}

/// The ids that no dead letter has, if any.
fn missing(not_found: &[String]) -> Option<String> {
    let missing = not_found.join(" or the id ");
    (!not_found.is_empty()).then(|| format!("no dead letter has the id {}", clean(&missing)))
}
