//! `broker ack`, `broker nack`, `broker extend`: settling deliveries by their receipts.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use units::Timestamp;

use super::{
    client::Client,
    failure::Failure,
    human::things,
    output::Output,
    table::{Column, Table},
};

mod ack;
mod extend;
mod nack;

pub(super) use ack::{Ack, ack_quietly};
pub(super) use extend::Extend;
pub(super) use nack::Nack;

/// Which deliveries.
#[derive(Args, Debug)]
struct Which {
    /// Of which queue
    queue: String,
    /// Their receipts: 1 to 1000
    #[arg(value_name = "RECEIPT", required = true)]
    receipts: Vec<String>,
}

/// How it went.
#[derive(Deserialize)]
struct Results {
    results: Vec<Settled>,
}

#[derive(Deserialize)]
struct Settled {
    receipt: String,
    status: String,
    lease_expires_at: Option<Timestamp>,
}

impl Which {
    /// Settles them, shows each result, and fails where a lease was lost.
    async fn settle(
        self,
        how: &str,
        body: impl Serialize,
        client: &Client,
        out: &mut Output,
    ) -> anyhow::Result<()> {
        let mut request = json!(body);
        request["receipts"] = json!(self.receipts);
        let body = client.post(client.url(&["queues", &self.queue, how]), &request).await?;
        out.answer(client, &body, |out, results: Results| out.table(table(results)))?;
        out.flush()?;
        Ok(client.read::<Results>(&body)?.none_lost()?)
    }
}

impl Results {
    /// That no lease was lost.
    fn none_lost(&self) -> Result<(), Failure> {
        match self.results.iter().filter(|settled| settled.status == "lease-lost").count() {
            0 => Ok(()),
            lost => Err(Failure::Undone(format!(
                "{} had lost the lease: the message is still there, and nothing was changed",
                things(lost as u64, "receipt")
            ))),
        }
    }
}

fn table(results: Results) -> Table {
    let extended = results.results.iter().any(|settled| settled.lease_expires_at.is_some());
    let columns = [Column::Name("RECEIPT"), Column::Name("STATUS"), Column::Text("LEASE UNTIL")];
    if !extended {
        let mut table = Table::new(&columns[..2]);
        results.results.into_iter().for_each(|settled| table.row([settled.receipt, settled.status]));
        return table;
    }
    let mut table = Table::new(&columns);
    for Settled { receipt, status, lease_expires_at } in results.results {
        table.row([receipt, status, lease_expires_at.map_or_else(|| "-".to_owned(), |at| at.to_string())]);
    }
    table
}
