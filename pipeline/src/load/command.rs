//! `pipeline load` as a command.

use std::{io::Write, process::ExitCode, time::Duration};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use messaging::transport::Token;
use units::parse_duration;

use super::{Plan, place_all};
use crate::{
    check::{CheckError, Strictness, check},
    client::Client,
    paint::bad,
    places::{InvalidPlace, Part, Places},
    shop::Shop,
};

/// What `load` can be told.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// How many orders to place
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub orders: u32,
    /// How many are placed and not decided yet, at the most
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub in_flight: u32,
    /// Where order-service listens; the broker is at the port before it, the others at those after it
    #[arg(long, default_value = "http://127.0.0.1:7071", value_name = "URL", value_parser = around)]
    pub to: Places,
    /// A token of its broker, where that wants one, for the check at the end; it takes admin:*
    #[arg(long, env = "BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub broker_token: Option<Token>,
    /// How long one order may take, outages and restarts of the pipeline included
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = parse_duration)]
    pub patience: Duration,
    /// How long to wait afterwards until all work is done, before the invariants are checked
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = parse_duration)]
    pub wait: Duration,
}

fn around(url: &str) -> Result<Places, InvalidPlace> {
    Places::around_order_service(url)
}

impl LoadArgs {
    /// Places the orders, tells what was measured, and checks. Exit code 1 when an order was not
    /// decided or an invariant fails.
    ///
    /// # Errors
    /// When the pipeline does not answer, or stdout is closed.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let client = Client::new()?.with_token(self.to.of(Part::Broker), self.broker_token.clone());
        let plan = Plan { orders: self.orders, in_flight: self.in_flight, patience: self.patience };
        let bar = progress(self.orders);
        let shop = Shop::new(client.clone(), &self.to);
        let (measured, answered) = place_all(&shop, plan, |_| bar.inc(1)).await;
        bar.finish_and_clear();
        let mut out = anstream::stdout();
        measured.tell(&mut out)?;
        let report = match check(&client, &self.to, &answered, self.wait).await {
            Err(CheckError::NotDrained(moving)) => {
                writeln!(out, "{} not drained: {moving}", bad("✗"))?;
                return Ok(ExitCode::FAILURE);
            }
            report => report?,
        };
        report.tell(&mut out, Strictness::ListApart)?;
        let well = measured.all_decided() && report.passes(Strictness::ListApart);
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A bar on stderr; nothing where that is no terminal.
fn progress(orders: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40.cyan/dim} {pos}/{len} orders  {per_sec}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(orders.into()).with_style(style)
}
