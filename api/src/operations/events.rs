//! `/v1/operations/{id}/events`: an operation that is followed while it goes on, as server-sent events.
//!
//! Between two looks a stream holds no transaction and no connection, so any number of them works over a
//! pool of one.

use super::OperationView;
use crate::{
    access::{Access, may},
    problem::{self, Problem},
    request::Id,
};
use axum::{
    Extension,
    http::HeaderName,
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use domain::{
    ids::{OperationId, TenantId},
    operations::Operation,
    record::{Record as _, Version},
};
use futures::{StreamExt as _, stream};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, Sleep, interval, sleep},
};
use tracing::{Instrument as _, Span};

/// How often an operation is looked at: as often as an idle worker looks for jobs.
const LOOK: Duration = Duration::from_millis(500);
/// How often a comment is sent when nothing changes: twice within the 30 seconds after which the strictest
/// of the usual proxies give a silent connection up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long one stream goes on. Then its reader comes again, so that nobody is forgotten here and a new
/// replica gets its share.
const LONGEST: Duration = Duration::from_mins(5);
/// Streams that a process holds open at once: with two looks a second each, 128 short reads a second, which
/// is a small part of what a pool of 8 to 16 does.
const MOST: usize = 64;
/// Streams of one brand among them, so that it takes more than a few brands to leave none for the others.
const MOST_OF_BRAND: usize = 8;
/// When to ask again for a stream when there is none left: about as long as a small import takes.
const RETRY_SECONDS: u64 = 5;

/// nginx collects answers before it passes them on, unless it is told not to.
static UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The streams that a process holds open, until it stops.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    open: Arc<Mutex<BTreeMap<TenantId, usize>>>,
    stop: watch::Receiver<bool>,
}

impl Streams {
    /// Streams that end when `stop` turns true.
    pub(crate) fn until(stop: watch::Receiver<bool>) -> Self {
        Self { open: Arc::default(), stop }
    }

    /// Room for one more stream.
    fn seat(&self, tenant: TenantId) -> Result<Seat, Problem> {
        let mut open = self.counts();
        let of_brand = open.get(&tenant).copied().unwrap_or_default();
        if of_brand >= MOST_OF_BRAND {
            return Err(Problem::new(&problem::TOO_MANY).retry_after(RETRY_SECONDS));
        }
        if open.values().fold(0_usize, |sum, count| sum.saturating_add(*count)) >= MOST {
            return Err(Problem::new(&problem::UNAVAILABLE).retry_after(RETRY_SECONDS));
        }
        open.insert(tenant, of_brand.saturating_add(1));
        Ok(Seat { streams: self.clone(), tenant })
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<TenantId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one stream, given back when the stream ends or its reader has gone.
#[derive(Debug)]
struct Seat {
    streams: Streams,
    tenant: TenantId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.counts();
        let left = open.get(&self.tenant).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            open.remove(&self.tenant);
        } else {
            open.insert(self.tenant, left);
        }
    }
}

/// Follows an operation
///
/// Server-sent events: `progress` with the operation as it is now, at once and whenever it changes, then
/// `end` with the operation as it ended; after that there is nothing to come, and the reader closes. A
/// comment every 15 seconds keeps proxies from giving up. A stream that ends without `end` is opened again:
/// each ends after five minutes, when the service stops, and when the credentials do.
///
/// A brand has at most 8 streams open at each server; a ninth is refused with 429.
#[utoipa::path(
    get, path = "/operations/{id}/events", tag = "imports",
    operation_id = "follow_operation",
    params(("id" = OperationId, Path, description = "The operation.")),
    responses((status = 200, description = "Events, until the operation has ended.",
        content_type = "text/event-stream", body = String, example = json!(EXAMPLE))),
    security(("oauth" = ["imports:read"])),
)]
pub(super) async fn follow_operation(
    mut access: Access<may::ImportsRead>,
    Id(id): Id<OperationId>,
    Extension(streams): Extension<Streams>,
) -> Result<Response, Problem> {
    let view = look(&mut access, id).await?;
    let seat = streams.seat(access.caller().tenant)?;
    // On the heap: on its way into the answer it is moved often, and it holds all that a look needs.
    let events = stream::unfold(Following::new(access, seat, view), Following::next).boxed();
    let answer = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([(UNBUFFERED.clone(), "no")], answer).into_response())
}

