//! Files that no row came to name: the process ended before the row was written, or nobody knew whether it was.

use domain::time::Timestamp;

/// So long a file may wait for its row: far longer than any request takes.
const SPARED_HOURS: i64 = 24;

/// So far back it is looked, so that nights that were missed are made up for.
const LOOKED_BACK_DAYS: i64 = 8;

/// The most files that are taken away in one night: what a bucket does well within the time of a job. The others are
/// there for the next night.
pub(crate) const MOST_SWEPT: usize = 100;

/// Between which instants the files were made that are looked at.
pub(crate) fn looked_at(now: Timestamp) -> (Timestamp, Timestamp) {
    let from = now.plus_days(0_i64.saturating_sub(LOOKED_BACK_DAYS));
    (from, now.plus_hours(0_i64.saturating_sub(SPARED_HOURS)))
}
