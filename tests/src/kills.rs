//! A real broker under the load of many clients, in trouble of one kind again and again; and the account of
//! every message over all of it:
//!
//! - a publish that was answered is delivered to each of its queues, and settled;
//! - an ack that was answered is the end: the message never comes again;
//! - a publish that was not answered is there or not, whole batches and all queues of a topic alike, and never
//!   twice under its id;
//! - of a key nothing overtakes;
//! - a receipt acts no more once a newer one of the same message was given;
//! - after every start the totals of each queue add up, and agree with what was answered.

mod account;
mod apart;
mod broker;
mod caller;
mod checks;
mod consumer;
mod delivery;
mod disk;
mod load;
mod publisher;
mod topology;
mod trouble;

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rand::{SeedableRng as _, rngs::StdRng};

use self::{
    account::{Account, Happened},
    broker::Broker,
    caller::{Caller, Lost},
    load::Clients,
};
pub use self::{apart::consume, disk::SmallDisk, trouble::Trouble};

/// How often a killed folder is checked by the program's own `verify`.
const VERIFIED: u32 = 10;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What happens to the broker.
    pub trouble: Trouble,
    /// How often.
    pub rounds: u32,
    /// What all chance comes from; the same seed is the same load, but not the same interleaving.
    pub seed: u64,
}

/// What was seen.
#[derive(Debug)]
pub struct Figures {
    plan: Plan,
    published: u64,
    unanswered: u64,
    settled: u64,
    happened: Happened,
    starts: Vec<Duration>,
    took: Duration,
}

/// Loads a broker on a folder, brings trouble over it so many times, and accounts for every message.
///
/// # Errors
/// When the broker can't be run, or did what it must not, with what.
pub async fn run(plan: Plan, folder: &Path, logs: &Path) -> anyhow::Result<Figures> {
    let account = Arc::<Account>::default();
    let shared = plan.trouble.shared(&account);
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut broker = Broker::start(plan.trouble, folder, logs).await?;
    let (began, mut caller) = (Instant::now(), Caller::new(broker.url())?);
    checks::declare(&caller).await.map_err(|lost| broken(&lost))?;
    let (mut clients, mut starts) = (Clients::new(plan.seed), Vec::new());
    for round in 1..=plan.rounds {
        let working = clients.work(&caller, &shared);
        let stopped = plan.trouble.happen(&mut broker, &caller, &account, working, &mut random).await;
        clients = stopped.with_context(|| format!("round {round}"))?;
        if !broker.runs() {
            if round % VERIFIED == 0 {
                broker.verify().await?;
            }
            starts.push(broker.restart().await?);
            caller = Caller::new(broker.url())?;
        }
        account.started();
        checks::totals(&caller, &account).await.map_err(|lost| broken(&lost))?;
        no_faults(&account, round)?;
    }
    for consumer in &mut clients.consumers {
        consumer.drain(&caller, &shared).await.map_err(|lost| broken(&lost))?;
    }
    if shared.may_be_full {
        trouble::until_there_is_room(&caller).await.context("all is drained")?;
    }
    clients.give_up(&account);
    account.close();
    checks::totals(&caller, &account).await.map_err(|lost| broken(&lost))?;
    no_faults(&account, plan.rounds)?;
    broker.stop().await?;
    let totals = account.totals();
    Ok(Figures {
        plan,
        published: totals.iter().map(|total| total.surely).sum(),
        unanswered: totals.iter().map(|total| total.perhaps).sum(),
        settled: totals.iter().map(|total| total.settled).sum(),
        happened: account.happened(),
        starts,
        took: began.elapsed(),
    })
}

fn broken(lost: &Lost) -> anyhow::Error {
    match lost {
        Lost::Unanswered => anyhow::anyhow!("the broker does not answer although nothing was done to it"),
        Lost::Wrong(what) => anyhow::anyhow!("{what}"),
    }
}

fn no_faults(account: &Account, round: u32) -> anyhow::Result<()> {
    let faults = account.faults();
    ensure!(faults.is_empty(), "by round {round}:\n{}", faults.join("\n"));
    Ok(())
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, published, unanswered, settled, happened, took, .. } = self;
        let Happened { redelivered, duplicates, fenced, refused } = happened;
        writeln!(f, "{} {} in {took:.1?}, seed {}", plan.rounds, plan.trouble, plan.seed)?;
        writeln!(f, "{published} copies answered for, {settled} settled, {unanswered} never answered for")?;
        writeln!(f, "{redelivered} redeliveries, {duplicates} duplicates, {fenced} receipts fenced off")?;
        if *refused > 0 {
            writeln!(f, "{refused} publishes refused for want of room")?;
        }
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        if let (Some(median), Some(slowest)) = (starts.get(starts.len() / 2), starts.last()) {
            writeln!(f, "starts: {median:.0?} in the middle, {slowest:.0?} at the most")?;
        }
        f.write_str("nothing lost, nothing twice, no order broken, no fenced receipt acted")
    }
}
