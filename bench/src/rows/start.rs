//! How long it takes from the start of the program to its first answer.

use crate::{
    http,
    numbers::Spread,
    program::{READY, milliseconds},
    report::{Line, Row, Target, Unit},
    stage::Stage,
    trouble::Trouble,
};
use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};
use tokio::time::{Instant, sleep};

/// How long the demo may take, which is made when a cluster is new, in tenths of a second.
const MOST_LOOKS: u32 = 600;

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    stage.make_database("start").await?;
    let (mut server, mut cluster) = (Vec::new(), Vec::new());
    for _ in 0..stage.by_size(1, 5, 20) {
        let began = Instant::now();
        let api = stage.program.api("start").await?;
        server.push(milliseconds(began));
        api.stop().await?;
    }
    // In small the program is not given a cluster of its own: making one and its demo takes too long.
    if !stage.options.smoke {
        cluster = with_cluster(stage).await?;
    }
    let line = |what, times: &[f64], most| {
        Line::of(what, Spread::of(times), Unit::Milliseconds, Some(Target::AtMost(most)))
    };
    let lines = vec![
        line("on a running server, migrations current", &server, 150.0),
        line("with an existing private cluster", &cluster, 500.0),
    ];
    Ok(vec![Row::new("start", "First answer", lines, Vec::new(), String::new())])
}

/// Starts with a private cluster that is there already, in milliseconds each.
async fn with_cluster(stage: &mut Stage) -> Result<Vec<f64>, Trouble> {
    let mut times = Vec::new();
    let data = stage.folder.path().join("own");
    fs::create_dir(&data).map_err(Trouble::during("no folder can be made"))?;
    let open = fs::Permissions::from_mode(0o711);
    fs::set_permissions(&data, open).map_err(Trouble::during("no folder can be made"))?;
    // The first start makes the cluster and the demo, which is another matter.
    let first = stage.program.all(&data).await?;
    let answer = http::once(first.place, READY).await;
    stage.ledger.expect(answer.is_ok_and(|answer| answer.status == 200), "the cluster is ready");
    let demo = data.join("demo.done");
    for _ in 0..MOST_LOOKS {
        if demo.exists() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    first.stop().await?;
    for _ in 0..stage.by_size(0, 3, 10) {
        let began = Instant::now();
        let all = stage.program.all(&data).await?;
        times.push(milliseconds(began));
        all.stop().await?;
    }
    Ok(times)
}
