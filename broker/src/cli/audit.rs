//! `broker audit`: what was done by hand, by whom and when.

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::{
    client::Client,
    human::count,
    output::Output,
    pages::{self, Paging},
    table::{Column, Table},
};

/// List what was done by hand, by whom and when, newest first
#[derive(Args, Debug)]
pub(super) struct Audit {
    #[command(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
struct Entry {
    at: String,
    who: String,
    action: String,
    queue: Option<String>,
    topic: Option<String>,
    to: Option<String>,
    count: u64,
    request: Option<Value>,
}

impl Audit {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::some(client, client.url(&["audit"]), &self.paging).await?;
        out.list(client, &body, "nothing was done by hand so far", table)
    }
}

fn table(entries: &[Entry]) -> Table {
    let mut table = Table::new(&[
        Column::Name("AT"),
        Column::Text("WHO"),
        Column::Name("ACTION"),
        Column::Figure("COUNT"),
        Column::Text("WHERE"),
        Column::Text("WHICH"),
    ]);
    for entry in entries {
        let which = entry.request.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let (at, who, action) = (entry.at.clone(), entry.who.clone(), entry.action.clone());
        table.row([at, who, action, count(entry.count), entry.place(), which]);
    }
    table
}

impl Entry {
    /// The queue or topic, and where messages went; of a token neither.
    fn place(&self) -> String {
        let topic = self.topic.as_ref().map(|topic| format!("topic {topic}"));
        let to = self.to.as_ref().map(|to| format!("to {to}"));
        let parts: Vec<String> = [topic, self.queue.clone(), to].into_iter().flatten().collect();
        if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }
    }
}
