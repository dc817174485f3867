//! Who calls: the guard leaves it with the request, for handlers that need to know and for the audit.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use broker_core::identity::Name;
use serve::problem::{INTERNAL, Problem};

use super::{
    grant::Role,
    tokens::{Token, Tokens},
};
use crate::api::problem::FORBIDDEN;

/// The name of callers without a token, where none is needed.
pub const ANONYMOUS: &str = "anonymous";

/// Who makes a request; in the request's extensions once the guard has let it through.
#[derive(Clone, Debug)]
pub struct Caller(Option<Arc<Token>>);

impl Caller {
    /// Whoever it is, on a broker without tokens.
    pub(super) const fn anonymous() -> Self {
        Self(None)
    }

    pub(super) const fn with(token: Arc<Token>) -> Self {
        Self(Some(token))
    }

    /// The token's name: `local` where it is that of the data folder, `anonymous` where there are no
    /// tokens. No token can be made that is called so.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or(ANONYMOUS, |token| token.name.as_str())
    }

    /// Whether it came without a token, where none is needed.
    #[must_use]
    pub const fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it has a role on a name.
    #[must_use]
    pub fn may(&self, role: Role, name: &str) -> bool {
        self.0.as_ref().is_none_or(|token| token.allows(role, name))
    }

    /// Whether it may see what happened in a queue, with its messages' ids and reasons: what happened in one that is
    /// gone is for `admin:*` alone.
    #[must_use]
    pub fn may_see(&self, queue: Option<&str>) -> bool {
        match queue {
            Some(queue) => self.may(Role::Consume, queue),
            None => self.is_admin_of_all(),
        }
    }

    /// Whether it may see that something happened: what is published to a topic is for those who have any role on
    /// it, the rest for those who may see what happens in the queue.
    #[must_use]
    pub fn may_watch(&self, queue: Option<&Name>, topic: Option<&Name>) -> bool {
        topic.map_or_else(|| self.may_see(queue.map(Name::as_str)), |topic| self.may_any(topic.as_str()))
    }

    /// Whether it has any role on a name.
    #[must_use]
    pub fn may_any(&self, name: &str) -> bool {
        Role::ALL.into_iter().any(|role| self.may(role, name))
    }

    /// Whether it has `admin:*`.
    #[must_use]
    pub fn is_admin_of_all(&self) -> bool {
        self.0.as_ref().is_none_or(|token| token.is_admin_of_all())
    }

    /// Whether it would still be let in: for what goes on long after its request.
    #[must_use]
    pub fn is_known_to(&self, tokens: &Tokens) -> bool {
        tokens.let_in(self.0.as_deref())
    }

    /// Waits until it would be let in no more.
    pub async fn shut_out(&self, tokens: &Tokens) {
        tokens.until_shut_out(self.0.as_deref()).await;
    }

    /// For names that only a body tells.
    ///
    /// # Errors
    /// `forbidden` when it lacks the role on that name.
    pub(crate) fn require(&self, role: Role, name: &Name) -> Result<(), Problem> {
        if self.may(role, name.as_str()) { Ok(()) } else { Err(self.lacks(role.as_str(), name.as_str())) }
    }

    /// The problem of a token that lacks a role on a name.
    pub(super) fn lacks(&self, role: &str, name: &str) -> Problem {
        let detail = format!("the token {} needs the role {role} on {name} for this", self.name());
        Problem::new(&FORBIDDEN).detail(detail).member("role", role).member("name", name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a request came past the guard");
            Problem::new(&INTERNAL)
        })
    }
}
