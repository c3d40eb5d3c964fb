//! What is logged: our own lines at their level, and no value that somebody entrusted to us.

use crate::{
    settings::{LogFormat, Misconfigured, Settings},
    telemetry::Traces,
};
use std::{io::IsTerminal as _, panic::PanicHookInfo};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, fmt::MakeWriter, layer::SubscriberExt as _, registry::LookupSpan,
    util::SubscriberInitExt as _,
};

/// What is logged when nobody says otherwise: of our own crates how each request and each job ended, of others
/// what is wrong.
pub const DEFAULT: &str = "warn,aftercare=info,api=info,migrations=info,store=info,worker=info";

/// Begins to log to stderr, as the settings say; spans go to whoever traces them, whatever is logged.
///
/// # Errors
///
/// [`Misconfigured::Log`] when what is to be logged cannot be read.
pub(crate) fn begin(settings: &Settings, traces: Option<&Traces>) -> Result<(), Misconfigured> {
    let filter = filter(&settings.log)?;
    let lines = lines(settings.log_format, std::io::stderr, std::io::stderr().is_terminal());
    // A second call, as in tests, changes nothing.
    let registry = tracing_subscriber::registry().with(traces.map(Traces::layer));
    drop(registry.with(lines.with_filter(filter)).try_init());
    std::panic::set_hook(Box::new(after_panic));
    Ok(())
}

/// What to log, as it is set.
///
/// # Errors
///
/// [`Misconfigured::Log`] when it cannot be read.
pub fn filter(text: &str) -> Result<EnvFilter, Misconfigured> {
    EnvFilter::try_new(text).map_err(Misconfigured::Log)
}

/// Lines for people or programs, in colours where somebody looks at them.
pub fn lines<S, W>(
    format: LogFormat,
    writer: W,
    is_terminal: bool,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'line> MakeWriter<'line> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer();
    // On a terminal, NO_COLOR has the last word.
    let lines = if is_terminal { lines } else { lines.with_ansi(false) };
    let lines = lines.with_writer(writer);
    match format {
        LogFormat::Text => lines.compact().boxed(),
        LogFormat::Json => lines.json().with_span_list(false).boxed(),
    }
}

/// A panic is our mistake. Its place is logged and its words only when they stand in the program: others may
/// quote a value.
fn after_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let words = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("not repeated");
    tracing::error!(place, words, "something panicked");
}
