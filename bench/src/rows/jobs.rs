//! Jobs: how fast they are done, with an effect and without, and in a queue that remembers much.

use super::{
    OURS, Sides,
    drain::{Queue, Work},
};
use crate::{
    peers::{self, BULLMQ, CELERY, GRAPHILE_WORKER, PG_BOSS},
    report::{Line, Row, Target},
    stage::Stage,
    trouble::Trouble,
};

/// A loop in SQL, in procedures of the server itself, with as many sessions as the worker has connections.
const LOOP: &str = "SQL loop";
/// The same worker on a queue with much done and much to come.
const FULL: &str = "Aftercare, a full table";
/// And on a queue that has nothing else.
const EMPTY: &str = "Aftercare, an empty table";

/// Jobs that do nothing.
pub(super) async fn nothing(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let jobs = stage.by_size(200, 5_000, 50_000);
    let queue = Queue::make(stage, "nothing", Work::Nothing, jobs).await?;
    let peers =
        [(BULLMQ, Some(1.0)), (CELERY, Some(15.0)), (GRAPHILE_WORKER, None), (PG_BOSS, None)];
    let sides = beside_others(stage, &queue, &peers).await?;
    let mut lines = vec![Line::times(&sides, OURS, LOOP, Some(Target::AtLeast(0.7)))];
    lines.extend(peers::lines(&sides, &peers));
    Ok(vec![Row::new("jobs", "No-op jobs, fenced", lines, sides.bars(LOOP), sides.rates())])
}

/// Jobs with one durable transaction each.
pub(super) async fn deadlines(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let jobs = stage.by_size(100, 2_000, 20_000);
    let queue = Queue::make(stage, "deadlines", Work::Deadline, jobs).await?;
    let peers = [(BULLMQ, Some(1.2)), (PG_BOSS, Some(3.5)), (GRAPHILE_WORKER, None)];
    let sides = beside_others(stage, &queue, &peers).await?;
    let mut lines = vec![Line::times(&sides, OURS, LOOP, Some(Target::AtLeast(0.8)))];
    lines.extend(peers::lines(&sides, &peers));
    let title = "Jobs with one durable transaction";
    Ok(vec![Row::new("transactions", title, lines, sides.bars(LOOP), sides.rates())])
}

async fn beside_others(
    stage: &mut Stage,
    queue: &Queue,
    peers: &[(&'static str, Option<f64>)],
) -> Result<Sides, Trouble> {
    let mut sides = Sides::default();
    if stage.options.peers {
        peers::install().await?;
    }
    for _ in 0..stage.rounds() {
        sides.note(OURS, queue.ours(stage).await?);
        sides.note(LOOP, queue.theirs(stage).await?);
        if stage.options.peers {
            for (peer, _) in peers {
                sides.note(peer, queue.of_peer(stage, peer).await?);
            }
        }
    }
    Ok(sides)
}

/// A table of jobs with much in it, beside one with nothing else.
pub(super) async fn backlog(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let jobs = stage.by_size(200, 3_000, 50_000);
    let empty = Queue::make(stage, "empty_table", Work::Nothing, jobs).await?;
    let full = Queue::make(stage, "full_table", Work::Nothing, jobs).await?;
    let (done, future) = stage.by_size((2_000, 200), (200_000, 20_000), (1_000_000, 100_000));
    full.add_backlog(stage, done, future).await?;
    let mut sides = Sides::default();
    for _ in 0..stage.rounds() {
        sides.note(FULL, full.ours(stage).await?);
        sides.note(EMPTY, empty.ours(stage).await?);
    }
    let lines = vec![Line::times(&sides, FULL, EMPTY, Some(Target::AtLeast(0.7)))];
    let title = "A job table with much done and much to come";
    Ok(vec![Row::new("backlog", title, lines, sides.bars(EMPTY), sides.rates())])
}
