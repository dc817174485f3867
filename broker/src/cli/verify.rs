//! `broker verify`.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use super::{
    human::{count, things},
    progress,
};
use crate::{
    maintenance,
    store::verify::{Fault, Report},
};

/// What `verify` can be told: no more than the folder.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Verify {}

/// What is told as JSON.
#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    #[serde(flatten)]
    report: &'a Report,
}

impl Verify {
    /// Checks a data folder as it is at one moment, and changes nothing. Answers 1 when a fault was found.
    ///
    /// # Errors
    /// When it can't be checked, or stdout is closed.
    pub(super) fn run(data: &Path, json: bool) -> anyhow::Result<ExitCode> {
        let report = maintenance::check(data, &mut progress::work("checking"))?;
        let mut out = io::stdout().lock();
        if json {
            let told = Told { ok: report.is_clean(), report: &report };
            writeln!(out, "{}", serde_json::to_string(&told)?)?;
        } else {
            tell(&mut out, &report)?;
        }
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Tells what was found in words, a fault a line.
pub(super) fn tell(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for fault in &report.faults {
        writeln!(out, "{}", sentence(fault))?;
    }
    if report.more_faults > 0 {
        writeln!(out, "and {}", things(report.more_faults, "more fault"))?;
    }
    let (queues, topics) = (things(report.queues, "queue"), things(report.topics, "topic"));
    writeln!(out, "{queues}, {topics} and {} were checked", things(report.messages, "message"))?;
    let older = match report.without_checksum {
        0 => String::new(),
        1 => "1 of the messages is older than checksums: its bytes were not\n".to_owned(),
        older => format!("{} of the messages are older than checksums: their bytes were not\n", count(older)),
    };
    write!(out, "{older}")?;
    if report.is_clean() { writeln!(out, "nothing is wrong") } else { writeln!(out, "{}", report.told()) }
}

fn sentence(fault: &Fault) -> String {
    let what = serde_json::to_value(fault.what).ok();
    let mut text = what.as_ref().and_then(|what| what.as_str()).unwrap_or_default().to_owned();
    if let Some(id) = &fault.id {
        text += &format!(" of message {id:?}");
    } else if let Some(sequence) = fault.sequence {
        text += &format!(" of message number {sequence}");
    }
    if let Some(source) = &fault.source {
        text += &format!(" from {source:?}");
    }
    if !fault.queues.is_empty() {
        text += &format!(" in {}", fault.queues.join(", "));
    }
    format!("{text}: {}", fault.detail)
}
