//! Listing fifty customers, page after page, by keyset.

use super::{
    BARE, OPEN_WALLS, OURS, PIPELINED, SEPARATE, Sides, on_a_line, read::COLUMNS, scope, set_walls,
};
use crate::{
    data::{FIRST_CUSTOMER, HALF},
    report::{Line, Row, Target},
    sql::{CLIENTS, LOGIN, Load, SUPERUSER},
    stage::{Ground, Stage},
    talk::Lists,
    trouble::Trouble,
};

/// Customers on a page.
pub(crate) const PAGE: u64 = 50;

struct Scripts {
    separate: String,
    pipelined: String,
    bare: String,
}

impl Scripts {
    fn of(ground: &Ground) -> Self {
        let amount = ground.amount;
        let each = amount.customers_each;
        // As often as our callers: one page in ten is the first, behind which every customer is.
        let place = format!(
            "\\set page random(0, 9)\n\\set c {FIRST_CUSTOMER} + :b * {each} + {each} - :page * {PAGE}\n"
        );
        let draw = format!("{}{place}", amount.draw());
        let (tenant, id) =
            (format!("'{HALF}' || :t::text"), format!("('{HALF}' || :c::text)::uuid"));
        // One more than a page holds says whether there is another.
        let select = format!(
            "SELECT {COLUMNS} FROM customer WHERE tenant_id = ({tenant})::uuid AND id < {id} \
             ORDER BY id DESC LIMIT {};",
            PAGE.saturating_add(1)
        );
        let enter = on_a_line(&scope(&tenant));
        let steps = format!("BEGIN;\n{enter}\n{select}\nCOMMIT;\n");
        Self {
            separate: format!("{draw}{steps}"),
            pipelined: format!("{draw}\\startpipeline\n{steps}\\endpipeline\n"),
            bare: format!("{draw}\\startpipeline\nBEGIN;\n{select}\nCOMMIT;\n\\endpipeline\n"),
        }
    }
}

/// Measures it.
pub(super) async fn measure(stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
    let ground = stage.main().await?;
    let scripts = Scripts::of(&ground);
    let mut sides = Sides::default();
    if stage.warms_up() {
        round(stage, &ground, &scripts, 1, &mut Sides::default()).await?;
    }
    for _ in 0..stage.rounds() {
        round(stage, &ground, &scripts, stage.seconds(), &mut sides).await?;
    }
    let times = |ours, theirs, target| Line::times(&sides, ours, theirs, target);
    let lines =
        vec![times(OURS, SEPARATE, None), times(OURS, PIPELINED, Some(Target::AtLeast(0.65)))];
    let isolation =
        vec![times(PIPELINED, BARE, Some(Target::AtLeast(0.9))), times(OURS, OPEN_WALLS, None)];
    Ok(vec![
        Row::new("list", "List 50 by keyset", lines, sides.bars(SEPARATE), sides.rates()),
        Row::new(
            "isolation-list",
            "Cost of isolation, lists",
            isolation,
            Vec::new(),
            String::new(),
        ),
    ])
}

async fn round(
    stage: &mut Stage,
    ground: &Ground,
    scripts: &Scripts,
    seconds: u32,
    sides: &mut Sides,
) -> Result<(), Trouble> {
    sides.note(OURS, ours(stage, ground, seconds).await?);
    let ways = [
        (SEPARATE, LOGIN, &scripts.separate),
        (PIPELINED, LOGIN, &scripts.pipelined),
        (BARE, SUPERUSER, &scripts.bare),
    ];
    for (side, user, script) in ways {
        let load = Load {
            name: "list",
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
    let talks = voices.into_iter().map(Lists::with).collect();
    Ok(stage.talk(ground, talks, seconds).await?.rate())
}
