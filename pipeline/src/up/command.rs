//! `pipeline up` as a command.

use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use serve::program::{announce, stop_on_signal};
use tokio_util::sync::CancellationToken;

use super::Pipeline;
use crate::places::Part;

/// What `up` can be told.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// The data folder; each part has a folder of its own in it
    #[arg(long, env = "DATA", default_value = "./data", value_name = "FOLDER")]
    pub data: PathBuf,
    /// The broker's port; the services listen on the ports after it. 0 takes free ones
    #[arg(long, env = "PORT", default_value_t = 7070, value_name = "PORT", value_parser = clap::value_parser!(u16).range(0..=65_530))]
    pub port: u16,
}

impl UpArgs {
    /// Runs until ctrl-c, SIGTERM or, unless it is to outlive it, its terminal is closed.
    ///
    /// # Errors
    /// When a part does not start, ends by itself, or fails as it stops.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let shutdown = CancellationToken::new();
        stop_on_signal(shutdown.clone())?;
        let pipeline = tokio::select! {
            started = Pipeline::start(&self.data, self.port) => started?,
            () = shutdown.cancelled() => return Ok(ExitCode::SUCCESS),
        };
        let servers: Vec<_> =
            pipeline.addresses().iter().map(|(part, address)| (part.name(), *address)).collect();
        announce(&servers)?;
        suggest(pipeline.places().of(Part::Order))?;
        pipeline.run_until(shutdown).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A line to try.
fn suggest(order_service: &str) -> std::io::Result<()> {
    let order = r#"{"customer":{"name":"Ada","email":"ada@example.com"},"lines":[{"sku":"mug","quantity":2}],"payment_method":"pm_card_visa"}"#;
    let mut out = stdout().lock();
    writeln!(out, "curl -i {order_service}/orders -H 'Idempotency-Key: a-first-try' -d '{order}'")?;
    out.flush()
}
