//! Where the broker is that a command asks, as whom, and how its answer is shown.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;

use super::{DEFAULT_DATA, client::Client, command::Ask, failure, output::Output};
use crate::auth::local;

/// Where the broker is when nobody says.
const DEFAULT_URL: &str = "http://127.0.0.1:7070";

/// What every command that asks a broker can be told.
#[derive(Args, Debug)]
#[command(next_help_heading = "For the commands that ask a broker")]
pub(super) struct AskArgs {
    /// Where the broker is [default: http://127.0.0.1:7070]
    #[arg(long, env = "BROKER_URL", value_name = "URL", global = true)]
    pub(super) url: Option<String>,
    /// The access token
    ///
    /// Without one, and where the broker wants one, that of the data folder's `local.json` is used: whoever
    /// can read the folder of a running broker may do everything.
    #[arg(long, env = "BROKER_TOKEN", value_name = "TOKEN", global = true, hide_env_values = true)]
    token: Option<String>,
    /// The certificates in PEM to trust when it is asked over HTTPS [default: those that the system trusts]
    #[arg(long, env = "BROKER_CA", value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
    /// Write the broker's JSON to stdout as it is and nothing else: one document, or of a stream one a line
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl AskArgs {
    /// Asks, shows the answer, and gives the exit code.
    pub(super) fn run(self, data: Option<&Path>, ask: Ask) -> ExitCode {
        failure::end(self.ask(data, ask))
    }

    fn ask(self, data: Option<&Path>, ask: Ask) -> anyhow::Result<()> {
        let data = data.filter(|path| !path.as_os_str().is_empty());
        let ca = self.ca.filter(|path| !path.as_os_str().is_empty());
        // A variable that is set to nothing, or out of a file with its line end, is meant well.
        let given =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut out = Output::new(self.json);
        let url = given(self.url);
        let ask = match (ask, &url, data) {
            (Ask::Tokens(tokens), None, Some(folder)) => match tokens.run_beside(folder, &mut out)? {
                None => return out.flush().map_err(io::Error::into),
                Some(of_running) => Ask::Tokens(of_running),
            },
            (ask, ..) => ask,
        };
        let url = url.map_or_else(|| data.map_or(Ok(DEFAULT_URL.to_owned()), local_url), Ok)?;
        let folder = data.unwrap_or(Path::new(DEFAULT_DATA));
        let client = Client::new(&url, ca.as_deref(), given(self.token).as_deref(), folder.to_owned())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("can't start")?;
        runtime.block_on(ask.run(&client, &mut out))?;
        out.flush().map_err(io::Error::into)
    }
}

/// Where the broker listens that runs on a folder.
fn local_url(folder: &Path) -> anyhow::Result<String> {
    let shown = folder.display();
    let access = local::read(folder).with_context(|| format!("can't read local.json in {shown}"))?;
    let access = access.with_context(|| format!("no broker runs on {shown}: start one, or give --url"))?;
    Ok(access.url)
}
