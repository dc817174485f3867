//! The email service as a program: reads its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use email_service::config::Config;

fn main() -> ExitCode {
    let config = Config::parse();
    let (listen, log) = (config.listen, config.log.clone());
    serve::program::main("email-service", listen, &log, |listener, ready, shutdown| {
        email_service::run(listener, config, ready, shutdown)
    })
}
