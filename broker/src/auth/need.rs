//! Which call needs which role on which name, in one table. A path that is not in it needs `admin:*`, so
//! that an endpoint somebody forgets here is closed, not open. A method that a known path lacks is open: the
//! router answers that it is not there. A test holds that no call of the OpenAPI document is missing here.

use axum::http::Method;

use super::grant::Role;

/// What a call needs of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing, not even a token.
    Nothing,
    /// That it is known. Lists are such: each shows what its caller may see.
    AnyToken,
    /// A role on each queue and topic that the path names.
    Role(Role),
    /// Any role on what the path names.
    AnyRole,
    /// `admin:*`.
    AdminOfAll,
}

/// A call and its need.
pub(crate) struct Row {
    pub(crate) method: Method,
    /// As the router has it, with the names in braces.
    pub(crate) path: &'static str,
    pub(crate) need: Need,
}

macro_rules! table {
    ($($need:expr => { $($method:ident $path:literal)* })*) => {
        &[$($(Row { method: Method::$method, path: $path, need: $need }),*),*]
    };
}

/// All calls of the contract; those asked for most stand first.
pub(crate) static TABLE: &[Row] = table! {
    Need::Role(Role::Publish) => {
        POST "/queues/{queue}/messages"
        POST "/topics/{topic}/messages"
    }
    Need::Role(Role::Consume) => {
        POST "/queues/{queue}/receive"
        POST "/queues/{queue}/ack"
        POST "/queues/{queue}/nack"
        POST "/queues/{queue}/extend"
        GET "/queues/{queue}"
        GET "/queues/{queue}/messages"
        GET "/queues/{queue}/dead-letters"
        GET "/queues/{queue}/dead-letters/{id}"
        GET "/queues/{queue}/dead-letters/groups"
        GET "/topics/{topic}/messages"
    }
    Need::Nothing => {
        GET "/healthz"
        GET "/readyz"
    }
    Need::AnyToken => {
        GET "/"
        GET "/metrics"
        GET "/queues"
        GET "/topics"
        GET "/dead-letters"
        GET "/messages/{id}"
        GET "/events"
        GET "/redrives"
        GET "/redrives/{task}"
        DELETE "/redrives/{task}"
        GET "/openapi.json"
        GET "/problems/{slug}"
        POST "/filters/test"
    }
    Need::AnyRole => {
        GET "/topics/{topic}"
    }
    Need::Role(Role::Admin) => {
        PUT "/queues/{queue}"
        DELETE "/queues/{queue}"
        DELETE "/queues/{queue}/messages/{id}"
        POST "/queues/{queue}/purge"
        POST "/queues/{queue}/dead-letters/redrive"
        POST "/queues/{queue}/dead-letters/purge"
        DELETE "/queues/{queue}/dead-letters/{id}"
        PUT "/topics/{topic}"
        DELETE "/topics/{topic}"
        PUT "/topics/{topic}/subscriptions/{queue}"
        DELETE "/topics/{topic}/subscriptions/{queue}"
        POST "/topics/{topic}/subscriptions/{queue}/replay"
    }
    Need::AdminOfAll => {
        GET "/tokens"
        POST "/tokens"
        DELETE "/tokens/{name}"
        GET "/audit"
    }
};

impl Need {
    /// Of a call, by its method and the router's path; `None` where no endpoint has the path. A method
    /// that a path lacks needs no role, as none would help: it is answered that it is not there.
    pub(crate) fn of(method: &Method, path: Option<&str>) -> Self {
        let Some(path) = path else { return Self::AnyToken };
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let mut of_path = TABLE.iter().filter(|row| row.path == path).peekable();
        let otherwise = match of_path.peek() {
            None => Self::AdminOfAll,
            Some(row) if row.need == Self::Nothing => Self::Nothing,
            Some(_) => Self::AnyToken,
        };
        of_path.find(|row| row.method == *method).map_or(otherwise, |row| row.need)
    }

    /// For the description of an endpoint.
    pub(crate) fn in_words(self, path: &str) -> Option<String> {
        let named: Vec<&str> =
            ["queue", "topic"].into_iter().filter(|it| path.contains(&format!("{{{it}}}"))).collect();
        let named = named.join(" and the ");
        match self {
            Self::Nothing => None,
            Self::AnyToken => Some("Needs any token.".to_owned()),
            Self::Role(role) => Some(format!("Needs the role `{role}` on the {named}.")),
            Self::AnyRole => Some(format!("Needs any role on the {named}.")),
            Self::AdminOfAll => Some("Needs `admin:*`.".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_call_stands_in_the_table_twice() {
        let mut calls = HashSet::new();
        assert!(TABLE.iter().all(|row| calls.insert((&row.method, row.path))));
    }

    #[test]
    fn whoever_needs_a_role_needs_it_on_a_name_in_the_path() {
        let names = |row: &Row| row.path.contains("{queue}") || row.path.contains("{topic}");
        for row in TABLE {
            let needs_role = matches!(row.need, Need::Role(_) | Need::AnyRole);
            assert_eq!(needs_role, names(row), "{} {}", row.method, row.path);
        }
    }

    #[test]
    fn a_path_outside_the_table_needs_all_rights_and_what_is_nowhere_a_token() {
        assert_eq!(Need::of(&Method::PATCH, Some("/queues/{queue}")), Need::AnyToken);
        assert_eq!(Need::of(&Method::TRACE, Some("/healthz")), Need::Nothing);
        assert_eq!(Need::of(&Method::GET, Some("/secret")), Need::AdminOfAll);
        assert_eq!(Need::of(&Method::GET, None), Need::AnyToken);
        assert_eq!(Need::of(&Method::HEAD, Some("/queues/{queue}")), Need::Role(Role::Consume));
    }
}
