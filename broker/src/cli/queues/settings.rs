//! The settings of a queue as flags. Ranges are the broker's to check.

use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};

use crate::cli::settings::{bytes, duration};

/// The settings to set; those left out keep their values, or take the defaults in a new queue.
#[derive(Args, Debug, Serialize)]
#[command(
    next_help_heading = "Settings (those left out stay as they are, or take their defaults in a new queue)"
)]
pub(super) struct Settings {
    /// How long a lease lasts when a receive names none: 100ms to 12h [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<String>,
    /// After how many failed deliveries a message is a dead letter [default: 3]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_deliveries: Option<u32>,
    #[command(flatten)]
    #[serde(skip_serializing_if = "Backoff::is_unset")]
    backoff: Backoff,
    /// What order is kept [default: none]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering: Option<Ordering>,
    /// How long ids are remembered; 0s turns deduplication off [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    deduplication_window: Option<String>,
    /// How many ids are remembered; beyond it the oldest is forgotten early [default: 2000000]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_deduplication_ids: Option<u64>,
    /// How many messages may be ready, leased and delayed together [default: 1000000]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_messages: Option<u64>,
    /// How many bytes they may take [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<String>,
    /// What a full queue does with one more message [default: reject]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    overflow: Option<Overflow>,
    /// How long each message waits before it can be received [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    /// How long a message may wait once it can be received, or none [default: none]
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Ttl>,
    /// What becomes of a message whose TTL passed [default: drop]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    on_expiry: Option<OnExpiry>,
    /// How long dead letters are kept [default: 14d]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_retention: Option<String>,
    /// How many dead letters are kept; the oldest beyond it is discarded [default: 1000000]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_dead_letters: Option<u64>,
}

/// The pause before a nacked message is ready again: `initial * factor^(n-1)`, at most `max`.
#[derive(Args, Debug, Serialize)]
struct Backoff {
    /// The pause after the first failed delivery [default: 1s]
    #[arg(long = "backoff-initial", value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    initial: Option<String>,
    /// What each further failure multiplies the pause by [default: 2]
    #[arg(long = "backoff-factor", value_name = "FACTOR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<f64>,
    /// The longest pause [default: 1m]
    #[arg(long = "backoff-max", value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    /// How far the pause is spread at random, as a part of it: 0 to 1 [default: 0.1]
    #[arg(long = "backoff-jitter", value_name = "PART")]
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<f64>,
}

impl Backoff {
    fn is_unset(&self) -> bool {
        self.initial.is_none() && self.factor.is_none() && self.max.is_none() && self.jitter.is_none()
    }
}

/// What order a queue keeps.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Ordering {
    /// None
    None,
    /// One message of a key in flight at a time, in publish order
    Key,
    /// One message of the queue in flight at a time, in publish order
    Fifo,
}

/// What a full queue does with one more message.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Overflow {
    /// Refuse it
    Reject,
    /// Drop the oldest that waits
    DropOldest,
    /// Make the oldest that waits a dead letter
    DeadLetterOldest,
}

/// What becomes of a message whose TTL passed.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum OnExpiry {
    /// It is dropped
    Drop,
    /// It becomes a dead letter
    DeadLetter,
}

/// A time to live, or that there is none.
#[derive(Clone, Debug)]
struct Ttl(Option<String>);

impl Serialize for Ttl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

fn ttl(text: &str) -> Result<Ttl, String> {
    if text == "none" { Ok(Ttl(None)) } else { duration(text).map(|text| Ttl(Some(text))) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Given {
        #[command(flatten)]
        settings: Settings,
    }

    fn body(arguments: &[&str]) -> serde_json::Value {
        let given = Given::try_parse_from([&["set"], arguments].concat()).unwrap();
        serde_json::to_value(given.settings).unwrap()
    }

    #[test]
    fn only_what_is_given_is_set() {
        assert_eq!(body(&[]), json!({}));
        assert_eq!(
            body(&["--lease", "90s", "--max-deliveries", "5"]),
            json!({"lease": "90s", "max_deliveries": 5})
        );
    }

    #[test]
    fn every_form_of_value_goes_out_as_the_contract_has_it() {
        assert_eq!(body(&["--backoff-factor", "1.5"]), json!({"backoff": {"factor": 1.5}}));
        assert_eq!(body(&["--ttl", "none"]), json!({"ttl": null}));
        assert_eq!(body(&["--max-bytes", "5MiB"]), json!({"max_bytes": "5MiB"}));
        assert_eq!(body(&["--overflow", "dead-letter-oldest"]), json!({"overflow": "dead-letter-oldest"}));
    }
}
