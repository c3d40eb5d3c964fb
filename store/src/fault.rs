//! What can go wrong between the service and its rows.

use crate::chance::NoRandomness;
use domain::refusal::Refusal;
use sea_orm::{DbErr, RuntimeErr, sqlx};
use std::time::Duration;

/// A statement did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database cannot be reached, or has no connection or no room to give. Trying again helps.
    #[error("the database cannot be reached")]
    Unreachable(#[source] DbErr),
    /// The database took too long: it has too much to do, or somebody has held a row for too long.
    /// Trying again helps.
    #[error("the database took too long")]
    Late(#[source] DbErr),
    /// Another transaction was in the way. Trying again helps.
    #[error("another transaction was in the way")]
    Busy(#[source] DbErr),
    /// The row was changed by somebody else since it was read.
    #[error("the record was changed by somebody else")]
    Stale,
    /// A row with the same key is there already.
    #[error("there is such a row already ({constraint})")]
    Taken {
        /// The key, named `table__column__column`.
        constraint: String,
    },
    /// A row refers to one that this tenant does not have.
    #[error("the row referred to is not there ({constraint})")]
    Dangling {
        /// The reference, named `table__column`.
        constraint: String,
    },
    /// A row claims what another has claimed, such as a technician's time.
    #[error("the place is taken ({constraint})")]
    Overlapping {
        /// The exclusion, named `table__what`.
        constraint: String,
    },
    /// A row breaks a condition that the schema guards.
    #[error("the row breaks a condition ({constraint})")]
    Broken {
        /// The condition, named `table__what`.
        constraint: String,
    },
    /// The database failed in a way nobody foresaw.
    #[error("the database failed")]
    Database(#[source] DbErr),
    /// Something could not be written as JSON, or read back.
    #[error("a stored document cannot be read or written")]
    Document(#[from] serde_json::Error),
    /// There is no randomness for a secret.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The place of files does not answer. Trying again helps, when it is one that goes away.
    #[error("files cannot be written or read")]
    Files(#[source] object_store::Error),
    /// A secret could not be sealed or opened.
    #[error("a secret cannot be sealed or opened: {0}")]
    Secret(&'static str),
}

impl Fault {
    /// The fault for a line that is logged and kept: what failed, and what the database calls it. Never what a
    /// row or a document holds, which the database likes to quote.
    pub fn plainly(&self) -> String {
        match self {
            Self::Unreachable(error)
            | Self::Late(error)
            | Self::Busy(error)
            | Self::Database(error) => {
                format!("{self}: {}", cause(error))
            }
            Self::Document(error) => format!(
                "{self}: {:?} at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ),
            // What the place of files says may hold its address, and that its secret.
            Self::Files(error) => {
                let kind = if matches!(error, object_store::Error::NotFound { .. }) {
                    "there is no such file"
                } else {
                    "the place of files failed"
                };
                format!("{self}: {kind}")
            }
            Self::Stale
            | Self::Taken { .. }
            | Self::Dangling { .. }
            | Self::Overlapping { .. }
            | Self::Broken { .. }
            | Self::Randomness(_)
            | Self::Secret(_) => self.to_string(),
        }
    }

    /// Whether a row holds what the domain does not know: no value of the service's own can be meant.
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::Database(error) => {
                matches!(error, DbErr::Type(_))
                    || matches!(sqlx_cause(error), Some(sqlx::Error::ColumnDecode { .. }))
            }
            Self::Document(_) => true,
            Self::Unreachable(_)
            | Self::Late(_)
            | Self::Busy(_)
            | Self::Stale
            | Self::Taken { .. }
            | Self::Dangling { .. }
            | Self::Overlapping { .. }
            | Self::Broken { .. }
            | Self::Randomness(_)
            | Self::Files(_)
            | Self::Secret(_) => false,
        }
    }
}

/// Classes of SQLSTATE whose messages name parts of the schema or the server, and never a value: connections,
/// transactions, logins, syntax and names, resources, operators.
const NAMES_NO_VALUE: [&str; 10] = ["08", "0A", "25", "28", "40", "42", "53", "55", "57", "58"];

fn cause(error: &DbErr) -> String {
    match sqlx_cause(error) {
        Some(sqlx::Error::Database(refused)) => {
            let code = refused.code().unwrap_or_default();
            if NAMES_NO_VALUE.iter().any(|class| code.starts_with(class)) {
                format!("SQLSTATE {code}: {}", refused.message())
            } else {
                format!("SQLSTATE {code}, table {}", refused.table().unwrap_or("unknown"))
            }
        }
        Some(
            known @ (sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)),
        ) => known.to_string(),
        _ => "a value cannot be read or written".to_owned(),
    }
}

/// How soon a caller may try again after a fault that passes.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<DbErr> for Fault {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver's kinds of error, not ours")]
    fn from(error: DbErr) -> Self {
        let Some(cause) = sqlx_cause(&error) else { return Self::Database(error) };
        match cause {
            sqlx::Error::Database(refused) => {
                let constraint = refused.constraint().unwrap_or_default().to_owned();
                match refused.code().as_deref() {
                    Some("23505") => Self::Taken { constraint },
                    Some("23503") => Self::Dangling { constraint },
                    Some("23P01") => Self::Overlapping { constraint },
                    Some("23514") => Self::Broken { constraint },
                    // Raised by functions of ours: what was read is not there any more as it was.
                    Some("AC001") => Self::Stale,
                    // Serialisation failure, deadlock.
                    Some("40001" | "40P01") => Self::Busy(error),
                    // Lock not available in time, statement cancelled for its time.
                    Some("55P03" | "57014") => Self::Late(error),
                    // Shutting down, crashed, starting up; no room for another connection, on the disk or in
                    // the memory.
                    Some("57P01" | "57P02" | "57P03" | "25P03" | "53100" | "53200" | "53300") => {
                        Self::Unreachable(error)
                    }
                    _ => Self::Database(error),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unreachable(error),
            _ => Self::Database(error),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the driver's kinds of error, not ours")]
fn sqlx_cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// The tenant has no such record, whether or not another tenant has one.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// There is no record with this identifier.
    #[error("no such record")]
    NotFound,
    /// The question could not be asked.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DbErr> for Missing {
    fn from(error: DbErr) -> Self {
        Self::Fault(error.into())
    }
}

/// Why something that was asked for did not happen: the record is not there, a rule said no, or the
/// machinery failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The record is not there, for this caller.
    #[error("no such record")]
    NotFound,
    /// The machinery failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Missing> for Failure {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::NotFound => Self::NotFound,
            Missing::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Fault(error.into())
    }
}
