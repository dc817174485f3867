//! `broker dead-letters groups`.

use clap::Args;
use serde::Deserialize;
use units::Timestamp;

use crate::cli::{
    client::Client,
    human::{age, count},
    output::Output,
    pages::{self, Paging},
    table::{Column, Table},
};

/// Group the dead letters of a queue by type and reason, the largest group first
///
/// In reasons, `#` stands for numbers, `<id>` for ids and `<address>` for addresses.
#[derive(Args, Debug)]
pub(super) struct Groups {
    /// Of which queue
    queue: String,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
struct Group {
    r#type: String,
    reason: Option<String>,
    count: u64,
    last_seen: Timestamp,
    sample_id: String,
}

impl Groups {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, paging } = self;
        let url = client.url(&["queues", &queue, "dead-letters", "groups"]);
        let body = pages::some(client, url, &paging).await?;
        out.list(client, &body, format_args!("there are no dead letters of {queue}"), table)
    }
}

fn table(groups: &[Group]) -> Table {
    let mut table = Table::new(&[
        Column::Figure("COUNT"),
        Column::Name("TYPE"),
        Column::Figure("LAST"),
        Column::Name("SAMPLE"),
        Column::Text("REASON"),
    ]);
    for Group { r#type, reason, count: number, last_seen, sample_id } in groups {
        let reason = reason.clone().unwrap_or_else(|| "-".to_owned());
        table.row([count(*number), r#type.clone(), age(*last_seen), sample_id.clone(), reason]);
    }
    table
}
