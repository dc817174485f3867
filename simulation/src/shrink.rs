//! Making a failing script short: leave out turns, then calls, then what is special about the rest, as
//! long as it still fails (delta debugging).

use crate::{
    layer::LayerKind,
    operation::{Call, Ending, Turn},
    plants::Bug,
    play::play,
};

/// A script that fails, shortened until nothing more can be left out, or `tries` are used up. A script that
/// does not fail comes back as it is.
#[must_use]
pub fn shrink(layer: LayerKind, bug: Option<Bug>, script: Vec<Turn>, tries: usize) -> Vec<Turn> {
    let mut shrinking = Shrinking { layer, bug, tries };
    if !shrinking.fails(&script) {
        return script;
    }
    let mut script = script;
    loop {
        let before = script.clone();
        script = shrinking.leave_out(script, Clone::clone, |_, turns| turns);
        for place in 0..script.len() {
            let calls = |script: &Vec<Turn>| script[place].calls.clone();
            script = shrinking.leave_out(script, calls, |mut script: Vec<Turn>, calls| {
                script[place].calls = calls;
                script
            });
        }
        script = shrinking.simplify(script);
        if script == before || shrinking.tries == 0 {
            return script;
        }
    }
}

struct Shrinking {
    layer: LayerKind,
    bug: Option<Bug>,
    tries: usize,
}

impl Shrinking {
    fn fails(&mut self, script: &[Turn]) -> bool {
        if self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        play(self.layer, self.bug, script.iter().cloned(), u64::MAX).violation.is_some()
    }

    /// Leaves parts of a list out, large ones first.
    fn leave_out<T: Clone>(
        &mut self,
        mut script: Vec<Turn>,
        list: impl Fn(&Vec<Turn>) -> Vec<T>,
        with: impl Fn(Vec<Turn>, Vec<T>) -> Vec<Turn>,
    ) -> Vec<Turn> {
        let mut size = list(&script).len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            while start < list(&script).len() {
                let all = list(&script);
                let end = (start + size).min(all.len());
                let rest: Vec<T> = all[..start].iter().chain(&all[end..]).cloned().collect();
                let shorter = with(script.clone(), rest);
                if self.fails(&shorter) {
                    script = shorter;
                } else {
                    start = end;
                }
            }
            size /= 2;
        }
        script
    }

    /// Tries the plainest form of each turn.
    fn simplify(&mut self, mut script: Vec<Turn>) -> Vec<Turn> {
        for place in 0..script.len() {
            for plainer in plainer(&script[place]) {
                let before = std::mem::replace(&mut script[place], plainer);
                if !self.fails(&script) {
                    script[place] = before;
                }
            }
        }
        script
    }
}

/// Plainer turns in its place, each of them changed in one thing.
fn plainer(turn: &Turn) -> Vec<Turn> {
    let mut turns = Vec::new();
    if turn.wait > 0 {
        turns.push(Turn { wait: 0, ..turn.clone() });
    }
    if turn.ending != Ending::Commit {
        turns.push(Turn { ending: Ending::Commit, ..turn.clone() });
    }
    for (place, call) in turn.calls.iter().enumerate() {
        for call in plainer_calls(call) {
            let mut calls = turn.calls.clone();
            calls[place] = call;
            turns.push(Turn { calls, ..turn.clone() });
        }
    }
    turns
}

fn plainer_calls(call: &Call) -> Vec<Call> {
    match call {
        Call::Publish { to, messages, require_route } if messages.len() > 1 => {
            let one =
                |message| Call::Publish { to: *to, messages: vec![message], require_route: *require_route };
            messages.iter().cloned().map(one).collect()
        }
        Call::Settle { how, picks, mixed } if picks.len() > 1 => {
            let one = |pick: &u8| Call::Settle { how: *how, picks: vec![*pick], mixed: *mixed };
            picks.iter().map(one).collect()
        }
        _ => Vec::new(),
    }
}
