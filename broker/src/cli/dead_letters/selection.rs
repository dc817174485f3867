//! Which dead letters are meant, as flags.

use clap::Args;
use serde::Serialize;

use crate::cli::moment::moment;

/// What they must be like; nothing given is all.
#[derive(Args, Debug, Serialize)]
#[command(next_help_heading = "Which dead letters")]
pub(super) struct Selection {
    /// Only of this event type
    #[arg(long, value_name = "TYPE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// Only those whose last reason has this in it
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Only those that last failed at this time or later: by RFC 3339, or how long ago, such as 2h
    #[arg(long, value_name = "TIME", value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Only those that last failed at this time or earlier
    #[arg(long, value_name = "TIME", value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl Selection {
    /// What was given, by the contract's names.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { r#type, reason, since, until } = self;
        let all = [("type", r#type), ("reason", reason), ("since", since), ("until", until)];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// In words, for a question.
    pub(super) fn in_words(&self) -> String {
        let parts: Vec<String> = self.given().map(|(name, value)| format!("{name} {value:?}")).collect();
        if parts.is_empty() { "all".to_owned() } else { format!("those with {}", parts.join(" and ")) }
    }
}
