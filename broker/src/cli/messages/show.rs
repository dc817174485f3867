//! `broker messages show`.

use std::io;

use clap::Args;
use serde::Deserialize;

use crate::cli::{
    client::Client,
    output::{Output, remark},
    source::BySource,
    table::{Column, Table},
};

/// Show what happened to a message: where it went, each delivery and how it ended
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Its id
    id: String,
    #[command(flatten)]
    source: BySource,
}

#[derive(Deserialize)]
struct Journey {
    journey: Vec<Step>,
    complete: bool,
    #[serde(default)]
    others: u64,
}

#[derive(Deserialize)]
struct Step {
    at: String,
    what: String,
    queue: Option<String>,
    topic: Option<String>,
    consumer: Option<String>,
    reason: Option<String>,
}

impl Show {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = client.get(self.source.narrow(client.url(&["messages", &self.id]))).await?;
        out.answer(client, &body, show)
    }
}

fn show(out: &mut Output, journey: Journey) -> io::Result<()> {
    let Journey { journey, complete, others } = journey;
    let mut table = Table::new(&[
        Column::Name("AT"),
        Column::Name("WHAT"),
        Column::Text("WHERE"),
        Column::Text("CONSUMER"),
        Column::Text("REASON"),
    ])
    .whole();
    for Step { at, what, queue, topic, consumer, reason } in journey {
        let [place, consumer, reason] =
            [queue.or(topic), consumer, reason].map(|text| text.unwrap_or_else(|| "-".to_owned()));
        table.row([at, what, place, consumer, reason]);
    }
    out.table(table)?;
    if !complete {
        remark(
            "some of it is forgotten: the broker keeps journeys in memory, and on disk the failures alone",
        );
    }
    if others > 0 {
        remark(format_args!("other messages of this id: {others}; --source tells them apart"));
    }
    Ok(())
}
