//! `pipeline check`: the checker as a command.

use std::{io::Write, process::ExitCode, time::Duration};

use clap::Args;
use messaging::transport::Token;
use units::parse_duration;

use super::{Answered, CheckError, check, report::Strictness};
use crate::{
    client::Client,
    paint::bad,
    places::{Part, Places},
};

/// Hold a pipeline that is up to its invariants: a line each, exit 1 if one fails
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// The port of its broker; the services listen on the ports after it
    #[arg(long, env = "PORT", default_value_t = 7070, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65_530))]
    pub port: u16,
    /// A token of its broker, where that wants one; it takes admin:*
    #[arg(long, env = "BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub broker_token: Option<Token>,
    /// How long to wait until all work is done, such as 60s; then it fails as not drained
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = parse_duration)]
    pub wait: Duration,
    /// Count what needs a person (dead letters, outbox rows set aside) as failures
    #[arg(long)]
    pub strict: bool,
}

impl CheckArgs {
    const fn strictness(&self) -> Strictness {
        if self.strict { Strictness::FailOnApart } else { Strictness::ListApart }
    }

    /// Checks and tells. Exit code 1 when an invariant fails or work is still going on.
    ///
    /// # Errors
    /// When the pipeline does not answer, or stdout is closed.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let places = Places::from_port(self.port);
        let mut out = anstream::stdout().lock();
        let client = Client::new()?.with_token(places.of(Part::Broker), self.broker_token.clone());
        match check(&client, &places, &Answered::default(), self.wait).await {
            Ok(report) => {
                report.tell(&mut out, self.strictness())?;
                Ok(if report.passes(self.strictness()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Err(CheckError::NotDrained(moving)) => {
                writeln!(out, "{} not drained: {moving}", bad("✗"))?;
                Ok(ExitCode::FAILURE)
            }
            Err(error) => Err(error.into()),
        }
    }
}
