//! The end of the program: somebody wants it, or a part of it has ended and the rest must not go on without.

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// The end that is waited for.
#[derive(Debug)]
pub(crate) struct Stop {
    ending: watch::Sender<bool>,
    at_once: watch::Sender<bool>,
}

impl Stop {
    /// Comes with SIGTERM or Ctrl-C; a second one means at once.
    #[expect(clippy::disallowed_methods, reason = "it waits for the end of the program")]
    pub(crate) fn on_signal() -> Self {
        let stop = Self { ending: watch::Sender::new(false), at_once: watch::Sender::new(false) };
        let (ending, at_once) = (stop.ending.clone(), stop.at_once.clone());
        let watching = tokio::spawn(async move {
            let mut signals = Signals::new();
            for turn in [ending, at_once] {
                signals.next().await;
                turn.send_replace(true);
            }
        });
        drop(watching);
        stop
    }

    /// Waits for the end.
    pub(crate) fn told(&self) -> Shared<BoxFuture<'static, ()>> {
        turned(self.ending.subscribe()).boxed().shared()
    }

    /// Turns true with the end, for those who look now and then.
    pub(crate) fn subscribe(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// Goes on with `part` until the end; `None` when that came first.
    pub(crate) async fn before<T>(&self, part: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = part => Some(done),
            () = self.told() => None,
        }
    }

    /// Comes when `part` has ended, too: nothing is served by half a program.
    pub(crate) async fn after<T>(&self, part: impl Future<Output = T>) -> T {
        let ended = part.await;
        self.ending.send_replace(true);
        ended
    }

    /// Goes on with everything to its end; `None` when it must be at once.
    pub(crate) async fn at_once_or<T>(&self, everything: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = everything => Some(done),
            () = turned(self.at_once.subscribe()) => None,
        }
    }
}

async fn turned(mut told: watch::Receiver<bool>) {
    // The sender lives as long as the process; should it not, that is an end too.
    drop(told.wait_for(|told| *told).await);
}

/// The signals that mean the end.
struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Signals {
    fn new() -> Self {
        Self {
            terminate: heard(SignalKind::terminate()),
            interrupt: heard(SignalKind::interrupt()),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = received(&mut self.terminate) => {}
            () = received(&mut self.interrupt) => {}
        }
    }
}

fn heard(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::warn!(%error, "a signal cannot be waited for")).ok()
}

async fn received(signal: &mut Option<Signal>) {
    let Some(signal) = signal else { return std::future::pending().await };
    signal.recv().await;
}
