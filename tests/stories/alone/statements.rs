//! Statements at random, as a handler might send them by mistake, under the scope of one tenant.
//!
//! The seed is printed; `AFTERCARE_TEST_SEED` says it again, and `AFTERCARE_TEST_STATEMENTS` how many there are.

use super::{
    Neighbours,
    schema::{Table, digest, tables},
};
use crate::house::LOGIN;
use futures::TryStreamExt as _;
use sea_orm::{
    ConnectionTrait as _,
    sqlx::{self, AssertSqlSafe, Either, Executor as _, PgConnection, Row as _, SqlSafeStr as _},
};
use uuid::Uuid;

/// How many statements there are when nobody says.
const STATEMENTS: u64 = 10_000;
/// So many of them are one transaction. What they touch is dead afterwards, and tidied away between two.
const TOGETHER: u64 = 1_000;
/// Every so many statements that change nothing are kept, and the others undone.
const KEPT: u64 = 20;

/// Chance that can be had again (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(most).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// What must come of a statement.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// Whoever's rows it tells of, they are ours; it may be refused.
    Ours,
    /// It counts so many.
    Count(i64),
    /// It is refused, or there was nothing that it could have done.
    Nothing,
}

/// What came of a statement.
#[derive(Debug, Default)]
struct Told {
    texts: Vec<Option<String>>,
    touched: u64,
    refused: Option<String>,
}

/// Somebody who makes up statements.
struct Author<'a> {
    dice: Dice,
    tables: &'a [Table],
    ours: String,
    theirs: Vec<String>,
}

