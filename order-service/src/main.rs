//! The order-service program.

use std::process::ExitCode;

use clap::Parser;
use order_service::Config;

fn main() -> ExitCode {
    let config = Config::parse();
    let (listen, log) = (config.listen, config.log.clone());
    serve::program::main("order-service", listen, &log, |listener, ready, shutdown| {
        order_service::run(listener, config, ready, shutdown)
    })
}
