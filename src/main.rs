//! The program `aftercare`.

use aftercare::Cli;
use clap::Parser as _;
use std::{io::Write as _, process::ExitCode};

/// A fifth of a request's time went into the system's allocator, whose threads wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(trouble) = Box::pin(aftercare::run(Cli::parse())).await else {
        return ExitCode::SUCCESS;
    };
    let mut text = format!("aftercare: {trouble}");
    let mut cause = std::error::Error::source(&trouble);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    // When even this cannot be written, the exit code still says it.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
    ExitCode::FAILURE
}
