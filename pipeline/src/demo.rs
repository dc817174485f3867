//! `pipeline demo`: a shop's day in one go, on free ports and in a temporary folder. The scenes stand
//! in `scenes`, how an order is watched in `watch`; here is the day's frame.

mod dead_letter;
mod scenes;
mod watch;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use serve::program::stop_on_signal;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    check::{Answered, Strictness, check},
    client::Client,
    paint::{bad, dim, good, name, strong},
    places::{Part, Places},
    shop::Shop,
    up::Pipeline,
};

/// How long anything may take that is waited for; far longer than it should.
const PATIENCE: Duration = Duration::from_secs(45);

/// What `demo` can be told.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// The level of the logs on stderr, such as info; off leaves the stage to the story
    #[arg(long, env = "LOG", default_value = "off", value_name = "LEVEL")]
    pub log: String,
}

/// The day's stage: a pipeline that is up, and where the story is told.
struct Stage {
    client: Client,
    places: Places,
    shop: Shop,
    out: anstream::AutoStream<io::Stdout>,
    answered: Answered,
}

impl DemoArgs {
    /// Plays the day, unless it is interrupted: by ctrl-c, SIGTERM or a terminal that is closed. Exit code 1 when an
    /// invariant does not hold at its end.
    ///
    /// # Errors
    /// When the pipeline does not start, or a scene does not go as it should.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let interrupted = CancellationToken::new();
        stop_on_signal(interrupted.clone())?;
        let folder = tempfile::tempdir().context("a temporary folder for the demo")?;
        let started = Instant::now();
        let pipeline = Pipeline::start(folder.path(), 0).await?;
        let mut stage = Stage::new(&pipeline)?;
        let played = tokio::select! {
            () = interrupted.cancelled() => Err(anyhow::anyhow!("interrupted")),
            played = stage.play(started) => played,
        };
        let stopped = pipeline.stop().await;
        let code = played?;
        stopped.map(|()| code)
    }
}

impl Stage {
    fn new(pipeline: &Pipeline) -> anyhow::Result<Self> {
        let (client, places) = (Client::new()?, pipeline.places());
        let shop = Shop::new(client.clone(), &places);
        Ok(Self { shop, client, places, out: anstream::stdout(), answered: Answered::default() })
    }

    async fn play(&mut self, started: Instant) -> anyhow::Result<ExitCode> {
        self.open(started)?;
        scenes::play_all(self).await?;
        self.counts().await?;
        let code = self.verdict().await?;
        let took = started.elapsed().as_secs_f64();
        self.say(&format!(
            "\n{}",
            dim(&format!("The day took {took:.1} s. Start your own with: cargo run --release"))
        ))?;
        Ok(code)
    }

    fn open(&mut self, started: Instant) -> io::Result<()> {
        self.say(&strong("A shop's day: one broker, five services, real files, real HTTP"))?;
        for part in Part::ALL {
            let line = format!("  {:<18} {}", part.name(), dim(self.places.of(part)));
            self.say(&line)?;
        }
        let line = format!("  ready in {} ms", started.elapsed().as_millis());
        self.say(&dim(&line))
    }

    /// Begins a scene.
    fn scene(&mut self, number: usize, title: &str, explained: &str) -> io::Result<()> {
        self.say(&format!("\n{} {}", name(&format!("{number}.")), strong(title)))?;
        self.say(&format!("   {}", dim(explained)))
    }

    /// Says a line at once.
    fn say(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// What analytics made of it.
    async fn counts(&mut self) -> anyhow::Result<()> {
        let url = format!("{}/summary", self.places.of(Part::Analytics));
        let summary: serde_json::Value = self.client.get(&url).await?;
        self.say(&format!("\n{}", strong("The day in numbers, counted at most once")))?;
        let line = format!(
            "   placed {}, confirmed {}, cancelled {}, revenue {}, may be off by {}",
            summary["placed"],
            summary["confirmed"],
            list(&summary["cancelled"]),
            revenue(&summary["revenue"]),
            summary["may_be_off_by"],
        );
        Ok(self.say(&line)?)
    }

    /// The invariants, and the last word.
    async fn verdict(&mut self) -> anyhow::Result<ExitCode> {
        self.say(&format!("\n{}", strong("Is anything lost, doubled or wrong?")))?;
        let report = check(&self.client, &self.places, &self.answered, PATIENCE).await?;
        report.tell(&mut self.out, Strictness::FailOnApart)?;
        if report.passes(Strictness::FailOnApart) {
            self.say(&good("Every invariant holds."))?;
            Ok(ExitCode::SUCCESS)
        } else {
            self.say(&bad("An invariant does not hold."))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// `a 1, b 2` of a JSON object of counts.
fn list(counts: &serde_json::Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let named: Vec<_> = counts.map(|(what, n)| format!("{n} {what}")).collect();
    if named.is_empty() { "none".to_owned() } else { named.join(" + ") }
}

fn revenue(amounts: &serde_json::Value) -> String {
    let amounts: Vec<crate::check::Money> = serde_json::from_value(amounts.clone()).unwrap_or_default();
    let amounts: Vec<_> = amounts.iter().map(ToString::to_string).collect();
    if amounts.is_empty() { "none".to_owned() } else { amounts.join(" + ") }
}
