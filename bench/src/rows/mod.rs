//! The rows of the report: what is measured, beside what.

mod clocks;
mod drain;
mod gestures;
mod jobs;
mod latency;
mod list;
mod memory;
mod occurrences;
mod open;
mod plain;
mod read;
mod scale;
mod start;

use crate::{numbers::Spread, report::Row, stage::Stage, trouble::Trouble};

/// A row, or several that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Plain,
    List,
    Open,
    Gestures,
    Jobs,
    Transactions,
    Latency,
    Clocks,
    Occurrences,
    Scale,
    Backlog,
    Memory,
    Start,
}

/// All of them, in the order of the report.
const ALL: [Kind; 14] = [
    Kind::Read,
    Kind::Plain,
    Kind::List,
    Kind::Open,
    Kind::Gestures,
    Kind::Jobs,
    Kind::Transactions,
    Kind::Latency,
    Kind::Clocks,
    Kind::Occurrences,
    Kind::Scale,
    Kind::Backlog,
    Kind::Memory,
    Kind::Start,
];

impl Kind {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Plain => "plain",
            Self::List => "list",
            Self::Open => "open",
            Self::Gestures => "gestures",
            Self::Jobs => "jobs",
            Self::Transactions => "transactions",
            Self::Latency => "latency",
            Self::Clocks => "clocks",
            Self::Occurrences => "occurrences",
            Self::Scale => "scale",
            Self::Backlog => "backlog",
            Self::Memory => "memory",
            Self::Start => "start",
        }
    }

    /// Measures it.
    pub(crate) async fn measure(self, stage: &mut Stage) -> Result<Vec<Row>, Trouble> {
        match self {
            Self::Read => read::measure(stage).await,
            Self::Plain => plain::measure(stage).await,
            Self::List => list::measure(stage).await,
            Self::Open => open::measure(stage).await,
            Self::Gestures => gestures::measure(stage).await,
            Self::Jobs => jobs::nothing(stage).await,
            Self::Transactions => jobs::deadlines(stage).await,
            Self::Latency => latency::measure(stage).await,
            Self::Clocks => clocks::measure(stage).await,
            Self::Occurrences => occurrences::measure(stage).await,
            Self::Scale => scale::measure(stage).await,
            Self::Backlog => jobs::backlog(stage).await,
            Self::Memory => memory::measure(stage).await,
            Self::Start => start::measure(stage).await,
        }
    }
}

/// The rows with these names; all when there are none.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Kind>, Trouble> {
    let known = || ALL.map(Kind::name).join(", ");
    let find = |name: &String| {
        let found = ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| {
            Trouble::unexpected(format!("there is no row {name}; there are {}", known()))
        })
    };
    if names.is_empty() { Ok(ALL.to_vec()) } else { names.iter().map(find).collect() }
}

/// What several sides did, round by round.
#[derive(Debug, Default)]
pub(crate) struct Sides {
    rates: Vec<(&'static str, Vec<f64>)>,
}

impl Sides {
    /// Notes the rate of a side in this round.
    fn note(&mut self, side: &'static str, rate: f64) {
        match self.rates.iter_mut().find(|(name, _)| *name == side) {
            Some((_, rates)) => rates.push(rate),
            None => self.rates.push((side, vec![rate])),
        }
    }

    fn of(&self, side: &str) -> &[f64] {
        let found = self.rates.iter().find(|(name, _)| *name == side);
        found.map(|(_, rates)| rates.as_slice()).unwrap_or_default()
    }

    /// Whether a side took part.
    pub(crate) fn has(&self, side: &str) -> bool {
        !self.of(side).is_empty()
    }

    /// One side as a multiple of another.
    pub(crate) fn quotient(&self, ours: &str, theirs: &str) -> Spread {
        Spread::of_quotients(self.of(ours), self.of(theirs))
    }

    /// All sides as multiples of one of them.
    fn bars(&self, reference: &str) -> Vec<(String, Spread)> {
        let bar = |(side, _): &(&str, _)| ((*side).to_owned(), self.quotient(side, reference));
        self.rates.iter().map(bar).collect()
    }

    /// The rates themselves, for people who look at this run.
    fn rates(&self) -> String {
        let rate =
            |(side, rates): &(&str, Vec<f64>)| format!("{side} {:.0}/s", Spread::of(rates).median);
        self.rates.iter().map(rate).collect::<Vec<_>>().join(" · ")
    }
}

/// The product itself.
pub(crate) const OURS: &str = "Aftercare";
/// The same with the policies switched off, while the scope is still set.
const OPEN_WALLS: &str = "Aftercare without policies";
/// pgbench, each statement waited for.
const SEPARATE: &str = "pgbench, separate statements";
/// pgbench, all statements of the transaction in one flight.
const PIPELINED: &str = "pgbench, pipelined";
/// pgbench, one call of a function.
const FUNCTION: &str = "pgbench, one function";
/// pgbench as the superuser: the same, without policies and scope.
const BARE: &str = "pgbench without isolation";

/// Enters a brand as the program does: the role, the scope and the limits, in one statement.
fn scope(tenant: &str) -> String {
    format!(
        "SELECT set_config('role', 'aftercare_app', true), set_config('ac.tenant', {tenant}, true),
                set_config('statement_timeout', '10s', true), set_config('lock_timeout', '5s', true),
                set_config('idle_in_transaction_session_timeout', '15s', true);"
    )
}

/// What pgbench draws, with a number `k` that no other transaction of this run has; identifiers rise, as the program's do.
fn numbered(draw: &str, window: u64) -> String {
    format!(
        "{draw}\\set i :i + 1\n\\set k 8000000000000000 + :client_id * 10000000000000 + {window} * 10000000 + :i\n"
    )
}

/// The same statement on one line, for psql and pgbench read a line at a time what begins with a backslash.
fn on_a_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Switches the policies of all tables off or on.
async fn set_walls(stage: &Stage, database: &str, stand: bool) -> Result<(), Trouble> {
    let verb = if stand { "ENABLE" } else { "DISABLE" };
    let sql = format!(
        "DO $$ DECLARE t regclass; BEGIN
             FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                      AND relname <> 'seaql_migrations' ORDER BY relname LOOP
                 EXECUTE format('ALTER TABLE %s {verb} ROW LEVEL SECURITY', t);
             END LOOP;
         END $$"
    );
    stage.psql.run(database, &sql).await.map(drop)
}
