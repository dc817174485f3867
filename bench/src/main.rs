//! Measures the broker: starts a real one in this process, on a real folder and a loopback port, and
//! prints what it does in one run. What is done stands in [`scenes`].

mod client;
mod events;
mod figures;
mod scenes;
mod server;

use std::{io::Write as _, path::PathBuf};

use clap::Parser;

use crate::{scenes::Workload, server::Server};

/// Messages per second through the broker: published one by one and in batches, received and acked, and
/// end to end; every answer synced.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench", version)]
struct Arguments {
    /// How many messages each scene moves
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// How many connections publish, or receive, at a time
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections: u64,
    /// How many messages a batch or a receive has
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    batch: u64,
    /// How many bytes the data of a message has
    #[arg(long, default_value_t = 1024, value_name = "BYTES")]
    size: usize,
    /// Where the broker's folder is made, so that another disk can be measured; removed afterwards
    #[arg(long, value_name = "FOLDER")]
    on: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(arguments))
}

async fn measure(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { messages, connections, batch, size, on } = arguments;
    let folder = match &on {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let server = Server::start(folder.path()).await?;
    let workload = Workload { address: server.address, messages, connections, batch, size };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{messages} messages of {size} bytes a scene, {connections} connections, batches of {batch}, every answer synced"
    )?;
    writeln!(out, "{}", figures::HEAD)?;
    let mut show = |figures: figures::Figures| writeln!(out, "{figures}");
    show(scenes::publish(workload, "publish one by one", 1).await?)?;
    show(scenes::drain(workload, "receive and ack in batches").await?)?;
    show(scenes::publish(workload, "publish in batches", batch).await?)?;
    show(scenes::drain(workload, "receive and ack in batches").await?)?;
    show(scenes::end_to_end(workload, "end to end, one by one", 1).await?)?;
    show(scenes::end_to_end(workload, "end to end, in batches", batch).await?)?;
    writeln!(out, "disk after all was acked: {:.1} MB", server::bytes_in(folder.path())? as f64 / 1e6)?;
    server.stop().await
}
