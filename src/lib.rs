//! Aftercare: one program in several roles, put together from the crates that do the work.

mod auditor;
mod banner;
pub mod demo;
mod doctor;
mod doors;
mod ground;
pub mod log;
mod operator;
mod reception;
mod serve;
pub mod settings;
mod stop;
mod telemetry;

use clap::{CommandFactory as _, Parser, Subcommand};
use ground::Ground;
use settings::{Misconfigured, Settings};
use std::io::Write as _;

/// Runs a brand's after-sales service.
#[derive(Debug, Parser)]
#[command(name = "aftercare", version, about, long_about = None)]
pub struct Cli {
    /// The role; everything in one process when none is named
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    settings: Settings,
}

/// What the program does.
#[derive(Debug, Subcommand)]
enum Role {
    /// API and worker in one process, on a database of its own if need be (the default)
    All,
    /// The REST API
    Api,
    /// The worker of the jobs
    Worker,
    /// Brings the schema up to date and lets the login role in
    Migrate,
    /// Prints the OpenAPI document
    Openapi,
    /// Brands
    #[command(subcommand)]
    Tenants(operator::Tenants),
    /// The keys that sign tokens
    #[command(subcommand)]
    Keys(operator::Keys),
    /// The logs that an auditor is shown
    #[command(subcommand)]
    Audit(auditor::Audit),
    /// Asks a running service whether it is well
    Healthcheck,
    /// Looks for what could be wrong with this setup, and says what to do
    Doctor,
    /// Prints the settings in force, without secrets
    Config,
}

impl Role {
    /// Whether it works with the service's data, and so with all its settings. `doctor` judges them itself.
    fn needs_everything(&self) -> bool {
        match self {
            Self::All | Self::Api | Self::Worker | Self::Tenants(_) | Self::Keys(_) => true,
            Self::Audit(command) => command.needs_database(),
            Self::Migrate | Self::Openapi | Self::Healthcheck | Self::Doctor | Self::Config => {
                false
            }
        }
    }
}

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The settings do not fit.
    #[error(transparent)]
    Misconfigured(#[from] Misconfigured),
    /// There is no database to stand on.
    #[error(transparent)]
    Ground(#[from] ground::Sinking),
    /// The service cannot be started or goes down.
    #[error("{what}")]
    Service {
        /// What was being done.
        what: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something the operator asked for is not possible.
    #[error("{0}")]
    Refused(String),
    /// Nothing can be printed.
    #[error("the output is closed")]
    Output(#[from] std::io::Error),
}

impl Trouble {
    /// Trouble while doing `what`.
    fn during(
        what: impl Into<String>,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::Service { what: what.into(), source }
    }
}

/// Runs the program in the role that was asked for.
///
/// # Errors
///
/// [`Trouble`] says what is in the way, in a sentence for the operator.
pub async fn run(cli: Cli) -> Result<(), Trouble> {
    let Cli { role, settings } = cli;
    let settings = settings.settle()?;
    let traces = telemetry::begin(&settings);
    log::begin(&settings, traces.as_ref())?;
    let role = role.unwrap_or(Role::All);
    if role.needs_everything() {
        settings.judge()?;
    }
    api::metrics::collect();
    let done = play(role, settings).await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    done
}

async fn play(role: Role, settings: Settings) -> Result<(), Trouble> {
    match role {
        Role::All => serve::all(settings).await,
        Role::Api => serve::api(settings).await,
        Role::Worker => serve::worker(settings).await,
        Role::Migrate => Ground::migrate(&settings).await.map_err(Trouble::from),
        Role::Openapi => say(&openapi()?),
        Role::Tenants(command) => operator::tenants(&settings, command).await,
        Role::Keys(command) => operator::keys(&settings, command).await,
        Role::Audit(command) => auditor::audit(&settings, command).await,
        Role::Healthcheck => operator::healthcheck(&settings).await,
        Role::Doctor => doctor::examine(&settings).await,
        Role::Config => say(&settings::listing(&Cli::command().get_matches())),
    }
}

/// The OpenAPI document as it is committed.
///
/// # Errors
///
/// [`Trouble::Service`] when it cannot be written as JSON.
pub fn openapi() -> Result<String, Trouble> {
    let document = api::document();
    serde_json::to_string_pretty(&document)
        .map_err(|error| Trouble::during("the document cannot be written")(error.into()))
}

/// Prints something the operator asked for.
fn say(text: &str) -> Result<(), Trouble> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(Trouble::from)
}
