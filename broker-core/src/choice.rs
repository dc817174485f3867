//! Which retained messages pass a subscription's filter. The core keeps no attributes, so whoever can read the
//! stored events puts them to the filter: [`Candidates`] at a time, while the core goes on, and the last of
//! them just before the command is applied. What was published meanwhile is among the next candidates; what
//! is retained no longer by then is passed over.

use crate::{
    command::Command,
    filter::{Attributes, Filter},
    identity::Sequence,
    view::Retained,
};

/// Which of the retained messages a command takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Chosen {
    /// All, unless there is a filter: then none was put to it so far.
    #[default]
    All,
    /// Those that passed a filter, as far as they were put to it.
    These(Choice),
}

/// What passed a filter, and up to where that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    filter: Filter,
    looked_up_to: Retained,
    /// In publish order.
    passing: Vec<Sequence>,
}

impl Chosen {
    /// Up to where this filter was looked through; `None` where it is to be begun anew, as it was another
    /// filter.
    pub(crate) fn looked_up_to(&self, filter: &Filter) -> Option<Retained> {
        match self {
            Self::These(choice) if choice.filter == *filter => Some(choice.looked_up_to),
            Self::These(_) | Self::All => None,
        }
    }

    /// What passed this filter, in publish order.
    pub(crate) fn passing(self, filter: &Filter) -> Vec<Sequence> {
        match self {
            Self::These(choice) if choice.filter == *filter => choice.passing,
            Self::These(_) | Self::All => Vec::new(),
        }
    }
}

/// Retained messages, at least one, that are yet to be put to the filter that a command meets. They are good
/// for the command that they were asked for, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    filter: Filter,
    /// Behind which they stand; `None` where they are the first.
    after: Option<Retained>,
    /// In publish order.
    retained: Vec<Retained>,
}

impl Candidates {
    /// `None` where there are none.
    pub(crate) fn new(filter: Filter, after: Option<Retained>, retained: Vec<Retained>) -> Option<Self> {
        (!retained.is_empty()).then_some(Self { filter, after, retained })
    }

    /// How many there are; never 0.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.retained.len()
    }

    /// The newest of them.
    #[must_use]
    pub fn newest(&self) -> Sequence {
        self.last().sequence
    }

    fn last(&self) -> Retained {
        *self.retained.last().expect("there is at least one")
    }

    /// Puts the filter to each of them, and adds what passes to what was chosen for the command. `attributes`
    /// gives those of a message; `None` where there are none to be had, and then it does not pass.
    ///
    /// # Errors
    /// What `attributes` says; then nothing was added.
    pub fn choose<E>(
        self,
        command: &mut Command,
        mut attributes: impl FnMut(Sequence) -> Result<Option<Attributes>, E>,
    ) -> Result<(), E> {
        let mut passing = Vec::new();
        for Retained { sequence, .. } in &self.retained {
            if attributes(*sequence)?.is_some_and(|attributes| self.filter.matches(&attributes)) {
                passing.push(*sequence);
            }
        }
        if let Some(chosen) = command.chosen_mut() {
            self.add_to(chosen, passing);
        }
        Ok(())
    }

    fn add_to(self, chosen: &mut Chosen, mut more: Vec<Sequence>) {
        let looked_up_to = self.last();
        match chosen {
            Chosen::These(choice) if self.after == Some(choice.looked_up_to) => {
                choice.passing.append(&mut more);
                choice.looked_up_to = looked_up_to;
            }
            _ => *chosen = Chosen::These(Choice { filter: self.filter, looked_up_to, passing: more }),
        }
    }
}
