//! Why nothing can be measured.

use std::io;

/// What is in the way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The machine does not do its part.
    #[error("{what}")]
    Machine {
        /// What was tried.
        what: String,
        /// Why it did not work.
        source: io::Error,
    },
    /// Something else was expected.
    #[error("{0}")]
    Unexpected(String),
}

impl Trouble {
    /// Trouble of the machine while doing `what`.
    pub(crate) fn during(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Machine { what: what.into(), source }
    }

    /// Something else was expected.
    pub(crate) fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected(what.into())
    }

    /// The trouble and what caused it, in a line.
    pub(crate) fn chain(&self) -> String {
        match self {
            Self::Machine { what, source } => format!("{what}: {source}"),
            Self::Unexpected(what) => what.clone(),
        }
    }
}
