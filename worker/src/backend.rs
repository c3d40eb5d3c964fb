//! apalis's way to our queue: it asks for work for as many slots as are free, always leaves a waker
//! registered, and never fails because a query failed.

use apalis::prelude::WorkerContext;
use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    layers::Identity,
    task::{Task, builder::TaskBuilder, task_id::TaskId},
};
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use store::{
    Fault,
    jobs::{Errand, Lease, Queue},
};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, Sleep, sleep},
};
use uuid::Uuid;

/// When fewer than one in so many slots are free, a fetch is put off for a moment: it costs as much for one slot as for
/// several, and a worker fetches one after the other ..
const FEW: u16 = 4;
/// .. but no longer than this after the one before, because long jobs may have the other slots.
const PAUSE: Duration = Duration::from_millis(5);

/// A question for jobs that is under way.
type Fetch = BoxFuture<'static, Result<Vec<Lease>, Fault>>;

/// What is in this process's hands, in one place that outlives the runtime of the jobs: it drops what it
/// has whenever it stops.
#[derive(Clone, Default)]
pub(crate) struct Held {
    /// The leases by token, with how many jobs each still covers. What is in it is renewed.
    leases: Arc<Mutex<BTreeMap<Uuid, usize>>>,
    /// The fetch that is under way. It must come to its end: dropped while it commits, it would take
    /// jobs that nobody knows of.
    fetch: Arc<Mutex<Option<Fetch>>>,
    /// Jobs that have ended and could not be given back, because the database was out of reach.
    stranded: Arc<Mutex<Vec<Lease>>>,
    /// The slots that are taken.
    taken: Arc<AtomicUsize>,
    /// Whether we take nothing more.
    closed: watch::Sender<bool>,
}

impl Held {
    /// Begins to fetch.
    fn begin(&self, fetch: Fetch) {
        *lock(&self.fetch) = Some(fetch);
    }

