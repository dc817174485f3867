//! The tokens of a broker: looked up by every request, and changed by the one process that holds the data
//! folder, the running broker or a command line beside a stopped one.
//!
//! A change is on disk (`tokens.json`, see [`record`]) before it is answered and before it holds.

mod errors;
mod record;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use broker_core::identity::Name;
use tokio::sync::watch;
use units::Timestamp;

pub use self::errors::TokensError;
pub(crate) use self::record::FILE;
use super::{
    caller::ANONYMOUS,
    file,
    grant::{Grant, Role},
    local::LOCAL,
    reach::Reach,
    secret::{Digest, Secret},
};
use crate::store::folder::DataFolder;

/// How many grants one token holds at the most.
pub const MOST_GRANTS: usize = 100;

/// What is said where there are tokens and none holds `admin:*`.
pub const NO_ADMIN: &str = "no token may administer this broker over HTTP: make one with admin:* by \
     `broker tokens create NAME --allow admin --data FOLDER` on its machine";

/// A token: all but its text, which nobody has but whom it was given to.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its name, by which it is listed and revoked, and which says who acted.
    pub name: Name,
    /// What it allows; at least one.
    pub allow: Vec<Grant>,
    /// When it was made.
    pub created_at: Timestamp,
    digest: Digest,
}

impl Token {
    pub(super) const fn new(name: Name, allow: Vec<Grant>, created_at: Timestamp, digest: Digest) -> Self {
        Self { name, allow, created_at, digest }
    }

    /// Whether it allows a role on a name.
    #[must_use]
    pub fn allows(&self, role: Role, name: &str) -> bool {
        self.allow.iter().any(|grant| grant.allows(role, name))
    }

    /// Whether it holds `admin:*`.
    #[must_use]
    pub fn is_admin_of_all(&self) -> bool {
        self.allow.iter().any(Grant::is_admin_of_all)
    }
}

/// All tokens at one moment.
#[derive(Clone, Debug, Default)]
struct Registry {
    by_name: BTreeMap<Name, Arc<Token>>,
    /// A table by digest leaks nothing worth having by its timing: who guesses chooses a text, not its
    /// digest, so that what is near a stored digest says nothing about the text behind it. The last
    /// comparison is in constant time all the same ([`is_same_digest`](super::secret::is_same_digest)).
    by_digest: HashMap<Digest, Arc<Token>>,
}

impl Registry {
    fn of(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut registry = Self::default();
        tokens.into_iter().for_each(|token| registry.insert(Arc::new(token)));
        registry
    }

    fn insert(&mut self, token: Arc<Token>) {
        self.by_digest.insert(token.digest, Arc::clone(&token));
        self.by_name.insert(token.name.clone(), token);
    }

    fn remove(&mut self, name: &Name) -> Result<Arc<Token>, TokensError> {
        let token = self.by_name.remove(name).ok_or_else(|| TokensError::NotFound(name.clone()))?;
        self.by_digest.remove(&token.digest);
        Ok(token)
    }
}

/// The tokens of one data folder.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    current: watch::Sender<Arc<Registry>>,
    /// Held by the one change that is under way.
    changing: Mutex<()>,
    local: OnceLock<Arc<Token>>,
    /// Whom the broker serves; this machine alone until it is said otherwise.
    reach: OnceLock<Reach>,
}

impl Tokens {
    /// The tokens of a folder that this process holds: for a running broker, and for a command line beside
    /// a stopped one (`DataFolder::open` says so when the broker runs after all). All calls that change
    /// something block on the disk.
    ///
    /// # Errors
    /// [`TokensError::File`] when the file can't be read; [`TokensError::Unreadable`] when it is not what
    /// this version writes.
    pub fn open(folder: &DataFolder) -> Result<Self, TokensError> {
        let path = folder.path().join(record::FILE);
        let tokens = record::read(&path)?;
        Ok(Self {
            path,
            current: watch::Sender::new(Arc::new(Registry::of(tokens))),
            changing: Mutex::new(()),
            local: OnceLock::new(),
            reach: OnceLock::new(),
        })
    }

