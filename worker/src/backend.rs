//! apalis's way to our queue: it asks for as many jobs as there are free slots, always leaves a waker
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
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use store::{
    Fault,
    jobs::{Lease, Queue},
};
use tokio::time::{Interval, MissedTickBehavior};
use uuid::Uuid;

/// The leases in this process's hands, by token, with how many jobs each still covers. What is in it is
/// renewed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(Arc<Mutex<BTreeMap<Uuid, usize>>>);

impl Held {
    /// Takes leases into our hands.
    fn take(&self, leases: &[Lease]) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for lease in leases {
            let count = held.entry(lease.token()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Lets a lease go, because its job has ended one way or the other.
    pub(crate) fn release(&self, lease: &Lease) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&lease.token()) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&lease.token());
            }
        }
    }

    /// The tokens in our hands.
    pub(crate) fn tokens(&self) -> Vec<Uuid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// How many jobs are in our hands.
    fn count(&self) -> usize {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// The queue as apalis sees it.
pub(crate) struct Jobs {
    queue: Queue,
    held: Held,
    slots: u16,
    ready: VecDeque<Lease>,
    fetching: Option<BoxFuture<'static, Result<Vec<Lease>, Fault>>>,
    waking: Option<BoxFuture<'static, ()>>,
    tick: Interval,
    /// Whether there may be more to fetch than was seen.
    more: bool,
}

impl Jobs {
    pub(crate) fn new(queue: Queue, held: Held, slots: u16, poll: Duration) -> Self {
        let mut tick = tokio::time::interval(poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self {
            queue,
            held,
            slots,
            ready: VecDeque::new(),
            fetching: None,
            waking: None,
            tick,
            more: true,
        }
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
        let fetching = self.fetching.as_mut()?;
        let Poll::Ready(fetched) = fetching.poll_unpin(cx) else { return Some(Poll::Pending) };
        self.fetching = None;
        match fetched {
            Ok(leases) => {
                self.more |= !leases.is_empty();
                self.held.take(&leases);
                self.ready.extend(leases);
            }
            Err(fault) => {
                tracing::warn!(error = %fault, "no jobs were fetched; the next tick tries again");
                self.more = false;
            }
        }
        Some(Poll::Ready(()))
    }

    fn free(&self) -> u16 {
        self.slots.saturating_sub(u16::try_from(self.held.count()).unwrap_or(u16::MAX))
    }
}

impl Backend for Jobs {
    type Task = Task<Lease>;
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
        loop {
            if let Some(lease) = self.ready.pop_front() {
                let attempt =
                    usize::try_from(lease.attempts().saturating_sub(1)).unwrap_or_default();
                let id = TaskId::from_string(lease.job().to_string());
                let task = TaskBuilder::new(lease).task_id(id).attempt(attempt).build();
                return Poll::Ready(Some(Ok(task)));
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
            if !self.more || free == 0 {
                return Poll::Pending;
            }
            self.more = false;
            let queue = self.queue.clone();
            self.fetching = Some(async move { queue.fetch(free).await }.boxed());
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
    type Args = Lease;
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
