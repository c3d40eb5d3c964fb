//! The report: a table for the terminal, and a page with charts for the documents.

use crate::{chart, machine, numbers::Spread, rows::Sides, stage::Stage, trouble::Trouble};
use std::{fmt, fs, path::Path};

/// What was found out about one thing.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    title: &'static str,
    lines: Vec<Line>,
    bars: Vec<(String, Spread)>,
    rates: String,
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Line {
    what: String,
    spread: Spread,
    unit: Unit,
    target: Option<Target>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A multiple of something else.
    Times,
    /// Thousandths of a second.
    Milliseconds,
    /// Memory.
    Megabytes,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
}

impl Row {
    /// A row. `bars` are the sides as multiples of one of them; `rates` is for whoever watches.
    pub(crate) fn new(
        name: &'static str,
        title: &'static str,
        lines: Vec<Line>,
        bars: Vec<(String, Spread)>,
        rates: String,
    ) -> Self {
        Self { name, title, lines, bars, rates }
    }

    /// Its lines in the table of the page.
    fn cells(&self) -> String {
        let line = |(number, line): (usize, &Line)| {
            let title = if number == 0 { self.title } else { "" };
            let (figure, target, verdict) = (line.figure(), line.target(), line.verdict());
            format!("| {title} | {} | {figure} | {target} | {verdict} |\n", line.what)
        };
        self.lines.iter().enumerate().map(line).collect::<Vec<_>>().concat()
    }
}

impl Line {
    /// A figure that is a multiple: one side of another.
    pub(crate) fn times(sides: &Sides, ours: &str, theirs: &str, target: Option<Target>) -> Self {
        let spread = sides.quotient(ours, theirs);
        Self { what: format!("{ours} ÷ {theirs}"), spread, unit: Unit::Times, target }
    }

    /// Any other figure.
    pub(crate) fn of(what: &str, spread: Spread, unit: Unit, target: Option<Target>) -> Self {
        Self { what: what.to_owned(), spread, unit, target }
    }

    fn figure(&self) -> String {
        let Spread { median, low, high } = self.spread;
        match self.unit {
            Unit::Times => format!("{median:.2} ({low:.2}–{high:.2})"),
            Unit::Milliseconds => format!("{median:.1} ms ({low:.1}–{high:.1})"),
            Unit::Megabytes => format!("{median:.0} MB ({low:.0}–{high:.0})"),
        }
    }

    fn verdict(&self) -> String {
        let median = self.spread.median;
        let missed = |by: f64| format!("missed by {:.0} %", by * 100.0);
        match self.target {
            None => String::new(),
            Some(Target::AtLeast(least)) if median >= least => "reached".to_owned(),
            Some(Target::AtMost(most)) if median <= most => "reached".to_owned(),
            Some(Target::AtLeast(least)) => missed(1.0 - median / least),
            Some(Target::AtMost(most)) => missed(median / most - 1.0),
        }
    }

    fn target(&self) -> String {
        let with_unit = |number: f64| match self.unit {
            Unit::Times => format!("{number}"),
            Unit::Milliseconds => format!("{number} ms"),
            Unit::Megabytes => format!("{number} MB"),
        };
        match self.target {
            None => String::new(),
            Some(Target::AtLeast(least)) => format!("≥ {}", with_unit(least)),
            Some(Target::AtMost(most)) => format!("≤ {}", with_unit(most)),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, figure) = (&self.what, self.figure());
        write!(f, "  {what:<52} {figure:<26} {:<10} {}", self.target(), self.verdict())
    }
}

/// Prints all rows.
pub(crate) fn print(rows: &[Row]) {
    for row in rows {
        println!("\n{}", row.title);
        for line in &row.lines {
            println!("{line}");
        }
        if !row.rates.is_empty() {
            println!("  here and now: {}", row.rates);
        }
    }
}

/// What the page says before its table.
const INTRODUCTION: &str = "\
# Benchmark

The program is measured beside the database's own limit: the same work on the same server, done by `pgbench`.
Rates say more about a machine than about a program, so there are none here.
Every figure is a quotient of two sides that took turns in short windows; the median over all rounds is given, with the lowest and the highest in brackets.

- PostgreSQL is durable (`fsync` and `synchronous_commit` on) and has forced row-level security.
- Callers come over HTTP/1.1 on 48 kept connections, each request with the token of one of the brands by chance; tokens, limits, scope and policies are on.
- `pgbench` has 16 clients and prepared statements, takes the role and the scope of a brand as the program does, and finds its rows by the same chance. The program has 16 connections.
- An answer that is not 2xx, or a row too few or too many, fails the run.

`bench/run` measures all of it again, and `bench/run --full` with larger amounts.
";

/// What it says after its charts, by hand.
const WHERE_THE_TIME_GOES: &str = include_str!("where.md");

/// Writes the page and its charts.
pub(crate) fn write(folder: &Path, rows: &[Row], stage: &Stage) -> Result<(), Trouble> {
    let failed = || Trouble::during("the report cannot be written");
    let charts = folder.join("benchmark");
    fs::create_dir_all(&charts).map_err(failed())?;
    let date = stage.options.date.clone().unwrap_or_else(machine::day_of_commit);
    let server = machine::version(&stage.psql.programs().join("postgres"));
    let mut page = format!(
        "{INTRODUCTION}\nMeasured for {date} on {}, {server}; {} rounds of {} seconds a side{}.\n\
         The machine had a load of {:.1} when it began; what else runs takes from the program more than from pgbench.\n\n\
         | row | figure | | target | |\n|---|---|---|---|---|\n",
        machine::description(),
        stage.rounds(),
        stage.seconds(),
        stage.by_size(", with next to no data", "", ", with the full amounts"),
        stage.load_before,
    );
    page.extend(rows.iter().map(Row::cells));
    for row in rows.iter().filter(|row| !row.bars.is_empty()) {
        let (title, file) = (row.title, format!("{}.svg", row.name));
        fs::write(charts.join(&file), chart::bars(title, &row.bars)).map_err(failed())?;
        page.extend([format!("\n![{title}](benchmark/{file})\n")]);
    }
    page.push_str(WHERE_THE_TIME_GOES);
    fs::write(folder.join("benchmark.md"), page).map_err(failed())
}
