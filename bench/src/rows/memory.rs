//! Memory of the API and of a worker: at rest, and under a load that goes on.

use crate::{
    data::Amount,
    http::{self, Window},
    numbers::Spread,
    program::Running,
    report::{Line, Row, Target, Unit},
    stage::{Ground, Stage},
    talk::{Complains, Lists},
    trouble::Trouble,
};
use std::time::Duration;
use tokio::time::{Instant, interval, sleep};

/// How long processes rest after their start.
const REST: Duration = Duration::from_secs(2);
/// How often their memory is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.ground("memory", Amount { tenants: 20, customers_each: 500 }).await?;
    // Fresh ones: the API has made tokens already.
    let (api, worker) =
        (stage.program.api(&ground.database).await?, stage.program.worker(&ground.database).await?);
    sleep(REST).await;
    let idle = [&api, &worker].map(|process| f64::from(process.resident_mb()));
    let ground = Ground { place: api.place, ..ground };
    let length = Duration::from_secs(stage.by_size(2, 12, 150));
    let (window, looked) = under_load(stage, &ground, [&api, &worker], length).await?;
    api.stop().await?;
    worker.stop().await?;
    let failed = &window.failed;
    stage.ledger.expect(
        window.failures() == 0 && window.done > 0,
        format!("answers by status: {failed:?}"),
    );
    let megabytes = |what, values: &[f64], most| {
        let spread = Spread::of(values);
        // The process that has most counts.
        let spread = Spread { median: spread.high, ..spread };
        Line::of(what, spread, Unit::Megabytes, Some(Target::AtMost(most)))
    };
    let all: Vec<f64> = looked.iter().flatten().copied().collect();
    let mut lines = vec![megabytes("idle, the larger process", &idle, 40.0)];
    lines.push(megabytes("under load, the most", &all, 100.0));
    for (name, which) in [("the API", 0), ("the worker", 1)] {
        let of = |sample: &[f64; 2]| sample.get(which).copied().unwrap_or_default();
        let memory: Vec<f64> = looked.iter().map(of).collect();
        // What is warming up in the first part of the time is not what grows.
        let (_, later) = memory.split_at(memory.len().div_euclid(2));
        let (begin, end) = later.split_at(later.len().div_euclid(2));
        let grown = Spread::of_quotients(&[Spread::of(end).median], &[Spread::of(begin).median]);
        let what = format!("{name}, last quarter of the load ÷ the one before");
        lines.push(Line::of(&what, grown, Unit::Times, Some(Target::AtMost(1.05))));
    }
    Ok(vec![Row::new("memory", "Memory of a process", lines, Vec::new(), String::new())])
}

/// Lists and complaints, whose jobs are done meanwhile, and what memory was in use.
async fn under_load(
    stage: &mut Stage,
    ground: &Ground,
    processes: [&Running; 2],
    length: Duration,
) -> Result<(Window, Vec<[f64; 2]>), Trouble> {
    let lists = stage.voices(ground).into_iter().map(Lists::with).collect();
    let complains = stage.voices(ground).into_iter().map(Complains::with).collect();
    let mut looked = Vec::new();
    let look = async {
        let (began, mut ticks) = (Instant::now(), interval(LOOK));
        while began.elapsed() < length {
            ticks.tick().await;
            looked.push(processes.map(|process| f64::from(process.resident_mb())));
        }
    };
    let load = async {
        tokio::try_join!(
            http::window(ground.place, lists, length),
            http::window(ground.place, complains, length),
        )
    };
    let (load, ()) = tokio::join!(load, look);
    let (lists, complaints) = load?;
    let mut sum = Window { done: lists.done.saturating_add(complaints.done), ..complaints };
    for (status, count) in lists.failed {
        let all = sum.failed.entry(status).or_default();
        *all = all.saturating_add(count);
    }
    Ok((sum, looked))
}