impl<'a> Author<'a> {
    fn table(&mut self) -> &'a Table {
        self.dice.of(self.tables)
    }

    fn stranger(&mut self) -> String {
        self.dice.of(&self.theirs).clone()
    }

    /// An identifier that somebody else's row has, of `table` if there is one.
    fn foreign_id(&mut self, table: &Table) -> String {
        let known =
            self.tables.iter().find(|one| one.name == table.name && !one.foreign.is_empty());
        match known {
            Some(table) => self.dice.of(&table.foreign).clone(),
            None => self.stranger(),
        }
    }

    /// A condition on the row `a` of `table`.
    fn condition(&mut self, a: &str, table: &Table) -> String {
        let (one, other) = (self.simple(a, table), self.simple(a, table));
        match self.dice.below(6) {
            0 => format!("({one} OR {other})"),
            1 => format!("({one} AND {other})"),
            2 => format!("NOT ({one})"),
            _ => one,
        }
    }

    fn simple(&mut self, a: &str, table: &Table) -> String {
        let (t, ours, theirs) = (table.owner, self.ours.clone(), self.stranger());
        let other = self.table();
        let (u, s) = (&other.name, other.owner);
        match self.dice.below(13) {
            0 => "true".to_owned(),
            1 => format!("{a}.{t} = '{theirs}'"),
            2 => format!("{a}.{t} <> '{ours}'"),
            3 => format!("{a}.{t} IN ('{ours}', '{theirs}')"),
            4 => format!("{a}.{t} IS DISTINCT FROM '{ours}'"),
            5 => format!("{a}.{t}::text LIKE '%'"),
            6 => format!("length({a}::text) > 0"),
            // An error would tell that there is a row of somebody else's.
            7 => format!("1 / (CASE WHEN {a}.{t} <> '{ours}' THEN 0 ELSE 1 END) = 1"),
            // What is asked for each row of a join must not ask for each row of a third table.
            8 => format!("EXISTS (SELECT 1 FROM {u} x WHERE x.{s} <> '{ours}')"),
            9 => format!("(SELECT count(*) FROM {u} x WHERE x.{s} <> '{ours}') >= 0"),
            10 => format!("{a}.{t} IN (SELECT x.{s} FROM {u} x)"),
            11 if table.has_id && other.has_id => {
                format!("{a}.id IN (SELECT x.id FROM {u} x)")
            }
            _ if table.has_id => format!("{a}.id = '{}'", self.foreign_id(table)),
            _ => format!("{a}.{t} > '{theirs}'"),
        }
    }

    /// A statement, and what must come of it.
    fn statement(&mut self) -> (String, Wanted) {
        match self.dice.below(10) {
            0..5 => (self.read(), Wanted::Ours),
            5 => self.count(),
            6 | 7 => (self.touch(), Wanted::Ours),
            _ => (self.trespass(), Wanted::Nothing),
        }
    }

    fn read(&mut self) -> String {
        let (table, other) = (self.table(), self.table());
        let (t, u) = (&table.name, &other.name);
        let (mine, its) = (table.owner, other.owner);
        let (p, q) = (self.condition("a", table), self.condition("b", other));
        match self.dice.below(11) {
            0 => format!("SELECT a.{mine}::text FROM {t} a WHERE {p}"),
            1 => {
                let join = self.dice.of(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]);
                let on = *self.dice.of(&["=", "<>", ">="]);
                format!(
                    "SELECT a.{mine}::text, b.{its}::text FROM {t} a {join} {u} b ON b.{its} {on} a.{mine} WHERE {p} LIMIT 100"
                )
            }
            2 => format!(
                "SELECT a.{mine}::text, b.{its}::text FROM {t} a FULL JOIN {u} b ON b.{its} = a.{mine} WHERE {q} LIMIT 100"
            ),
            3 => {
                let kept = self.dice.of(&["", "MATERIALIZED", "NOT MATERIALIZED"]);
                format!(
                    "WITH x AS {kept} (SELECT * FROM {t} a WHERE {p}) SELECT {mine}::text FROM x"
                )
            }
            4 => format!(
                "SELECT (SELECT min(b.{its}::text) FROM {u} b WHERE {q}) FROM {t} a WHERE {p} LIMIT 20"
            ),
            5 => {
                let with = self.dice.of(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]);
                format!(
                    "SELECT a.{mine}::text FROM {t} a WHERE {p} {with} SELECT b.{its}::text FROM {u} b WHERE {q}"
                )
            }
            6 => format!(
                "SELECT a.{mine}::text, l.whose FROM {t} a CROSS JOIN LATERAL (SELECT b.{its}::text AS whose FROM {u} b WHERE {q} LIMIT 5) l LIMIT 100"
            ),
            7 => format!("SELECT to_jsonb(a) ->> '{mine}' FROM {t} a WHERE {p}"),
            8 => format!(
                "SELECT min(a.{mine}::text) OVER (), max(a.{mine}::text) OVER () FROM {t} a WHERE {p} LIMIT 20"
            ),
            9 => format!(
                "WITH RECURSIVE r(whose, n) AS (SELECT a.{mine}::text, 1 FROM {t} a WHERE {p} UNION SELECT b.{its}::text, n + 1 FROM {u} b, r WHERE n < 3) SELECT whose FROM r"
            ),
            _ => {
                let lock = self.dice.of(&["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"]);
                let wait = self.dice.of(&["", "SKIP LOCKED", "NOWAIT"]);
                format!("SELECT a.{mine}::text FROM {t} a WHERE {p} FOR {lock} {wait}")
            }
        }
    }

    fn count(&mut self) -> (String, Wanted) {
        let table = self.table();
        let (t, a, ours, theirs) = (&table.name, table.owner, self.ours.clone(), self.stranger());
        match self.dice.below(5) {
            0 => (format!("SELECT count(*)::text FROM {t}"), Wanted::Count(table.own)),
            1 => {
                (format!("SELECT count(*)::text FROM {t} WHERE {a} <> '{ours}'"), Wanted::Count(0))
            }
            2 => {
                (format!("SELECT count(*)::text FROM {t} WHERE {a} = '{theirs}'"), Wanted::Count(0))
            }
            3 => (
                format!("SELECT count(*) FILTER (WHERE {a} <> '{ours}')::text FROM {t}"),
                Wanted::Count(0),
            ),
            // What the planner knows of everybody's values is shown to nobody.
            _ => (
                format!(
                    "SELECT count(*)::text FROM pg_stats WHERE schemaname = 'public' AND tablename = '{t}'"
                ),
                Wanted::Count(0),
            ),
        }
    }

    /// Touches rows and leaves them as they were, or removes them.
    fn touch(&mut self) -> String {
        let (table, other) = (self.table(), self.table());
        let (t, u) = (&table.name, &other.name);
        let (mine, its) = (table.owner, other.owner);
        let (p, q) = (self.condition("a", table), self.condition("b", other));
        match self.dice.below(6) {
            0 => format!("UPDATE {t} a SET {mine} = a.{mine} WHERE {p} RETURNING a.{mine}::text"),
            1 => format!(
                "UPDATE {t} a SET {mine} = a.{mine} FROM {u} b WHERE {q} RETURNING a.{mine}::text, b.{its}::text"
            ),
            2 => format!(
                "WITH x AS (UPDATE {t} a SET {mine} = a.{mine} WHERE {p} RETURNING a.{mine}::text AS whose) SELECT whose FROM x"
            ),
            3 => format!(
                "INSERT INTO {t} SELECT r.* FROM {t} r LIMIT 3 ON CONFLICT DO NOTHING RETURNING {mine}::text"
            ),
            4 => format!("DELETE FROM {t} a WHERE {p} RETURNING a.{mine}::text"),
            _ => format!(
                "DELETE FROM {t} a USING {u} b WHERE {q} RETURNING a.{mine}::text, b.{its}::text"
            ),
        }
    }

    /// Writes another tenant's name, or the identifier of a row of theirs.
    fn trespass(&mut self) -> String {
        let table = self.table();
        let (t, a, theirs) = (&table.name, table.owner, self.stranger());
        match self.dice.below(8) {
            0 => format!("UPDATE {t} SET {a} = '{theirs}'"),
            1 => format!("UPDATE {t} SET {a} = {a} WHERE {a} = '{theirs}'"),
            2 => format!("DELETE FROM {t} WHERE {a} = '{theirs}'"),
            3 => format!(
                "MERGE INTO {t} a USING (SELECT '{theirs}'::uuid AS whose) s ON a.{a} = s.whose WHEN MATCHED THEN UPDATE SET {a} = s.whose"
            ),
            4 => format!("TRUNCATE {t}"),
            5 if !table.references.is_empty() => {
                let (column, target) = self.dice.of(&table.references).clone();
                let target = self.tables.iter().find(|one| one.name == target).unwrap();
                format!("UPDATE {t} SET {column} = '{}'", self.foreign_id(target))
            }
            _ => self.smuggle(table, &theirs),
        }
    }

    /// Adds a copy of a row of ours as somebody else's.
    fn smuggle(&mut self, table: &Table, theirs: &str) -> String {
        let (t, a) = (&table.name, table.owner);
        let mut changed = serde_json::json!({ a: theirs });
        if table.has_id && a != "id" {
            let id = match self.dice.below(2) {
                0 => self.foreign_id(table),
                _ => format!(
                    "{:08x}-0000-7000-8000-{:012x}",
                    self.dice.below(1 << 32),
                    self.dice.below(1 << 48)
                ),
            };
            changed["id"] = id.into();
        }
        let conflict = match self.dice.below(3) {
            0 => "ON CONFLICT DO NOTHING".to_owned(),
            1 if table.has_id && a != "id" => {
                format!("ON CONFLICT ({a}, id) DO UPDATE SET {a} = EXCLUDED.{a}")
            }
            _ => String::new(),
        };
        format!(
            "INSERT INTO {t} SELECT (jsonb_populate_record(r, '{changed}')).* FROM {t} r LIMIT 1 {conflict}"
        )
    }
}

