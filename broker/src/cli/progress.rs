//! A bar for long work: on stderr, and nothing where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// What tells a bar how far the work is.
pub(super) fn bar(what: &'static str) -> impl FnMut(u64, u64) {
    let style = ProgressStyle::with_template("{msg} {bar:40.cyan/dim} {percent}%  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style).with_message(what);
    move |done, all| {
        bar.set_length(all);
        bar.set_position(done);
        if done == all {
            bar.finish_and_clear();
        }
    }
}
