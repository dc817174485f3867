//! What must hold: the core answers and looks as the model does; and, said once more without the model,
//! what API.md promises of any queue at any time.

use std::{collections::BTreeSet, fmt::Debug};

use broker_core::{
    Core,
    counters::{QueueCounters, QueueGauges},
    identity::Name,
    reply::{Refusal, Reply},
    view::WaitingState,
};

use crate::model::{Model, Queue};

/// What did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

/// The result of a check.
pub type Checked = Result<(), Violation>;

pub(crate) fn same<T: PartialEq + Debug>(what: impl FnOnce() -> String, is: T, should: T) -> Checked {
    if is == should {
        return Ok(());
    }
    Err(Violation(format!("{}:\n    is      {is:?}\n    must be {should:?}", what())))
}

/// Whether two answers are the same.
pub(crate) fn same_answer(is: &Result<Reply, Refusal>, should: &Result<Reply, Refusal>) -> Checked {
    let same = match (is, should) {
        (Err(is), Err(should)) => is == should,
        (Ok(is), Ok(should)) => same_reply(is, should),
        _ => false,
    };
    if same {
        Ok(())
    } else {
        Err(Violation(format!("the answer\n    is      {is:?}\n    must be {should:?}")))
    }
}

fn same_reply(is: &Reply, should: &Reply) -> bool {
    match (is, should) {
        (Reply::Put { created: is }, Reply::Put { created: should }) => is == should,
        (Reply::Removed { count: is }, Reply::Removed { count: should })
        | (Reply::Replayed { count: is }, Reply::Replayed { count: should }) => is == should,
        (Reply::Published(is), Reply::Published(should)) => is == should,
        (Reply::Delivered(is), Reply::Delivered(should)) => is == should,
        (Reply::Settled(is), Reply::Settled(should)) => is == should,
        (Reply::Redriven(is), Reply::Redriven(should)) => is == should,
        (
            Reply::RedriveStarted { redrive: is, count: is_count, not_found: is_not_found },
            Reply::RedriveStarted { redrive: should, count, not_found },
        ) => is == should && is_count == count && is_not_found == not_found,
        _ => false,
    }
}

/// What is cheap to see: counts and numbers.
pub(crate) fn check_counts(core: &Core, model: &Model) -> Checked {
    same(|| "the numbers that come next".to_owned(), core.high_water(), model.next)?;
    for (name, queue) in &model.queues {
        let Some(view) = core.queue(name) else { return missing(name) };
        same(|| format!("the counters of {name}"), view.counters, queue.counters)?;
        same(|| format!("what is in {name}"), view.gauges, queue.gauges())?;
        check_sums(name, &view.counters, &view.gauges)?;
    }
    Ok(())
}

/// All that can be seen.
pub(crate) fn check_all(core: &Core, model: &Model) -> Checked {
    check_counts(core, model)?;
    same(
        || "the queues".to_owned(),
        core.queues(None).map(|it| it.name).collect(),
        model.queues.keys().collect::<Vec<_>>(),
    )?;
    same(
        || "the topics".to_owned(),
        core.topics(None).map(|it| it.name).collect(),
        model.topics.keys().collect::<Vec<_>>(),
    )?;
    for queue in model.queues.values() {
        check_queue(core, queue)?;
    }
    for name in model.topics.keys() {
        check_topic(core, model, name)?;
    }
    let redrives = model.redrives.iter().rev().map(|(id, redrive)| redrive.view(*id)).collect();
    same(|| "the paced redrives".to_owned(), core.paced_redrives(None).collect::<Vec<_>>(), redrives)
}

fn check_queue(core: &Core, queue: &Queue) -> Checked {
    let name = &queue.name;
    let Some(view) = core.queue(name) else { return missing(name) };
    same(|| format!("the number of {name}"), view.id, queue.id)?;
    same(|| format!("the settings of {name}"), view.settings, &queue.settings)?;
    same(|| format!("the oldest in {name}"), view.oldest_at, queue.oldest_at())?;
    let live = core.browse(name, None, None, usize::MAX);
    same(|| format!("the messages of {name}"), &live, &queue.browse())?;
    let dead = core.dead_letters(name, None, usize::MAX);
    same(|| format!("the dead letters of {name}"), &dead, &queue.dead_letters())?;
    let sequences: BTreeSet<_> =
        live.iter().map(|it| it.sequence).chain(dead.iter().map(|it| it.sequence)).collect();
    same(|| format!("each message once in {name}"), sequences.len(), live.len() + dead.len())?;
    let leased = live.iter().filter(|it| it.state == WaitingState::Leased);
    let mut lanes = BTreeSet::new();
    for copy in leased.filter_map(|it| queue.copies.iter().find(|copy| copy.message.sequence == it.sequence))
    {
        if queue.lane(copy).is_some_and(|lane| !lanes.insert(lane)) {
            return Err(Violation(format!("two messages of one lane of {name} are leased")));
        }
    }
    Ok(())
}

fn check_topic(core: &Core, model: &Model, name: &Name) -> Checked {
    let topic = &model.topics[name];
    let Some(view) = core.topic(name) else { return missing(name) };
    same(|| format!("the number of {name}"), view.id, topic.id)?;
    same(|| format!("the settings of {name}"), view.settings, &topic.settings)?;
    let retained = core.retained(name, Default::default(), None, usize::MAX);
    let is = retained.iter().map(|it| (it.published_at, it.sequence)).collect::<Vec<_>>();
    let should = topic.retained.iter().map(|it| (it.message.published_at, it.message.sequence)).collect();
    same(|| format!("what {name} retains"), is, should)?;
    let mut is: Vec<_> = core.subscriptions(name);
    is.sort_by_key(|it| it.queue);
    let is = is.iter().map(|it| (it.queue, it.on_full, it.filter, it.start, it.dropped)).collect::<Vec<_>>();
    let subscriptions = topic.subscriptions.iter();
    let should = subscriptions.map(|(id, it)| (*id, it.on_full, it.filter.as_ref(), it.start, it.dropped));
    same(|| format!("the subscriptions of {name}"), is, should.collect())
}

/// The sums of API.md.
fn check_sums(name: &Name, counters: &QueueCounters, gauges: &QueueGauges) -> Checked {
    let came = counters.published + counters.replayed + counters.redriven_in;
    let here = gauges.ready + gauges.leased + gauges.delayed;
    let went =
        counters.acked + counters.dead_lettered + counters.expired + counters.dropped + counters.purged;
    same(|| format!("what came into {name} and what became of it"), came, here + went)?;
    let dead = counters.dead_lettered - counters.redriven_out - counters.discarded;
    same(|| format!("the dead letters of {name}"), gauges.dead, dead)
}

fn missing(name: &Name) -> Checked {
    Err(Violation(format!("{name} is not there")))
}