/// Says something to the database and hears what comes of it.
async fn told(connection: &mut PgConnection, sql: String) -> Told {
    let mut told = Told::default();
    let mut answers = connection.fetch_many(AssertSqlSafe(sql).into_sql_str());
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Left(done))) => told.touched += done.rows_affected(),
            Ok(Some(Either::Right(row))) => {
                told.texts.extend((0..row.len()).map(|place| row.try_get(place).unwrap()));
            }
            Ok(None) => return told,
            Err(sqlx::Error::Database(refused)) => {
                told.refused = Some(refused.code().unwrap_or_default().into_owned());
                return told;
            }
            Err(broken) => panic!("{broken}"),
        }
    }
}

/// Whether that was to come of it. No right, a policy (42501), a column that the database fills in (428C9) or a
/// constraint (class 23) may say no, and nothing else:
/// another error would tell something of rows that are not there for us.
fn is_as_wanted(wanted: Wanted, told: &Told, ours: &str) -> bool {
    if let Some(code) = &told.refused {
        let is_refusal = ["42501", "428C9"].contains(&code.as_str()) || code.starts_with("23");
        return is_refusal && !matches!(wanted, Wanted::Count(_));
    }
    match wanted {
        Wanted::Ours => told.texts.iter().flatten().all(|text| text == ours),
        Wanted::Count(count) => told.texts == [Some(count.to_string())],
        Wanted::Nothing => told.touched == 0 && told.texts.is_empty(),
    }
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
}