    /// Drives the fetch that is under way; `None` when there is none. What it fetched is in our hands.
    fn poll_fetch(&self, cx: &mut Context<'_>) -> Option<Poll<Result<Vec<Lease>, Fault>>> {
        let mut fetch = lock(&self.fetch);
        let Poll::Ready(fetched) = fetch.as_mut()?.poll_unpin(cx) else {
            return Some(Poll::Pending);
        };
        *fetch = None;
        if let Ok(leases) = &fetched {
            self.take(leases);
        }
        Some(Poll::Ready(fetched))
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// From when nothing more is taken, drives the fetch that is under way to its end, while jobs in
    /// flight finish: it may have a connection that they need. Afterwards all that was taken is in our
    /// hands.
    pub(crate) async fn end_fetch(&self) {
        // The sender is our own, so it is there as long as we wait.
        drop(self.closed.subscribe().wait_for(|closed| *closed).await);
        let Some(fetched) =
            poll_fn(|cx| self.poll_fetch(cx).map_or(Poll::Ready(None), |poll| poll.map(Some)))
                .await
        else {
            return;
        };
        if let Err(fault) = fetched {
            tracing::warn!(error = %fault, "the last jobs were not fetched");
        }
    }

    /// Takes a slot, for one errand.
    fn take_slot(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Frees a slot, because an errand has ended.
    pub(crate) fn free_slot(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes leases into our hands.
    fn take(&self, leases: &[Lease]) {
        let mut held = lock(&self.leases);
        for lease in leases {
            let count = held.entry(lease.token()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Lets a lease go, because its job has ended one way or the other.
    pub(crate) fn release(&self, lease: &Lease) {
        let mut held = lock(&self.leases);
        lock(&self.stranded).retain(|stranded| stranded != lease);
        if let Some(count) = held.get_mut(&lease.token()) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&lease.token());
            }
        }
    }

    /// Keeps a job that has ended, until it can be given back.
    pub(crate) fn strand(&self, lease: Lease) {
        lock(&self.stranded).push(lease);
    }

    /// The jobs that have ended and are to be given back.
    pub(crate) fn stranded(&self) -> Vec<Lease> {
        lock(&self.stranded).clone()
    }

    /// The tokens in our hands.
    pub(crate) fn tokens(&self) -> Vec<Uuid> {
        lock(&self.leases).keys().copied().collect()
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The queue as apalis sees it.
pub(crate) struct Jobs {
    queue: Queue,
    held: Held,
    slots: u16,
    ready: VecDeque<Errand>,
    waking: Option<BoxFuture<'static, ()>>,
    tick: Interval,
    /// Whether there may be more to fetch than was seen.
    more: bool,
    /// Passes [`PAUSE`] after a fetch has begun.
    pause: Pin<Box<Sleep>>,
}

impl Jobs {
    pub(crate) fn new(queue: Queue, held: Held, slots: u16, poll: Duration) -> Self {
        let mut tick = tokio::time::interval(poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (ready, pause) = (VecDeque::new(), Box::pin(sleep(Duration::ZERO)));
        Self { queue, held, slots, ready, waking: None, tick, more: true, pause }
    }

    /// Polls the clock and the wake-up until both are pending, so that one of them wakes us.
    fn listen(&mut self, cx: &mut Context<'_>) {
        while self.tick.poll_tick(cx).is_ready() {
            self.more = true;
        }
        loop {
            let queue = self.queue.clone();
            let waking =
                self.waking.get_or_insert_with(|| async move { queue.woken().await }.boxed());
            if waking.poll_unpin(cx).is_pending() {
                return;
            }
            self.waking = None;
            self.more = true;
        }
    }

    /// Drives the fetch that is under way; `None` when there is none any more.
    fn fetched(&mut self, cx: &mut Context<'_>) -> Option<Poll<()>> {
        let Poll::Ready(fetched) = self.held.poll_fetch(cx)? else { return Some(Poll::Pending) };
        match fetched {
            Ok(leases) => {
                self.more |= !leases.is_empty();
                for errand in Errand::all(leases) {
                    self.held.take_slot();
                    self.ready.push_back(errand);
                }
            }
            Err(fault) => {
                tracing::warn!(error = %fault, "no jobs were fetched; the next tick tries again");
                self.more = false;
            }
        }
        Some(Poll::Ready(()))
    }

    /// Whether a fetch is put off: there was one a moment ago, and few slots are free yet.
    fn waits_for_more_slots(&mut self, free: u16, cx: &mut Context<'_>) -> bool {
        free < self.slots.div_ceil(FEW) && self.pause.as_mut().poll(cx).is_pending()
    }

    fn free(&self) -> u16 {
        let taken = self.held.taken.load(Ordering::Relaxed);
        self.slots.saturating_sub(u16::try_from(taken).unwrap_or(u16::MAX))
    }
}

impl Backend for Jobs {
    type Task = Task<Errand>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        // A stop is told to the runtime too, which comes back for nothing more.
        if *self.held.closed.borrow() {
            return Poll::Pending;
        }
        loop {
            if let Some(errand) = self.ready.pop_front() {
                let id = errand.leases().first().map(|lease| lease.job().to_string());
                let id = TaskId::from_string(id.unwrap_or_default());
                return Poll::Ready(Some(Ok(TaskBuilder::new(errand).task_id(id).build())));
            }
            self.listen(cx);
            match self.fetched(cx) {
                Some(Poll::Pending) => return Poll::Pending,
                Some(Poll::Ready(())) => continue,
                None => {}
            }
            let free = self.free();
            if free == 0 {
                self.more = true;
            }
            if !self.more || free == 0 || self.waits_for_more_slots(free, cx) {
                return Poll::Pending;
            }
            self.more = false;
            self.pause.set(sleep(PAUSE));
            let queue = self.queue.clone();
            self.held.begin(async move { queue.fetch(free).await }.boxed());
        }
    }

    fn poll_close(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Jobs {
    type Args = Errand;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
