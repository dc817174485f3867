//! `simulation`: plays seeds, and prints the rate or the short script that fails.

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::{
    num::NonZero,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand, ValueEnum};
use simulation::{
    campaign::{Extent, Failure, Outcome, run},
    layer::LayerKind,
    plants::Bug,
};

/// The broker simulated: random clients, faults and crashes, against a simple model.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<What>,
    /// The first seed; others follow.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// How many steps of the core layer; of the store layer a tenth.
    #[arg(long, default_value_t = 10_000_000)]
    steps: u64,
    /// Which layer.
    #[arg(long, value_enum, default_value_t = Layers::Both)]
    layer: Layers,
    /// Goes on for so many minutes instead, half for each layer.
    #[arg(long)]
    minutes: Option<u64>,
    /// Plants a bug; `plants` lists them.
    #[arg(long, value_parser = bug)]
    plant: Option<Bug>,
}

#[derive(Subcommand)]
enum What {
    /// Plants every bug, one at a time, and tells how many steps it took to find it.
    Plants,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layers {
    /// The core over committed state in maps.
    Core,
    /// The engine and the real store code over a simulated disk.
    Store,
    /// One after the other.
    Both,
}

fn bug(name: &str) -> Result<Bug, String> {
    Bug::named(name).ok_or_else(|| format!("no bug is called {name}"))
}

fn main() -> ExitCode {
    // What panics is told with its script.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = Arguments::parse();
    let good = match arguments.command {
        Some(What::Plants) => plants(arguments.seed),
        None => simulate(&arguments),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn simulate(arguments: &Arguments) -> bool {
    let layers = match arguments.layer {
        Layers::Core => vec![(LayerKind::Core, arguments.steps)],
        Layers::Store => vec![(LayerKind::Store, arguments.steps)],
        Layers::Both => vec![(LayerKind::Core, arguments.steps), (LayerKind::Store, arguments.steps / 10)],
    };
    let share = arguments.minutes.map(|minutes| Duration::from_secs(minutes * 60) / layers.len() as u32);
    layers.into_iter().all(|(layer, steps)| {
        let until = share.map(|share| Instant::now() + share);
        let steps = if until.is_some() { u64::MAX } else { steps };
        let extent = Extent { seed: arguments.seed, steps, until, threads: threads() };
        tell(layer, &run(layer, arguments.plant, extent))
    })
}

fn tell(layer: LayerKind, outcome: &Outcome) -> bool {
    let Outcome { steps, tally, took, failure } = outcome;
    let seconds = took.as_secs_f64();
    let rate = *steps as f64 / seconds;
    println!("{layer}: {steps} steps in {seconds:.1} s, {rate:.0} a second");
    println!("  {tally}");
    failure.as_ref().is_none_or(|failure| {
        tell_failure(failure);
        false
    })
}

fn tell_failure(failure: &Failure) {
    let Failure { seed, layer, steps, violation, script } = failure;
    println!("\nseed {seed} of the {layer} layer fails after {steps} steps:\n  {violation}\n");
    println!("the short script:");
    for (number, turn) in script.iter().enumerate() {
        print!("{}.\n{turn}", number + 1);
    }
    println!("\nto see it again: simulation --layer {layer} --seed {seed} --steps {steps}");
}

fn plants(seed: u64) -> bool {
    let mut all_found = true;
    for (bug, layer, what) in Bug::ALL {
        let until = Some(Instant::now() + Duration::from_secs(30));
        let extent = Extent { seed, steps: 2_000_000, until, threads: 1 };
        let outcome = run(layer, Some(bug), extent);
        match outcome.failure {
            Some(failure) => println!(
                "{bug:24} found after {:6} steps of the {layer} layer, shrunk to {} turns: {what}",
                outcome.steps,
                failure.script.len()
            ),
            None => {
                println!("{bug:24} NOT FOUND in {} steps of the {layer} layer: {what}", outcome.steps);
                all_found = false;
            }
        }
    }
    all_found
}
