//! What a token allows: a role on the names that match a pattern, written `publish:orders`.

use std::fmt;

use super::pattern::{InvalidPattern, Pattern};

/// What can be done with a queue or topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Publish to it.
    Publish,
    /// Receive from a queue, settle, and read it and its dead letters.
    Consume,
    /// Declare, change, empty and remove it, and all of the above.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Publish, Self::Consume, Self::Admin];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
            Self::Admin => "admin",
        }
    }

    /// Whether who has this role has that one too, on the same name.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self == Self::Admin || self == other
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role on names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    role: Role,
    on: Pattern,
}

/// Why a text is not a [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGrant {
    /// It has no such role.
    #[error("{0:?} is not a role: write publish:PATTERN, consume:PATTERN or admin:PATTERN")]
    Role(String),
    /// Only `admin` can go without one.
    #[error("{role} needs a pattern: write {role}:* for all names, or {role}:NAME")]
    NoPattern {
        /// Which role.
        role: Role,
    },
    /// Its pattern is none.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
}

impl Grant {
    /// Parses `ROLE:PATTERN`; `admin` alone is `admin:*`.
    ///
    /// # Errors
    /// [`InvalidGrant`] says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, InvalidGrant> {
        let (word, pattern) = text.split_once(':').map_or((text, None), |(word, it)| (word, Some(it)));
        let role = Role::ALL.into_iter().find(|role| role.as_str() == word);
        let role = role.ok_or_else(|| InvalidGrant::Role(word.to_owned()))?;
        let on = match pattern {
            Some(pattern) => Pattern::parse(pattern)?,
            None if role == Role::Admin => Pattern::all(),
            None => return Err(InvalidGrant::NoPattern { role }),
        };
        Ok(Self { role, on })
    }

    /// Whether it allows a role on a name.
    #[must_use]
    pub fn allows(&self, role: Role, name: &str) -> bool {
        self.role.includes(role) && self.on.matches(name)
    }

    /// Whether it is `admin:*`, which alone can manage tokens.
    #[must_use]
    pub fn is_admin_of_all(&self) -> bool {
        self.role == Role::Admin && self.on.is_all()
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role, self.on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Grant {
        Grant::parse(text).unwrap()
    }

    #[test]
    fn a_grant_is_a_role_on_a_pattern() {
        let grant = grant("consume:payment.*");
        assert!(grant.allows(Role::Consume, "payment.orders"));
        assert!(!grant.allows(Role::Consume, "orders"));
        assert!(!grant.allows(Role::Publish, "payment.orders"));
        assert!(!grant.allows(Role::Admin, "payment.orders"));
    }

    #[test]
    fn admin_of_a_name_may_publish_to_it_and_consume_from_it() {
        let grant = grant("admin:jobs");
        assert!(Role::ALL.into_iter().all(|role| grant.allows(role, "jobs")));
        assert!(!Role::ALL.into_iter().any(|role| grant.allows(role, "jobs2")));
        assert!(!grant.is_admin_of_all());
    }

    #[test]
    fn admin_alone_is_admin_of_all() {
        assert_eq!(grant("admin").to_string(), "admin:*");
        assert!(grant("admin").is_admin_of_all() && grant("admin:**").is_admin_of_all());
        assert!(!grant("publish:*").is_admin_of_all());
    }

    #[test]
    fn what_is_wrong_with_a_grant_is_said() {
        for (text, says) in [
            ("", "is not a role"),
            ("root:*", "\"root\" is not a role"),
            ("Admin:*", "is not a role"),
            ("publish", "publish needs a pattern"),
            ("consume", "write consume:* for all"),
            ("publish:", "a pattern is"),
            ("publish:a b", "a pattern is"),
            ("publish:a:b", "a pattern is"),
            (" publish:a", "is not a role"),
        ] {
            let said = Grant::parse(text).unwrap_err().to_string();
            assert!(said.contains(says), "{text:?}: {said}");
        }
    }
}
