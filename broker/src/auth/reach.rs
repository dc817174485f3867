//! Who may reach a broker: without tokens this machine alone, unless the operator says otherwise.

use std::net::SocketAddr;

use anyhow::bail;

use super::tokens::Tokens;

/// Whom a broker serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine alone.
    #[default]
    ThisMachine,
    /// Others too, by their tokens.
    Others,
    /// Everybody who can reach it, as it was told to.
    Anybody,
}

/// Checks at the start whom the broker would serve, and lets its tokens know.
///
/// # Errors
/// When it would serve others without tokens; it says what to do.
pub(crate) fn check(listening: SocketAddr, tokens: &Tokens, allow_anonymous: bool) -> anyhow::Result<()> {
    let is_loopback = listening.ip().to_canonical().is_loopback();
    let reach = match (is_loopback, allow_anonymous) {
        (_, true) => Reach::Anybody,
        (true, false) => Reach::ThisMachine,
        (false, false) => Reach::Others,
    };
    if reach == Reach::Others && tokens.is_empty() {
        bail!(
            "{listening} can be reached by others, and without tokens the broker serves only loopback \
             addresses, such as 127.0.0.1:7070. Make a token first: `broker tokens create admin --allow \
             admin:* --data FOLDER`; or give --allow-anonymous to let everybody who can reach it do everything"
        );
    }
    if reach == Reach::Anybody && !is_loopback && tokens.is_empty() {
        tracing::warn!(%listening, "without tokens, everybody who can reach this address may do everything");
    }
    tokens.set_reach(reach);
    Ok(())
}

#[cfg(test)]
mod tests {
    use broker_core::identity::Name;

    use super::*;
    use crate::{auth::grant::Grant, store::folder::DataFolder};

    const LOOPBACK: [&str; 3] = ["127.0.0.1:7070", "[::1]:7070", "127.8.9.1:7070"];
    const REACHABLE: [&str; 3] = ["0.0.0.0:7070", "[::]:7070", "192.168.1.2:7070"];

    fn checked(address: &str, tokens: &Tokens, allow_anonymous: bool) -> anyhow::Result<()> {
        check(address.parse().unwrap(), tokens, allow_anonymous)
    }

    #[test]
    fn an_address_that_others_can_reach_needs_a_token_or_to_be_allowed() {
        let path = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(path.path()).unwrap();
        let tokens = Tokens::open(&folder).unwrap();
        for address in REACHABLE {
            let said = checked(address, &tokens, false).unwrap_err().to_string();
            assert!(
                said.contains("broker tokens create admin") && said.contains("--allow-anonymous"),
                "{said}"
            );
            checked(address, &tokens, true).unwrap();
        }
        for address in LOOPBACK {
            checked(address, &tokens, false).unwrap();
        }
        let (admin, allow) = (Name::parse("admin").unwrap(), Grant::parse("admin").unwrap());
        tokens.create(admin.clone(), vec![allow]).unwrap();
        for address in REACHABLE.iter().chain(&LOOPBACK) {
            checked(address, &tokens, false).unwrap();
        }
    }

    #[test]
    fn the_last_token_stays_where_others_are_served_by_it() {
        for (address, allow_anonymous, stays) in
            [(REACHABLE[0], false, true), (REACHABLE[0], true, false), (LOOPBACK[0], false, false)]
        {
            let path = tempfile::tempdir().unwrap();
            let folder = DataFolder::open(path.path()).unwrap();
            let tokens = Tokens::open(&folder).unwrap();
            let (admin, allow) = (Name::parse("admin").unwrap(), Grant::parse("admin").unwrap());
            tokens.create(admin.clone(), vec![allow]).unwrap();
            checked(address, &tokens, allow_anonymous).unwrap();
            assert_eq!(tokens.revoke(&admin).is_err(), stays, "{address}");
        }
    }
}
