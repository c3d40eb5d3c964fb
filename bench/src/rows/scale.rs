//! Growth: the same requests on a small database and on a large one.

use super::{Sides, read::Scripts};
use crate::{
    data::Amount,
    report::{Line, Row, Target},
    sql::{CLIENTS, LOGIN, Load},
    stage::{Ground, Stage},
    talk::{Lists, Reads},
    trouble::Trouble,
};

/// Reading on the small database.
const READ_SMALL: &str = "read, small";
/// Reading on the large one.
const READ_LARGE: &str = "read, large";
/// Lists on the small database.
const LIST_SMALL: &str = "list, small";
/// Lists on the large one.
const LIST_LARGE: &str = "list, large";
/// pgbench on the small database.
const LIMIT_SMALL: &str = "pgbench, small";
/// pgbench on the large one.
const LIMIT_LARGE: &str = "pgbench, large";

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let small = stage.by_size(
        Amount { tenants: 2, customers_each: 50 },
        Amount { tenants: 10, customers_each: 1_000 },
        Amount { tenants: 10, customers_each: 1_000 },
    );
    let large = stage.by_size(
        Amount { tenants: 20, customers_each: 50 },
        Amount { tenants: 1_000, customers_each: 200 },
        Amount { tenants: 10_000, customers_each: 100 },
    );
    let small = stage.ground("small", small).await?;
    let large = stage.ground("large", large).await?;
    let mut sides = Sides::default();
    if stage.warms_up() {
        round(stage, &small, &large, 1, &mut Sides::default()).await?;
    }
    for _ in 0..stage.rounds() {
        round(stage, &small, &large, stage.seconds(), &mut sides).await?;
    }
    let lines = vec![
        Line::times(&sides, READ_LARGE, READ_SMALL, Some(Target::AtLeast(0.8))),
        Line::times(&sides, LIST_LARGE, LIST_SMALL, Some(Target::AtLeast(0.8))),
        Line::times(&sides, LIMIT_LARGE, LIMIT_SMALL, None),
    ];
    let title = "More rows and more tenants";
    Ok(vec![Row::new("scale", title, lines, Vec::new(), sides.rates())])
}

async fn round(
    stage: &mut Stage,
    small: &Ground,
    large: &Ground,
    seconds: u32,
    sides: &mut Sides,
) -> Result<(), Trouble> {
    for (ground, read, list, limit) in
        [(small, READ_SMALL, LIST_SMALL, LIMIT_SMALL), (large, READ_LARGE, LIST_LARGE, LIMIT_LARGE)]
    {
        let reads = stage.voices(ground).into_iter().map(Reads::with).collect();
        sides.note(read, stage.talk(ground, reads, seconds).await?.rate());
        let lists = stage.voices(ground).into_iter().map(Lists::with).collect();
        sides.note(list, stage.talk(ground, lists, seconds).await?.rate());
        let load = Load {
            name: "scale",
            database: &ground.database,
            user: LOGIN,
            script: Scripts::of(ground).pipelined,
            clients: CLIENTS,
            seconds,
        };
        sides.note(limit, stage.load(load).await?.rate);
    }
    Ok(())
}
