//! The analytics service as a program: reads its settings and runs.

use std::process::ExitCode;

use analytics_service::config::Config;
use clap::Parser;

fn main() -> ExitCode {
    let config = Config::parse();
    let (listen, log) = (config.listen, config.log.clone());
    serve::program::main("analytics-service", listen, &log, |listener, ready, shutdown| {
        analytics_service::run(listener, config, ready, shutdown)
    })
}
