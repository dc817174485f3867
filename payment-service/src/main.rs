//! The payment service as a program: reads its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use payment_service::config::Config;

fn main() -> ExitCode {
    let config = Config::parse();
    let (listen, log) = (config.listen, config.log.clone());
    serve::program::main("payment-service", listen, &log, |listener, ready, shutdown| {
        payment_service::run(listener, config, ready, shutdown)
    })
}
