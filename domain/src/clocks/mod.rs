//! Deadlines: which complaints are answered by when, and how far each of them has come.
//!
//! An [`SlaPolicy`] says for which complaints its targets count, version by version. A complaint that a published
//! version applies to gets an [`SlaClock`] for each target. A clock is the fold of its log ([`SlaEvent`]): what has
//! happened is appended, and everything else is counted anew from it ([`deadline`]), never from the deadline before.
//! What is due again and again ([`SlaMetric::comes_in_rounds`]) has one clock, whose log goes on in rounds.

mod applying;
mod clock;
pub mod deadline;
mod log;
mod opening;
mod policies;
mod rules;
mod talk;
#[cfg(test)]
mod tests;
mod trace;
mod versions;

pub use applying::{SlaApplied, SlaApplying};
pub use clock::{SlaClock, SlaClockState, SlaHours, SlaMove, SlaReading};
pub use log::{MOST_SLA_EVENTS, SlaEvent, SlaEventKind, SlaStanding};
pub use opening::{SlaForecast, SlaForecastTarget, SlaOpening};
pub use policies::{
    MOST_SLA_POLICIES, SlaPolicy, SlaPolicyDetails, SlaPolicyRank, SlaPolicyStatus,
};
pub use rules::*;
pub use talk::SlaTalk;
pub use trace::{MOST_STRETCHES, SlaPause, SlaTold, SlaTrace};
pub use versions::{
    SlaAppliesTo, SlaAscent, SlaBreachAction, SlaCandidate, SlaMatter, SlaMetric, SlaMinutes,
    SlaPublication, SlaShare, SlaTarget, SlaVersion, SlaVersionDetails, SlaVersionState,
    SlaWarningAction,
};
