//! The verdicts, and how they are told: a line an invariant, then what is wrong, then what needs a
//! person.

use std::io::{self, Write};

use super::{Apart, Fault, Invariant};
use crate::paint::{bad, dim, good, warn};

/// What the checker found.
#[derive(Clone, Debug)]
pub struct Report {
    orders: usize,
    verdicts: Vec<(Invariant, Vec<Fault>)>,
    apart: Apart,
}

/// Whether what needs a person is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// It is listed apart.
    ListApart,
    /// It fails the check.
    FailOnApart,
}

impl Report {
    pub(super) fn new(orders: usize, verdicts: Vec<(Invariant, Vec<Fault>)>, apart: Apart) -> Self {
        Self { orders, verdicts, apart }
    }

    /// How many orders there are.
    #[must_use]
    pub const fn orders(&self) -> usize {
        self.orders
    }

    /// What is wrong by that invariant; empty when it holds.
    #[must_use]
    pub fn faults(&self, invariant: Invariant) -> &[Fault] {
        let of = self.verdicts.iter().find(|(judged, _)| *judged == invariant);
        of.map_or(&[], |(_, faults)| faults)
    }

    /// What needs a person.
    #[must_use]
    pub const fn apart(&self) -> &Apart {
        &self.apart
    }

    /// Whether every invariant holds (and, when strict, nothing needs a person).
    #[must_use]
    pub fn passes(&self, strictness: Strictness) -> bool {
        let holds = self.verdicts.iter().all(|(_, faults)| faults.is_empty());
        holds && (strictness == Strictness::ListApart || self.apart.is_empty())
    }

    /// Tells it.
    ///
    /// # Errors
    /// When `out` can't be written to.
    pub fn tell(&self, out: &mut impl Write, strictness: Strictness) -> io::Result<()> {
        for (number, (invariant, faults)) in self.verdicts.iter().enumerate() {
            tell_verdict(out, number + 1, *invariant, faults)?;
        }
        self.tell_apart(out, strictness)?;
        writeln!(out, "{}", dim(&format!("{} orders checked", self.orders)))
    }

    fn tell_apart(&self, out: &mut impl Write, strictness: Strictness) -> io::Result<()> {
        if self.apart.is_empty() {
            return Ok(());
        }
        let stuck = self.apart.orders.len() + self.apart.nameless.len();
        let line = format!("{stuck} need a person, set apart");
        match strictness {
            Strictness::ListApart => writeln!(out, "{} {line}", warn("!"))?,
            Strictness::FailOnApart => writeln!(out, "{} {line}: a failure under --strict", bad("✗"))?,
        }
        for (order, reasons) in &self.apart.orders {
            writeln!(out, "    {order}: {}", reasons.join("; "))?;
        }
        for reason in &self.apart.nameless {
            writeln!(out, "    no order: {reason}")?;
        }
        Ok(())
    }
}

fn tell_verdict(
    out: &mut impl Write,
    number: usize,
    invariant: Invariant,
    faults: &[Fault],
) -> io::Result<()> {
    if faults.is_empty() {
        return writeln!(out, "{} {number}. {}", good("✓"), invariant.says());
    }
    writeln!(out, "{} {number}. {}: {} wrong", bad("✗"), invariant.says(), faults.len())?;
    for fault in faults {
        writeln!(out, "    {}: {}", fault.about, fault.what)?;
    }
    Ok(())
}
