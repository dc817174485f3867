//! The inventory service as a program: reads its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use inventory_service::config::Config;

fn main() -> ExitCode {
    let config = Config::parse();
    let (listen, log) = (config.listen, config.log.clone());
    serve::program::main("inventory-service", listen, &log, |listener, ready, shutdown| {
        inventory_service::run(listener, config, ready, shutdown)
    })
}