#[tokio::test]
async fn random_statements_of_one_tenant_reach_no_other() {
    let seed = asked("AFTERCARE_TEST_SEED").unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
    let count = asked("AFTERCARE_TEST_STATEMENTS").unwrap_or(STATEMENTS);
    println!("AFTERCARE_TEST_SEED={seed}");
    let neighbours = Neighbours::settle().await;
    let ours = Uuid::from(neighbours.ours).to_string();
    let owner = neighbours.house.owner().await;
    let tables = tables(&owner, &ours).await;
    let bare: Vec<_> = tables.iter().filter(|one| one.own == 0).map(|one| &one.name).collect();
    assert!(tables.len() > 55 && bare.len() < 10, "{} tables, nothing in {bare:?}", tables.len());
    let theirs = &tables.iter().find(|table| table.name == "tenant").unwrap().foreign;
    let before = digest(&owner, &tables, &ours).await;

    let pool = neighbours.house.pool_of(LOGIN);
    let mut connection = pool.acquire().await.unwrap();
    let mut author =
        Author { dice: Dice(seed), tables: &tables, ours: ours.clone(), theirs: theirs.clone() };
    let (mut done, mut refused) = (0_u64, 0_u64);
    while done < count {
        let opening = format!(
            "BEGIN; SET LOCAL ROLE aftercare_app; SET LOCAL ac.tenant = '{ours}'; SAVEPOINT clean"
        );
        connection.execute(AssertSqlSafe(opening)).await.unwrap();
        for _ in 0..TOGETHER.min(count - done) {
            let (statement, wanted) = author.statement();
            let is_kept = statement.starts_with("UPDATE") && done.is_multiple_of(KEPT);
            let after = if is_kept { "; SAVEPOINT clean" } else { "" };
            let sql = format!("ROLLBACK TO clean; {statement}{after}");
            let told = told(&mut connection, sql).await;
            assert!(
                is_as_wanted(wanted, &told, &ours),
                "statement {done} of the seed {seed}: {statement}\nwanted {wanted:?}, told {told:?}"
            );
            refused += u64::from(told.refused.is_some());
            done += 1;
        }
        connection.execute("ROLLBACK TO clean; COMMIT").await.unwrap();
        owner.execute_unprepared("VACUUM").await.unwrap();
    }
    // A third is meant to be refused; far more would mean that hardly anything was tried.
    assert!(refused < count.div_euclid(2), "{refused} of {count} statements were refused");
    assert_eq!(digest(&owner, &tables, &ours).await, before);
}
