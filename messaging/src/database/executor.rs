//! Runs the writer's future on the thread that calls. A statement goes to SQLite's thread and comes back
//! within microseconds, so that parking in between, and being woken through a runtime's queues, costs
//! more than the statement: this thread yields a few times first. What it is that runs is not known here.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// How often the thread lets others run before it parks. Where all cores are busy that is no waste: what
/// it waits for runs meanwhile.
const YIELDS: u32 = 2;

struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

/// Drives the future to its end.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal { woken: AtomicBool::new(false), thread: thread::current() });
    let waker = Waker::from(Arc::clone(&signal));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        wait(&signal);
    }
}

fn wait(signal: &Signal) {
    for _ in 0..YIELDS {
        if signal.woken.swap(false, Ordering::Acquire) {
            return;
        }
        thread::yield_now();
    }
    while !signal.woken.swap(false, Ordering::Acquire) {
        thread::park();
    }
}
