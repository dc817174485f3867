//! The dead letters that a redrive or a purge may take: by ids or by a filter, found before it is decided.

use std::collections::HashMap;

use broker_core::{
    command::DeadLetters,
    identity::{Name, Selector, Sequence},
};
use serde_json::{Map, Value};
use serve::problem::Problem;

use super::selection::{Selection, each};
use crate::api::{Api, path::BySource, queues::look_into};

/// How many ids the audit trail names.
const NAMED: usize = 100;

/// What a call asks for.
pub(super) enum Wanted {
    /// All of these ids, and of which source.
    Ids(Vec<String>, Vec<Selector>),
    /// All that fit.
    Fitting(Selection),
}

/// What was found of it.
#[derive(Default)]
pub(super) struct Candidates {
    /// Oldest first.
    pub(super) sequences: Vec<Sequence>,
    pub(super) ids: HashMap<Sequence, String>,
    /// The ids asked for that no dead letter has.
    pub(super) not_found: Vec<String>,
}

impl Candidates {
    /// As the core takes it.
    pub(super) fn which(&self) -> DeadLetters {
        DeadLetters::Sequences(self.sequences.clone())
    }
}

impl Wanted {
    /// Puts together what a body and the query give.
    pub(super) fn of(
        ids: Option<Vec<String>>,
        selection: Selection,
        source: &BySource,
    ) -> Result<Self, Problem> {
        match ids {
            None => Ok(Self::Fitting(Selection { source: source.source().map(str::to_owned), ..selection })),
            Some(_) if !selection.is_all() => {
                Err(Problem::invalid("ids", "stands beside a filter: give one or the other"))
            }
            Some(ids) => {
                let selectors = ids.iter().map(|id| source.narrow(id)).collect();
                Ok(Self::Ids(ids, selectors))
            }
        }
    }

    /// For the audit trail.
    pub(super) fn described(&self) -> Map<String, Value> {
        let ids = match self {
            Self::Ids(ids, _) => ids,
            Self::Fitting(selection) => return selection.described(),
        };
        let mut described = Map::new();
        described.insert("ids".to_owned(), ids.iter().take(NAMED).cloned().collect());
        if let Some(others) = ids.len().checked_sub(NAMED).filter(|others| *others > 0) {
            described.insert("and_others".to_owned(), others.into());
        }
        described
    }

    /// The dead letters that are meant now, as the core takes it.
    pub(super) async fn dead_letters(&self, api: &Api, queue: &Name) -> Result<DeadLetters, Problem> {
        match self {
            Self::Ids(_, selectors) => Ok(DeadLetters::Ids(selectors.clone())),
            Self::Fitting(_) if self.is_all() => Ok(DeadLetters::All),
            Self::Fitting(_) => Ok(self.candidates(api, queue).await?.which()),
        }
    }

    /// The ids at these places of the list.
    pub(super) fn ids_at(&self, places: &[usize]) -> Vec<String> {
        match self {
            Self::Ids(ids, _) => places.iter().filter_map(|place| ids.get(*place).cloned()).collect(),
            Self::Fitting(_) => Vec::new(),
        }
    }

    /// Whether it means all that there are.
    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::Fitting(selection) if selection.is_all())
    }

    /// The dead letters that are meant now, with their ids.
    pub(super) async fn candidates(&self, api: &Api, queue: &Name) -> Result<Candidates, Problem> {
        match self {
            Self::Ids(ids, selectors) => of_ids(api, queue, selectors.clone(), ids).await,
            Self::Fitting(selection) => fitting(api, queue, selection).await,
        }
    }
}

async fn of_ids(
    api: &Api,
    queue: &Name,
    selectors: Vec<Selector>,
    ids: &[String],
) -> Result<Candidates, Problem> {
    let wanted = queue.clone();
    let found = look_into(api, queue, move |core| {
        let since = |sequence| Some((core.dead_letter(&wanted, sequence)?.since, sequence));
        let of_one = |selector: &Selector| core.find_dead(&wanted, *selector).into_iter().filter_map(since);
        selectors.iter().map(|selector| of_one(selector).collect::<Vec<_>>()).collect::<Vec<_>>()
    });
    let (mut candidates, mut places) = (Candidates::default(), Vec::new());
    for (id, found) in ids.iter().zip(found.await?) {
        if found.is_empty() {
            candidates.not_found.push(id.clone());
        }
        candidates.ids.extend(found.iter().map(|(_, sequence)| (*sequence, id.clone())));
        places.extend(found);
    }
    places.sort_unstable();
    places.dedup();
    candidates.sequences = places.into_iter().map(|(_, sequence)| sequence).collect();
    Ok(candidates)
}

async fn fitting(api: &Api, queue: &Name, selection: &Selection) -> Result<Candidates, Problem> {
    let mut found = Vec::new();
    each(api, queue, selection, |sequence, item| found.push((sequence, item.id))).await?;
    // They were found newest first.
    found.reverse();
    let sequences = found.iter().map(|(sequence, _)| *sequence).collect();
    Ok(Candidates { sequences, ids: found.into_iter().collect(), not_found: Vec::new() })
}
