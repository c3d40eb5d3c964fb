//! Reading one record on the path that all records take: a dealer, by sea-orm, with nothing made for it.

use super::{OURS, SEPARATE, Sides, on_a_line, scope};
use crate::{
    data::HALF,
    report::{Line, Row, Target},
    sql::{CLIENTS, LOGIN, Load},
    stage::{Ground, Stage},
    talk::ReadsDealers,
    trouble::Trouble,
};

/// What pgbench does, statement by statement.
fn separate(ground: &Ground) -> String {
    let tenant = format!("'{HALF}' || :t::text");
    let enter = on_a_line(&scope(&tenant));
    format!(
        "{draw}BEGIN;\n{enter}\n\
         SELECT tenant_id, id, code, name, tz, status, created_at, version FROM dealer \
         WHERE id = ({tenant})::uuid AND tenant_id = ({tenant})::uuid LIMIT 1;\nCOMMIT;\n",
        draw = ground.amount.draw(),
    )
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.main().await?;
    let mut sides = Sides::default();
    if stage.warms_up() {
        round(stage, &ground, 1, &mut Sides::default()).await?;
    }
    for _ in 0..stage.rounds() {
        round(stage, &ground, stage.seconds(), &mut sides).await?;
    }
    let lines = vec![Line::times(&sides, OURS, SEPARATE, Some(Target::AtLeast(0.6)))];
    Ok(vec![Row::new("plain", "Read one record, the plain path", lines, Vec::new(), sides.rates())])
}

async fn round(
    stage: &mut Stage,
    ground: &Ground,
    seconds: u32,
    sides: &mut Sides,
) -> Result<(), Trouble> {
    let talks = stage.voices(ground).into_iter().map(ReadsDealers::with).collect();
    sides.note(OURS, stage.talk(ground, talks, seconds).await?.rate());
    let (database, user, script) = (ground.database.as_str(), LOGIN, separate(ground));
    let load = Load { name: "plain", database, user, script, clients: CLIENTS, seconds };
    sides.note(SEPARATE, stage.load(load).await?.rate);
    Ok(())
}
