//! From a fact to whoever acts on it: how long a job waits on a system that has nothing else to do.

use crate::{
    data::Amount,
    http::{Connection, Talk as _},
    numbers::Spread,
    report::{Line, Row, Target, Unit},
    stage::{Ground, Stage},
    talk::Complains,
    trouble::Trouble,
};
use std::time::Duration;
use tokio::time::sleep;

/// Between two facts: long enough that the worker is idle again.
const REST: Duration = Duration::from_millis(40);
/// How long jobs may take to be done.
const PATIENCE_SECONDS: u32 = 20;

/// From the commit of the request to the begin of the job's transaction. The instant of a commit is that at which
/// it is decided, so the disk is waited for within this time.
const WAITED: &str = "
    SELECT coalesce(round(1000 * extract(epoch FROM j.finished_at - pg_xact_commit_timestamp(a.xmin)), 3), -1)
    FROM job j JOIN audit_entry a ON a.tenant_id = j.tenant_id AND a.subject = j.payload ->> 'complaint'
    WHERE j.kind = 'complaint_opened' AND j.state = 'done' AND a.action = 'create' ORDER BY 1";

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.ground("latency", Amount { tenants: 4, customers_each: 100 }).await?;
    let worker = stage.program.worker(&ground.database).await?;
    let facts = stage.by_size(10, 150, 1_000);
    let with = waited(stage, &ground, facts).await?;
    stage.redis.kill().await?;
    let facts = stage.by_size(4, 20, 50);
    let without = waited(stage, &ground, facts).await;
    stage.redis.resume().await?;
    worker.stop().await?;
    let without = without?;
    let (half, most) =
        (crate::numbers::quantile(&with, 0.5), crate::numbers::quantile(&with, 0.99));
    let figure = |what, value: f64, target| {
        let spread = Spread {
            median: value,
            low: *with.first().unwrap_or(&0.0),
            high: *with.last().unwrap_or(&0.0),
        };
        Line::of(what, spread, Unit::Milliseconds, Some(Target::AtMost(target)))
    };
    let dead = Spread::of(&without);
    let dead = Spread { median: dead.high, ..dead };
    let lines = vec![
        figure("p50", half, 5.0),
        figure("p99", most, 25.0),
        Line::of(
            "the longest with Redis dead",
            dead,
            Unit::Milliseconds,
            Some(Target::AtMost(1_100.0)),
        ),
    ];
    Ok(vec![Row::new(
        "latency",
        "From enqueuing to the start, idle",
        lines,
        Vec::new(),
        String::new(),
    )])
}

/// Has so many complaints opened, one after the other, and answers what their jobs waited, sorted, in milliseconds.
async fn waited(stage: &mut Stage, ground: &Ground, facts: u32) -> Result<Vec<f64>, Trouble> {
    let database = &ground.database;
    // The jobs of complaints that went before are done, or are none of ours.
    stage.psql.run(database, "DELETE FROM job").await?;
    let mut voices = stage.voices(ground);
    let voice = voices.pop().ok_or_else(|| Trouble::unexpected("nobody speaks"))?;
    let mut complains = Complains::with(voice);
    let failed = || Trouble::during("a complaint was not answered");
    let mut connection = Connection::open(ground.place).await.map_err(failed())?;
    for _ in 0..facts {
        sleep(REST).await;
        let mut request = Vec::new();
        complains.ask(&mut request);
        let answer = connection.ask(&request).await.map_err(failed())?;
        stage.ledger.expect(answer.status == 201, format!("a complaint got {}", answer.status));
    }
    let left = "SELECT count(*) FROM job WHERE kind = 'complaint_opened' AND state <> 'done'";
    for _ in 0..PATIENCE_SECONDS {
        if stage.psql.value(database, left).await? == 0.0 {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let said = stage.psql.run(database, WAITED).await?;
    let waited: Vec<f64> = said.lines().filter_map(|line| line.parse().ok()).collect();
    let counted = waited.iter().filter(|one| **one >= 0.0).count();
    let all = usize::try_from(facts).unwrap_or(usize::MAX);
    stage.ledger.expect(counted == all, format!("{counted} of {all} jobs were done"));
    Ok(waited)
}