const EXAMPLE: &str = r#"event: progress
data: {"id":"opr_01m80t7jx3e9vbq2f4c6d8g0hk","kind":"import","dealer_id":null,"status":"succeeded","progress":{"done":250,"total":250,"failed":1},"outcome":{"created":249,"changed":0,"unchanged":0},"failure":null,"created_at":"2026-11-22T09:00:00.000Z","started_at":"2026-11-22T09:00:01.000Z","finished_at":"2026-11-22T09:00:01.000Z","version":2,"eta":null,"errors_url":"/v1/operations/opr_01m80t7jx3e9vbq2f4c6d8g0hk/errors"}

event: end
data: {"id":"opr_01m80t7jx3e9vbq2f4c6d8g0hk","kind":"import","dealer_id":null,"status":"succeeded","progress":{"done":250,"total":250,"failed":1},"outcome":{"created":249,"changed":0,"unchanged":0},"failure":null,"created_at":"2026-11-22T09:00:00.000Z","started_at":"2026-11-22T09:00:01.000Z","finished_at":"2026-11-22T09:00:01.000Z","version":2,"eta":null,"errors_url":"/v1/operations/opr_01m80t7jx3e9vbq2f4c6d8g0hk/errors"}

"#;

/// One look: the transaction is over when it returns.
async fn look(
    access: &mut Access<may::ImportsRead>,
    id: OperationId,
) -> Result<OperationView, Problem> {
    let reading = access.look().await?;
    let operation: Operation = reading.get(id).await?;
    Ok(OperationView::new(operation, reading.now()))
}

/// What is told next.
enum Stage {
    /// What was seen and not told yet.
    Seen(OperationView),
    /// The next change.
    Waiting,
    /// The end.
    Ended(OperationView),
    /// Nothing.
    Over,
}

/// An operation that is followed.
struct Following {
    access: Access<may::ImportsRead>,
    seat: Seat,
    id: OperationId,
    told: Version,
    stage: Stage,
    looks: Interval,
    until: Pin<Box<Sleep>>,
    /// Faults on the way are logged under the request.
    span: Span,
}

impl Following {
    fn new(access: Access<may::ImportsRead>, seat: Seat, view: OperationView) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first look was the handler's.
        looks.reset();
        let until = Box::pin(sleep(LONGEST));
        let (id, told, stage) = (view.id(), view.version(), Stage::Seen(view));
        Self { access, seat, id, told, stage, looks, until, span: Span::current() }
    }

    /// The next event with what comes after it; `None` when nothing does.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let (name, view) = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Seen(view) => ("progress", view),
            Stage::Waiting => ("progress", self.change().await?),
            Stage::Ended(view) => ("end", view),
            Stage::Over => return None,
        };
        let event = Event::default().event(name).json_data(&view).ok()?;
        if name == "progress" {
            self.stage = if view.has_ended() { Stage::Ended(view) } else { Stage::Waiting };
        }
        Some((Ok(event), self))
    }

    /// Waits for a change; `None` when the stream has to end. A fault ends it too: its reader comes again.
    async fn change(&mut self) -> Option<OperationView> {
        loop {
            tokio::select! {
                _ = self.looks.tick() => {}
                () = &mut self.until => return None,
                _ = self.seat.streams.stop.wait_for(|stop| *stop) => return None,
            }
            let looking = look(&mut self.access, self.id).instrument(self.span.clone());
            let view = looking.await.ok()?;
            if view.version() != self.told {
                self.told = view.version();
                return Some(view);
            }
        }
    }
}
