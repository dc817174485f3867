//! `local.json`: by it whoever can read a running broker's data folder gets in when all other tokens are
//! lost. It gives nothing away: who can read the folder can read and change all that is in it anyway.
//!
//! ```text
//! {"url":"http://127.0.0.1:7070","token":"bkr_…"}
//! ```
//!
//! Made new at each start, with mode 0600, and removed at a stop in good order. Its token holds `admin:*`
//! under the name `local`; it is never listed and never kept.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use broker_core::identity::Name;
use serde::{Deserialize, Serialize};
use units::Timestamp;

use super::{
    file,
    grant::Grant,
    secret::Secret,
    tokens::{Token, Tokens},
};

/// The name of the token in it.
pub const LOCAL: &str = "local";
const FILE: &str = "local.json";

/// How to reach the broker that holds a data folder.
#[derive(Clone, Serialize, Deserialize)]
pub struct Access {
    /// Where it listens; of all addresses, the loopback one.
    pub url: String,
    /// A token that may do everything.
    pub token: String,
}

/// Reads how to reach the broker that runs on a data folder; `None` where none does. After a crash it may
/// be there although nobody listens any more.
///
/// # Errors
/// When the file is there and can't be read: most often it is another user's.
pub fn read(folder: &Path) -> io::Result<Option<Access>> {
    match fs::read(folder.join(FILE)) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file of a running broker; dropping it removes it.
#[derive(Debug)]
pub(crate) struct LocalFile(PathBuf);

impl LocalFile {
    /// Makes a new token, lets the tokens know it, and writes it where [`read`] finds it.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(folder: &Path, url: String, tokens: &Tokens) -> io::Result<Self> {
        let secret = Secret::generate()?;
        let name = Name::parse(LOCAL).expect("`local` is a name");
        let allow = vec![Grant::parse("admin").expect("`admin` is a grant")];
        tokens.set_local(Token::new(name, allow, Timestamp::now(), secret.digest()));
        let access = Access { url, token: secret.reveal().to_owned() };
        let path = folder.join(FILE);
        file::replace(&path, &serde_json::to_vec(&access)?)?;
        Ok(Self(path))
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        if let Err(error) = file::remove(&self.0) {
            tracing::warn!(error = %error, "local.json could not be removed");
        }
    }
}

/// The address by which this machine reaches a listener.
pub(crate) fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::store::folder::DataFolder;

    #[test]
    fn its_token_may_do_everything_and_is_not_listed() {
        let path = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(path.path()).unwrap();
        let tokens = Tokens::open(&folder).unwrap();
        assert!(read(path.path()).unwrap().is_none());
        let file = LocalFile::write(path.path(), "http://127.0.0.1:7070".to_owned(), &tokens).unwrap();
        let mode = fs::metadata(path.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let access = read(path.path()).unwrap().unwrap();
        assert_eq!(access.url, "http://127.0.0.1:7070");
        let token = tokens.find(&access.token).unwrap();
        assert!(token.is_admin_of_all() && token.name.as_str() == "local");
        assert!(tokens.is_empty() && tokens.list(None, 10).is_empty());

        drop(file);
        assert!(read(path.path()).unwrap().is_none());
        let reopened = Tokens::open(&folder).unwrap();
        assert!(reopened.find(&access.token).is_none(), "it is not kept over restarts");
    }

    #[test]
    fn of_all_addresses_this_machine_reaches_the_loopback_one() {
        for (listening, reached) in [
            ("0.0.0.0:7070", "127.0.0.1:7070"),
            ("[::]:7070", "[::1]:7070"),
            ("192.168.1.2:7070", "192.168.1.2:7070"),
            ("127.0.0.1:7070", "127.0.0.1:7070"),
        ] {
            assert_eq!(reachable(listening.parse().unwrap()).to_string(), reached);
        }
    }
}
