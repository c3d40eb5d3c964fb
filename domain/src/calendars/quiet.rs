//! Quiet hours: when customers are not written to.

use super::rules::QUIET_ALL_DAY;
use crate::{
    refusal::Refusal,
    time::{Timestamp, WallTime, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When customers are not written to, on the wall clock of the calendar. What would be sent then leaves when they are
/// over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "from": "21:00", "to": "08:00" })))]
pub struct QuietHours {
    /// The first minute of quiet.
    pub from: WallTime,
    /// The first minute after it; of the next day when it is earlier than `from`.
    pub to: WallTime,
}

impl QuietHours {
    pub(super) fn check(self) -> Result<(), Refusal> {
        if self.from != self.to {
            return Ok(());
        }
        let refusal = Refusal::new(&QUIET_ALL_DAY).with("from", self.from).with("to", self.to);
        Err(refusal.at("/quiet_hours/to"))
    }

    /// When they are over, if `now` lies in them.
    pub(super) fn over_at(self, now: Timestamp, zone: Zone) -> Option<Timestamp> {
        let today = now.date_in(zone);
        // Those that began yesterday may still be going on.
        [today.plus_days(-1), today].into_iter().find_map(|day| {
            let last = if self.to > self.from { day } else { day.plus_days(1) };
            let (from, to) = (day.at(self.from, zone), last.at(self.to, zone));
            (from <= now && now < to).then_some(to)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_at(from: &str, to: &str, now: &str, zone: &str) -> Option<String> {
        let quiet = QuietHours { from: from.parse().unwrap(), to: to.parse().unwrap() };
        let over = quiet.over_at(now.parse().unwrap(), zone.parse().unwrap());
        over.map(|instant| instant.to_string())
    }

    #[test]
    fn quiet_hours_begin_and_end_with_their_minute() {
        let night = |now: &str| over_at("21:00", "08:00", now, "Asia/Shanghai");
        let over = Some("2026-11-24T00:00:00Z".to_owned());
        assert_eq!(night("2026-11-23T12:59:59Z"), None);
        assert_eq!(night("2026-11-23T13:00:00Z"), over);
        assert_eq!(night("2026-11-23T23:59:59Z"), over);
        assert_eq!(night("2026-11-24T00:00:00Z"), None);
        let noon = |now: &str| over_at("12:00", "14:00", now, "UTC");
        assert_eq!(noon("2026-11-23T13:59:00Z"), Some("2026-11-23T14:00:00Z".to_owned()));
        assert_eq!(noon("2026-11-23T14:00:00Z"), None);
    }

    #[test]
    fn quiet_hours_that_the_clock_skips_are_none() {
        let skipped = |now: &str| over_at("02:00", "03:00", now, "Europe/Berlin");
        assert_eq!(skipped("2026-03-29T01:00:00Z"), None);
        assert_eq!(skipped("2026-03-28T01:30:00Z"), Some("2026-03-28T02:00:00Z".to_owned()));
    }
}
