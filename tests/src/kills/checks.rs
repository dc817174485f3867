//! What is looked at while no client works.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    account::Account,
    caller::{Caller, Lost},
    topology::{QUEUES, declarations},
};

/// Declares the queues, the topic and its subscriptions.
pub(super) async fn declare(caller: &Caller) -> Result<(), Lost> {
    for (path, settings) in declarations() {
        caller.call(Method::PUT, &path, &settings).await?;
    }
    Ok(())
}

/// Each queue's totals add up as the contract says, and agree with what was answered.
pub(super) async fn totals(caller: &Caller, account: &Account) -> Result<(), Lost> {
    for (queue, known) in QUEUES.iter().zip(account.totals()) {
        let answer = caller.call(Method::GET, &format!("/queues/{}", queue.name), &json!({})).await?;
        let counts = &answer["counts"];
        let sum = |names: &[&str]| names.iter().map(|name| count(counts, name)).sum::<u64>();
        let came = sum(&["published", "replayed", "redriven_in"]);
        let here = sum(&["ready", "leased", "delayed"]);
        let went = sum(&["acked", "dead_lettered", "expired", "dropped", "purged"]);
        if came != here + went {
            account.fault(format!("{}: {came} came, {here} are here, {went} went", queue.name));
        }
        if sum(&["dead", "redriven_out", "discarded"]) != count(counts, "dead_lettered") {
            account.fault(format!("{}: the dead do not add up: {counts}", queue.name));
        }
        let published = known.surely..=known.surely + known.perhaps;
        if !published.contains(&count(counts, "published")) {
            account.fault(format!("{}: {published:?} were published, it says {counts}", queue.name));
        }
        let acked = known.settled..=known.settled + known.perhaps_settled;
        if !acked.contains(&count(counts, "acked")) {
            account.fault(format!("{}: {acked:?} were acked, it says {counts}", queue.name));
        }
    }
    Ok(())
}

fn count(counts: &Value, name: &str) -> u64 {
    counts[name].as_u64().unwrap_or_default()
}
