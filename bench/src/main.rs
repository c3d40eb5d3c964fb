//! The benchmark: the real program over HTTP beside the same work done by the database alone.
//!
//! Machines are noisy, so nothing is compared with a number from another run: what is compared takes turns in
//! short windows, each round gives one quotient, and the median of the quotients is what is reported. Every
//! answer's status is looked at and every row that was written is counted, so that only work that was done counts.
#![expect(clippy::float_arithmetic, reason = "quotients of rates are what this is about")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]
#![expect(clippy::print_stderr, reason = "it says what it is doing")]

mod chart;
mod data;
mod http;
mod machine;
mod numbers;
mod peers;
mod process;
mod program;
mod report;
mod rows;
mod servers;
mod sql;
mod stage;
mod talk;
mod trouble;

use clap::Parser;
use stage::Stage;
use std::{path::PathBuf, process::ExitCode};
use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::Instant,
};
use trouble::Trouble;

/// Measures the program against the database's own limit.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench")]
pub(crate) struct Options {
    /// The rows to measure, by name, such as `read,list`; all when absent
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// How often each comparison is made
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each side of a comparison is measured at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// With the amounts of rows that the targets name
    #[arg(long, conflicts_with = "smoke")]
    full: bool,
    /// Measures nothing worth knowing, in less than a minute, and fails when any work was not done
    #[arg(long)]
    smoke: bool,
    /// Beside others that do the same work, which are installed from their registries
    #[arg(long)]
    peers: bool,
    /// The program to measure; the one beside this one when absent
    #[arg(long)]
    program: Option<PathBuf>,
    /// The day that the report bears; that of the last commit when absent
    #[arg(long)]
    date: Option<String>,
    /// The folder in which the report is written; `docs` when all rows are measured, else nowhere
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Whoever interrupts us finds nothing left behind: what was started ends with what it is kept in.
    let measured = tokio::select! {
        measured = run(Options::parse()) => measured,
        () = interrupted() => Err(Trouble::unexpected("interrupted")),
    };
    match measured {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("bench: {}", trouble.chain());
            ExitCode::FAILURE
        }
    }
}

/// Waits until we are told to end.
async fn interrupted() {
    let Ok(mut told) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = told.recv() => {}
        _ = ctrl_c() => {}
    }
}

/// Answers whether all work was done. Whether targets are reached is for people to read.
async fn run(options: Options) -> Result<bool, Trouble> {
    let rows = rows::chosen(&options.rows)?;
    let mut stage = Stage::set(options).await?;
    let mut measured = Vec::new();
    for row in rows {
        let began = Instant::now();
        let rows = row.measure(&mut stage).await?;
        if !stage.options.smoke {
            report::print(&rows);
        }
        measured.extend(rows);
        eprintln!("bench: {} was measured, in {} s", row.name(), began.elapsed().as_secs());
    }
    let whole = stage.options.rows.is_empty() && !stage.options.smoke;
    let folder = stage.options.report.clone().or_else(|| whole.then(|| PathBuf::from("docs")));
    if let Some(folder) = folder {
        report::write(&folder, &measured, &stage)?;
    }
    let done = stage.ledger.tell();
    stage.leave().await?;
    Ok(done)
}