    /// Whether there are none, and everybody may do everything. The local one does not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.registry().by_name.is_empty()
    }

    /// Whether there are some and none of them holds `admin:*`: then only who can read the data folder still
    /// manages them.
    #[must_use]
    pub fn lack_admin(&self) -> bool {
        let registry = self.registry();
        !registry.by_name.is_empty() && !registry.by_name.values().any(|token| token.is_admin_of_all())
    }

    /// The token of that text, the local one too.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Arc<Token>> {
        let digest = Digest::of(text);
        let local = self.local.get().filter(|local| local.digest == digest);
        local.or(self.registry().by_digest.get(&digest)).cloned()
    }

    /// Whether a token that was found before is still one.
    #[must_use]
    pub fn knows(&self, token: &Token) -> bool {
        let is_local = self.local.get().is_some_and(|local| local.digest == token.digest);
        is_local || self.registry().by_digest.contains_key(&token.digest)
    }

    /// Whether whoever came with that token, or with none, would still be let in.
    pub(super) fn let_in(&self, token: Option<&Token>) -> bool {
        token.map_or_else(|| self.is_empty(), |token| self.knows(token))
    }

    /// Waits until it would be let in no more.
    pub(super) async fn until_shut_out(&self, token: Option<&Token>) {
        let mut changes = self.current.subscribe();
        while self.let_in(token) {
            // An error means that the tokens are gone, which `self` holds.
            let _ = changes.changed().await;
        }
    }

    /// Up to so many tokens by name, after a name; the local one is not among them.
    #[must_use]
    pub fn list(&self, after: Option<&Name>, limit: usize) -> Vec<Arc<Token>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let registry = self.registry();
        registry
            .by_name
            .range::<Name, _>((from, Bound::Unbounded))
            .map(|(_, it)| it)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Makes a token and gives its text, which can't be had again.
    ///
    /// # Errors
    /// [`TokensError`] says what; nothing was changed.
    pub fn create(&self, name: Name, allow: Vec<Grant>) -> Result<(Arc<Token>, Secret), TokensError> {
        check(&name, &allow)?;
        let secret = Secret::generate().map_err(TokensError::no_randomness)?;
        let token = Arc::new(Token::new(name, allow, Timestamp::now(), secret.digest()));
        self.change(|registry| {
            if registry.by_name.contains_key(&token.name) {
                return Err(TokensError::Exists(token.name.clone()));
            }
            registry.insert(Arc::clone(&token));
            Ok(())
        })?;
        Ok((token, secret))
    }

    /// Revokes a token and gives it back: from now on it is unknown. Where none is left that holds `admin:*`,
    /// whoever may read the data folder still manages the others, by the local one.
    ///
    /// # Errors
    /// [`TokensError::NotFound`]; [`TokensError::LastOfAll`] when none is left and the broker serves other
    /// machines.
    pub fn revoke(&self, name: &Name) -> Result<Arc<Token>, TokensError> {
        self.change(|registry| {
            let token = registry.remove(name)?;
            if self.reach() == Reach::Others && registry.by_name.is_empty() {
                return Err(TokensError::LastOfAll(name.clone()));
            }
            Ok(token)
        })
    }

    /// Whom the broker serves.
    pub(super) fn reach(&self) -> Reach {
        self.reach.get().copied().unwrap_or_default()
    }

    /// Says whom the broker serves. Where those are others, by their tokens, the last token can't be revoked.
    pub(super) fn set_reach(&self, reach: Reach) {
        // Set once, at the start.
        let _ = self.reach.set(reach);
    }

    /// Takes up the token by which who can read the data folder may do everything.
    pub(super) fn set_local(&self, token: Token) {
        // Set once, at the start.
        let _ = self.local.set(Arc::new(token));
    }

    fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.current.borrow())
    }

    /// Changes a copy, writes it, and only then lets it hold.
    fn change<T>(&self, how: impl FnOnce(&mut Registry) -> Result<T, TokensError>) -> Result<T, TokensError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Registry::clone(&self.registry());
        let done = how(&mut changed)?;
        let bytes = record::write(changed.by_name.values().map(|token| &**token));
        file::replace(&self.path, &bytes).map_err(|error| TokensError::not_written(&self.path, error))?;
        self.current.send_replace(Arc::new(changed));
        Ok(done)
    }
}

/// Checks the file of tokens in a folder, where there is one.
///
/// # Errors
/// What [`Tokens::open`] says.
pub(crate) fn check_file(folder: &Path) -> Result<(), TokensError> {
    record::read(&folder.join(record::FILE)).map(drop)
}

fn check(name: &Name, allow: &[Grant]) -> Result<(), TokensError> {
    match allow.len() {
        _ if [LOCAL, ANONYMOUS].contains(&name.as_str()) => Err(TokensError::Reserved(name.clone())),
        0 => Err(TokensError::AllowsNothing),
        1..=MOST_GRANTS => Ok(()),
        _ => Err(TokensError::TooManyGrants),
    }
}

#[cfg(test)]
mod tests;
