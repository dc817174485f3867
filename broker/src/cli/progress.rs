//! Progress of long work, on stderr and only where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over a known number of bytes; without one a counter.
pub(super) fn bytes(of: Option<u64>) -> ProgressBar {
    match of {
        Some(length) => ProgressBar::new(length)
            .with_style(style("{bar:40.cyan/dim} {bytes}/{total_bytes}  {msg}  {eta} left")),
        None => ProgressBar::no_length().with_style(style("{spinner} {bytes}  {msg}")),
    }
}

/// A bar over a number of messages.
pub(super) fn messages(of: u64) -> ProgressBar {
    ProgressBar::new(of).with_style(style("{bar:40.cyan/dim} {human_pos}/{human_len} messages  {msg}"))
}

/// A bar over work whose length shows as it goes; it is told what is done, and of how much.
pub(super) fn work(what: &'static str) -> impl FnMut(u64, u64) {
    let bar = ProgressBar::new(0).with_style(style("{msg} {bar:40.cyan/dim} {percent}%  {eta} left"));
    let bar = bar.with_message(what);
    move |done, all| {
        bar.set_length(all);
        bar.set_position(done);
        if done == all {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one")
}
