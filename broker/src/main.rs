//! The broker as a program: reads its arguments and runs the library.

use std::process::ExitCode;

use broker::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::read();
    if let Some(command) = &cli.command {
        return command.run();
    }
    let config = cli.config();
    serve::program::main("broker", cli.listen(), &cli.log, |listener, ready, shutdown| {
        broker::run(listener, config, ready, shutdown)
    })
}
