//! Traces for the operator's collector: sent by a program that was built with the feature `otel`, and by no
//! other.

#[cfg(feature = "otel")]
mod otlp;
#[cfg(not(feature = "otel"))]
mod without;

#[cfg(feature = "otel")]
pub(crate) use otlp::{Traces, adopt, begin};
#[cfg(not(feature = "otel"))]
pub(crate) use without::{Traces, adopt, begin};

/// What sees spans on their way.
pub(crate) type SpanLayer =
    Box<dyn tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync>;
