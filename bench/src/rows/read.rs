//! Reading one customer: token, scope, policies, the whole record as JSON.

use super::{
    BARE, FUNCTION, OPEN_WALLS, OURS, PIPELINED, SEPARATE, Sides, on_a_line, scope, set_walls,
};
use crate::{
    data::HALF,
    peers::{self, FASTAPI, FASTIFY, Peer},
    report::{Line, Row, Target},
    sql::{CLIENTS, LOGIN, Load, SUPERUSER},
    stage::{Ground, Stage},
    talk::Reads,
    trouble::Trouble,
};

/// The columns of a customer, as the program asks for them.
pub(super) const COLUMNS: &str = "tenant_id, id, source, external_id, dealer_id, name, kind, locale, phone, email, tier, \
     lifecycle, created_at, version, relationship_owner_id";

/// What pgbench does, in four ways.
pub(super) struct Scripts {
    separate: String,
    pub(super) pipelined: String,
    function: String,
    bare: String,
}

impl Scripts {
    pub(super) fn of(ground: &Ground) -> Self {
        let draw = ground.amount.draw();
        let (tenant, id) =
            (format!("'{HALF}' || :t::text"), format!("('{HALF}' || :c::text)::uuid"));
        let select = format!(
            "SELECT {COLUMNS} FROM customer WHERE id = {id} AND tenant_id = ({tenant})::uuid LIMIT 1;"
        );
        let enter = on_a_line(&scope(&tenant));
        let steps = format!("BEGIN;\n{enter}\n{select}\nCOMMIT;\n");
        let bare = format!("{draw}\\startpipeline\nBEGIN;\n{select}\nCOMMIT;\n\\endpipeline\n");
        Self {
            separate: format!("{draw}{steps}"),
            pipelined: format!("{draw}\\startpipeline\n{steps}\\endpipeline\n"),
            function: format!("{draw}SELECT * FROM bench.read_customer({tenant}, {id});\n"),
            bare,
        }
    }
}

/// The function that pgbench calls.
fn function() -> String {
    format!(
        "CREATE SCHEMA IF NOT EXISTS bench;
         GRANT USAGE ON SCHEMA bench TO PUBLIC;
         CREATE OR REPLACE FUNCTION bench.read_customer(tenant text, wanted uuid) RETURNS SETOF customer
         LANGUAGE plpgsql AS $$ BEGIN
             PERFORM {}
             RETURN QUERY SELECT {COLUMNS} FROM customer WHERE id = wanted AND tenant_id = tenant::uuid LIMIT 1;
         END $$;",
        scope("tenant").trim_start_matches("SELECT ")
    )
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.main().await?;
    stage.psql.run(&ground.database, &function()).await?;
    let scripts = Scripts::of(&ground);
    let peers = peers::servers(stage, &ground).await?;
    let mut sides = Sides::default();
    if stage.warms_up() {
        round(stage, (&ground, &peers), &scripts, 1, &mut Sides::default()).await?;
    }
    for _ in 0..stage.rounds() {
        round(stage, (&ground, &peers), &scripts, stage.seconds(), &mut sides).await?;
    }
    let times = |ours, theirs, target| Line::times(&sides, ours, theirs, target);
    let mut lines = vec![
        times(OURS, SEPARATE, Some(Target::AtLeast(1.1))),
        times(OURS, PIPELINED, Some(Target::AtLeast(0.65))),
        times(OURS, FUNCTION, None),
    ];
    lines.extend(peers::lines(&sides, &[(FASTIFY, Some(3.5)), (FASTAPI, Some(7.0))]));
    let isolation =
        vec![times(PIPELINED, BARE, Some(Target::AtLeast(0.8))), times(OURS, OPEN_WALLS, None)];
    Ok(vec![
        Row::new("read", "Read one customer", lines, sides.bars(SEPARATE), sides.rates()),
        Row::new(
            "isolation-read",
            "Cost of isolation, reading",
            isolation,
            Vec::new(),
            String::new(),
        ),
    ])
}

async fn round(
    stage: &mut Stage,
    (ground, peers): (&Ground, &[Peer]),
    scripts: &Scripts,
    seconds: u32,
    sides: &mut Sides,
) -> Result<(), Trouble> {
    sides.note(OURS, ours(stage, ground, seconds).await?);
    for peer in peers {
        sides.note(peer.name, ours(stage, &peer.ground, seconds).await?);
    }
    let ways = [
        (SEPARATE, LOGIN, &scripts.separate),
        (PIPELINED, LOGIN, &scripts.pipelined),
        (FUNCTION, LOGIN, &scripts.function),
        (BARE, SUPERUSER, &scripts.bare),
    ];
    for (side, user, script) in ways {
        let load = Load {
            name: "read",
            database: &ground.database,
            user,
            script: script.clone(),
            clients: CLIENTS,
            seconds,
        };
        sides.note(side, stage.load(load).await?.rate);
    }
    set_walls(stage, &ground.database, false).await?;
    let open = ours(stage, ground, seconds).await;
    set_walls(stage, &ground.database, true).await?;
    sides.note(OPEN_WALLS, open?);
    Ok(())
}

async fn ours(stage: &mut Stage, ground: &Ground, seconds: u32) -> Result<f64, Trouble> {
    let voices = stage.voices(ground);
    let talks = voices.into_iter().map(Reads::with).collect();
    Ok(stage.talk(ground, talks, seconds).await?.rate())
}
