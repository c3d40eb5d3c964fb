//! Slots: when a technician of a site is free for a visit, and which of those times is best.

use super::{
    availability::{Span, Technician, Window, beginnings},
    given_back::GiveBackCause,
    numbers::VisitMinutes,
};
use crate::{
    ids::{DealerId, StaffId},
    refusal::{Kind, Refusal, Rule},
    tenancy::{Dealer, DealerStatus, Site, SiteStatus},
    text::Bilingual,
    time::{CivilDate, Timestamp, Zone},
    working_time::{Stretch, WorkingCalendar},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long before it begins a visit is arranged at the latest when nobody asked for the time.
pub const NOTICE_HOURS: i64 = 24;

/// What a visit needs, and who there is for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The days on which it may take place.
    pub window: Window,
    /// How long it takes.
    pub duration_minutes: VisitMinutes,
    /// The site from which somebody is sent.
    pub site: Site,
    /// When work is done there: by the calendar that it names, and in its hours where it names none.
    pub hours: WorkingCalendar,
    /// Whether the dealer whose site it is works for the brand.
    pub dealer_status: DealerStatus,
    /// Who can be sent from there.
    pub technicians: Vec<Technician>,
    /// No visit begins before this instant.
    pub not_before: Timestamp,
}

/// A time at which a technician is free.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "starts_at": "2027-05-20T01:00:00Z",
    "ends_at": "2027-05-20T01:45:00Z", "tz": "Asia/Shanghai", "local_start": "2027-05-20 09:00",
    "local_end": "2027-05-20 09:45",
})))]
pub struct Slot {
    /// Who would come.
    pub staff_id: StaffId,
    /// When the visit would begin.
    pub starts_at: Timestamp,
    /// When it would end.
    pub ends_at: Timestamp,
    /// The time zone of the site.
    pub tz: Zone,
    /// When it would begin on the wall clock there, for people.
    #[schema(examples("2026-12-01 09:30"))]
    pub local_start: String,
    /// When it would end on the wall clock there.
    #[schema(examples("2026-12-01 10:15"))]
    pub local_end: String,
}

impl Slot {
    /// The time `span` with a technician, as a site's wall clock shows it.
    pub fn new(staff_id: StaffId, span: Span, tz: Zone) -> Self {
        let Span { starts_at, ends_at } = span;
        let [local_start, local_end] = [starts_at, ends_at].map(|at| at.wall_time_in(tz));
        Self { staff_id, starts_at, ends_at, tz, local_start, local_end }
    }

    /// From when to when.
    pub fn span(&self) -> Span {
        Span { starts_at: self.starts_at, ends_at: self.ends_at }
    }
}

/// Why a visit takes place when it does, and with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VisitReason {
    /// The service chose: of the days in the window the nearest to the preferred one, on it the first
    /// time at which somebody is free, and of those who are the one with the least to do.
    NearestFreeSlot {
        /// The day it was best done on.
        preferred_on: CivilDate,
        /// How many earlier choices failed because nobody was free then.
        slots_passed_over: u32,
        /// How many technicians could be sent from the site.
        technicians_considered: u32,
        /// How many of them were free at this time.
        technicians_free: u32,
        /// How many minutes the chosen one was taken for already within the window.
        minutes_booked: u32,
    },
    /// Somebody asked for this time and this technician.
    Requested,
    /// Somebody else was to come and cannot: a colleague comes, at the same time if one was free then,
    /// else at the best other time.
    TakenOver {
        /// Why they cannot.
        because: GiveBackCause,
        /// Who was to come.
        instead_of: StaffId,
    },
}

/// Why no time was found for a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchFailure {
    /// Nobody has said which site serves this customer.
    NoSite,
    /// The site is closed.
    SiteClosed,
    /// The site's dealer does not work for the brand any more.
    DealerClosed,
    /// No technician works at the site.
    NoTechnician,
    /// Every technician is taken or away at every time within the window.
    NobodyFree,
    /// A slot is being held for the customer, who has not confirmed it yet.
    SlotHeld,
}

impl Search {
    /// The best time for the visit, and why it is the best.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn best(&self) -> Result<(Slot, VisitReason), SearchFailure> {
        self.expect_open()?;
        if self.technicians.is_empty() {
            return Err(SearchFailure::NoTechnician);
        }
        let days = self.window.by_preference().into_iter();
        let mut spans = days.flat_map(|day| self.beginnings(day));
        let mut slots_passed_over = 0_u32;
        spans
            .find_map(|span| {
                let chosen = self.choose(span, slots_passed_over);
                slots_passed_over = slots_passed_over.saturating_add(1);
                chosen
            })
            .ok_or(SearchFailure::NobodyFree)
    }

    /// Who comes instead of the technician of `slot`, who cannot: at the same time whoever is free then
    /// and has the least to do, else somebody at the best other time.
    ///
    /// # Errors
    ///
    /// Why there is nobody.
    pub fn instead_of(&self, slot: &Slot) -> Result<Slot, SearchFailure> {
        self.expect_open()?;
        let colleagues = self.free_at(slot.span()).filter(|who| who.id != slot.staff_id);
        match colleagues.min_by_key(|who| (who.booked_minutes(), who.id)) {
            Some(colleague) => Ok(Slot::new(colleague.id, slot.span(), self.site.details.tz)),
            None => self.best().map(|(slot, _)| slot),
        }
    }

    /// The first `most` times at which anybody is free, in order.
    pub fn open(&self, most: usize) -> Vec<Slot> {
        if self.expect_open().is_err() {
            return Vec::new();
        }
        self.window
            .days()
            .flat_map(|day| self.beginnings(day))
            .flat_map(|span| self.free_at(span).map(move |who| (who.id, span)))
            .map(|(staff_id, span)| Slot::new(staff_id, span, self.site.details.tz))
            .take(most)
            .collect()
    }

    /// The search as if `slot` were free, because the visit that takes it is to be moved.
    #[must_use]
    pub fn without(mut self, slot: &Slot) -> Self {
        for technician in &mut self.technicians {
            if technician.id == slot.staff_id {
                technician.booked.retain(|booked| *booked != slot.span());
            }
        }
        self
    }

    /// The time from `starts_at` with `staff_id`, if a visit can take place then.
    ///
    /// # Errors
    ///
    /// `site_closed`, `dealer_closed`, `slot_passed`, `slot_outside_window`, `slot_outside_hours`,
    /// `technician_not_available`, `slot_taken`.
    pub fn ask(&self, staff_id: StaffId, starts_at: Timestamp) -> Result<Slot, Refusal> {
        expect_sends(&self.site, self.dealer_status)?;
        let span = Span::lasting(starts_at, self.duration_minutes);
        let slot = Slot::new(staff_id, span, self.site.details.tz);
        self.check_time(&slot)?;
        let technician = self.technicians.iter().find(|technician| technician.id == staff_id);
        match technician.filter(|who| who.works_on(starts_at.date_in(self.site.details.tz))) {
            None => Err(Refusal::new(&NOT_AVAILABLE)
                .with("staff_id", staff_id)
                .with("local_start", &slot.local_start)
                .at("/staff_id")),
            Some(who) if who.is_booked(span) => Err(taken(&slot)),
            Some(_) => Ok(slot),
        }
    }

    fn expect_open(&self) -> Result<(), SearchFailure> {
        match (self.dealer_status, self.site.status) {
            (DealerStatus::Closed, _) => Err(SearchFailure::DealerClosed),
            (DealerStatus::Active, SiteStatus::Closed) => Err(SearchFailure::SiteClosed),
            (DealerStatus::Active, SiteStatus::Active) => Ok(()),
        }
    }

    fn check_time(&self, slot: &Slot) -> Result<(), Refusal> {
        if slot.starts_at < self.not_before {
            let refusal = Refusal::new(&SLOT_PASSED).with("starts_at", slot.starts_at);
            return Err(refusal.with("not_before", self.not_before).at("/starts_at"));
        }
        let day = slot.starts_at.date_in(self.site.details.tz);
        if day < self.window.from_on || self.window.to_on < day {
            return Err(Refusal::new(&OUTSIDE_WINDOW)
                .with("on", day)
                .with("window_from_on", self.window.from_on)
                .with("window_to_on", self.window.to_on)
                .at("/starts_at"));
        }
        let open = self.hours_on(day);
        if open.iter().any(|open| open.from <= slot.starts_at && slot.ends_at <= open.to) {
            return Ok(());
        }
        let tz = self.site.details.tz;
        let hours = open.iter().map(|open| {
            let [from, to] = [open.from, open.to].map(|at| at.wall_time_in(tz));
            format!("{from} – {to}")
        });
        Err(Refusal::new(&OUTSIDE_HOURS)
            .with("local_start", &slot.local_start)
            .with("on", day)
            .with("working_hours", hours.collect::<Vec<_>>())
            .at("/starts_at"))
    }

    fn hours_on(&self, day: CivilDate) -> Vec<Stretch> {
        self.hours.on_day_of(self.site.details.tz, day)
    }

    fn choose(&self, span: Span, slots_passed_over: u32) -> Option<(Slot, VisitReason)> {
        let chosen = self.free_at(span).min_by_key(|who| (who.booked_minutes(), who.id))?;
        let reason = VisitReason::NearestFreeSlot {
            preferred_on: self.window.preferred_on,
            slots_passed_over,
            technicians_considered: count(self.technicians.len()),
            technicians_free: count(self.free_at(span).count()),
            minutes_booked: chosen.booked_minutes(),
        };
        Some((Slot::new(chosen.id, span, self.site.details.tz), reason))
    }

    fn beginnings(&self, day: CivilDate) -> impl Iterator<Item = Span> {
        let (not_before, minutes) = (self.not_before, self.duration_minutes);
        self.hours_on(day)
            .into_iter()
            .flat_map(move |open| beginnings(open, minutes))
            .filter(move |span| not_before <= span.starts_at)
    }

    fn free_at(&self, span: Span) -> impl Iterator<Item = &Technician> {
        self.technicians.iter().filter(move |who| who.is_free(span, self.site.details.tz))
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Expects that somebody can be sent from `site`.
///
/// # Errors
///
/// `site_closed`; `dealer_closed` when its dealer is.
fn expect_sends(site: &Site, dealer: DealerStatus) -> Result<(), Refusal> {
    expect_works(site.dealer_id, dealer)?;
    match site.status {
        SiteStatus::Active => Ok(()),
        SiteStatus::Closed => Err(Refusal::new(&SITE_CLOSED).with("site_id", site.id)),
    }
}

fn expect_works(dealer_id: DealerId, status: DealerStatus) -> Result<(), Refusal> {
    match status {
        DealerStatus::Active => Ok(()),
        DealerStatus::Closed => Err(Refusal::new(&DEALER_CLOSED).with("dealer_id", dealer_id)),
    }
}

/// Expects that a new visit can be made by `dealer` from `site`, as far as these are known.
pub(super) fn expect_served(site: Option<&Site>, dealer: Option<&Dealer>) -> Result<(), Refusal> {
    if let Some(dealer) = dealer {
        expect_works(dealer.id, dealer.status)?;
    }
    site.map_or(Ok(()), |site| expect_sends(site, DealerStatus::Active))
}

/// Says that a technician was taken for another visit meanwhile.
pub fn taken(slot: &Slot) -> Refusal {
    Refusal::new(&SLOT_TAKEN).with("staff_id", slot.staff_id).with("local_start", &slot.local_start)
}

/// Nobody is sent from a closed site.
pub static SITE_CLOSED: Rule = Rule {
    code: "site_closed",
    kind: Kind::Conflict,
    title: Bilingual { en: "The site is closed", zh: "网点已关闭" },
    detail: Bilingual {
        en: "{site_id} is closed: no new visits are made from there.",
        zh: "{site_id} 已关闭，不再从该网点安排新的上门服务。",
    },
    advice: Bilingual {
        en: "Name another site, or reopen this one.",
        zh: "请选择其他网点，或重新开放该网点。",
    },
};

/// A dealer who does not work for the brand any more visits nobody.
pub static DEALER_CLOSED: Rule = Rule {
    code: "dealer_closed",
    kind: Kind::Conflict,
    title: Bilingual { en: "The dealer is closed", zh: "经销商已停业" },
    detail: Bilingual {
        en: "{dealer_id} does not work for the brand any more: it makes no new visits.",
        zh: "{dealer_id} 已不再为品牌服务，不能安排新的上门服务。",
    },
    advice: Bilingual {
        en: "Name a site of another dealer, or reopen this one.",
        zh: "请选择其他经销商的网点，或重新启用该经销商。",
    },
};

/// A visit is arranged before it begins.
pub static SLOT_PASSED: Rule = Rule {
    code: "slot_passed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The time has passed", zh: "该时间已过" },
    detail: Bilingual {
        en: "The visit would begin at {starts_at}; it is {not_before} already.",
        zh: "该上门服务将于 {starts_at} 开始，而现在已是 {not_before}。",
    },
    advice: Bilingual {
        en: "Read the free slots again and choose one of them.",
        zh: "请重新查询空闲时段并选择其一。",
    },
};

/// A visit takes place within its window.
pub static OUTSIDE_WINDOW: Rule = Rule {
    code: "slot_outside_window",
    kind: Kind::Unfit,
    title: Bilingual { en: "Outside the window of the visit", zh: "超出服务时间窗" },
    detail: Bilingual {
        en: "{on} is not from {window_from_on} to {window_to_on}.",
        zh: "{on} 不在 {window_from_on} 至 {window_to_on} 之间。",
    },
    advice: Bilingual {
        en: "Choose a day within the window, or move the window of the work order.",
        zh: "请选择时间窗内的日期，或调整工单的时间窗。",
    },
};

/// Nobody is sent when the site is closed.
pub static OUTSIDE_HOURS: Rule = Rule {
    code: "slot_outside_hours",
    kind: Kind::Unfit,
    title: Bilingual { en: "Outside the working hours", zh: "不在工作时间内" },
    detail: Bilingual {
        en: "A visit from {local_start} does not fit into the working time of the site on {on}: {working_hours}.",
        zh: "{local_start} 的上门服务不在网点 {on} 的工作时间内：{working_hours}。",
    },
    advice: Bilingual {
        en: "Choose one of the free slots of the work order.",
        zh: "请从该工单的空闲时段中选择。",
    },
};

/// Only a technician of the site who is at work is sent.
pub static NOT_AVAILABLE: Rule = Rule {
    code: "technician_not_available",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not available for this visit", zh: "该人员无法上门" },
    detail: Bilingual {
        en: "{staff_id} is no active technician of the site, or is on leave on the day of {local_start}.",
        zh: "{staff_id} 不是该网点的在岗技师，或在 {local_start} 当日休假。",
    },
    advice: Bilingual {
        en: "Choose one of the free slots of the work order; they name who can come.",
        zh: "请从该工单的空闲时段中选择，其中列明了可上门的人员。",
    },
};

/// Nobody is in two places at once.
pub static SLOT_TAKEN: Rule = Rule {
    code: "slot_taken",
    kind: Kind::Conflict,
    title: Bilingual { en: "The slot is taken", zh: "该时段已被占用" },
    detail: Bilingual {
        en: "{staff_id} is taken at {local_start} already.",
        zh: "{staff_id} 在 {local_start} 已有安排。",
    },
    advice: Bilingual {
        en: "Read the free slots again and choose another one.",
        zh: "请重新查询空闲时段并另选一个。",
    },
};

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of minutes")]
mod tests {
    use super::{
        super::samples::{at, id, on, search, shanghai, technician},
        *,
    };
    use crate::{
        identity::Leave,
        tenancy::Weekday,
        working_time::{DayOpening, DaySource, SaidDay, WorkingInterval},
    };
    use proptest::prelude::*;
    use serde_json::json;

    /// An hour that begins at `starts_at`.
    fn hour(starts_at: &str) -> Span {
        Span::lasting(at(starts_at), VisitMinutes::default())
    }

    fn day(on: &str) -> Span {
        let starts_at = at(&format!("{on}T00:00:00Z"));
        Span { starts_at, ends_at: starts_at.plus_hours(12) }
    }

    fn refused_as(search: &Search, staff: u128, starts_at: &str) -> &'static str {
        search.ask(id(staff), at(starts_at)).unwrap_err().rule.code
    }

    #[test]
    fn the_first_free_time_of_the_preferred_day_is_best() {
        let (slot, reason) = search(vec![technician(1, vec![])]).best().unwrap();
        assert_eq!(slot.local_start, "2026-12-03 09:00");
        assert_eq!(slot.ends_at, at("2026-12-03T02:00:00Z"));
        let expected = VisitReason::NearestFreeSlot {
            preferred_on: on("2026-12-03"),
            slots_passed_over: 0,
            technicians_considered: 1,
            technicians_free: 1,
            minutes_booked: 0,
        };
        assert_eq!(reason, expected);
    }

    #[test]
    fn of_the_free_the_least_booked_comes_then_the_first_by_name() {
        let busy = technician(1, vec![hour("2026-12-04T02:00:00Z")]);
        let team = vec![busy, technician(3, vec![]), technician(2, vec![])];
        assert_eq!(search(team).best().unwrap().0.staff_id, id(2));
    }

    #[test]
    fn a_full_day_gives_way_to_its_neighbours_and_sunday_to_none() {
        let full = vec![day("2026-12-03"), day("2026-12-02")];
        let (slot, reason) = search(vec![technician(1, full)]).best().unwrap();
        assert_eq!(slot.local_start, "2026-12-04 09:00");
        let VisitReason::NearestFreeSlot { slots_passed_over, .. } = reason else {
            panic!("chosen by the service")
        };
        // Seventeen beginnings of an hour between 09:00 and 18:00, on two days.
        assert_eq!(slots_passed_over, 34);
        let weekdays = ["01", "02", "03", "04", "05", "07"];
        let booked = weekdays.map(|n| day(&format!("2026-12-{n}"))).to_vec();
        assert_eq!(search(vec![technician(1, booked)]).best(), Err(SearchFailure::NobodyFree));
    }

    #[test]
    fn nobody_is_sent_from_a_site_without_technicians() {
        assert_eq!(search(vec![]).best(), Err(SearchFailure::NoTechnician));
    }

    #[test]
    fn nobody_is_sent_from_a_closed_site_or_by_a_closed_dealer() {
        let open = || search(vec![technician(1, vec![])]);
        let site = Search { site: open().site.close().unwrap().record, ..open() };
        assert_eq!(site.best(), Err(SearchFailure::SiteClosed));
        assert_eq!(refused_as(&site, 1, "2026-12-03T01:00:00Z"), "site_closed");
        let dealer = Search { dealer_status: DealerStatus::Closed, ..open() };
        assert_eq!(dealer.best(), Err(SearchFailure::DealerClosed));
        assert_eq!(refused_as(&dealer, 1, "2026-12-03T01:00:00Z"), "dealer_closed");
        assert!(site.open(1).is_empty() && dealer.open(1).is_empty());
        assert_eq!(open().open(1).len(), 1);
    }

    #[test]
    fn a_visit_may_follow_another_without_a_gap() {
        let nine_to_ten = technician(1, vec![hour("2026-12-03T01:00:00Z")]);
        let search = search(vec![nine_to_ten]);
        assert!(search.ask(id(1), at("2026-12-03T02:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 1, "2026-12-03T01:59:59Z"), "slot_taken");
    }

    #[test]
    fn a_visit_fits_into_the_hours_of_the_site() {
        let search = search(vec![technician(1, vec![])]);
        assert!(search.ask(id(1), at("2026-12-03T01:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 1, "2026-12-03T00:59:00Z"), "slot_outside_hours");
        assert!(search.ask(id(1), at("2026-12-03T09:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 1, "2026-12-03T09:01:00Z"), "slot_outside_hours");
        assert_eq!(refused_as(&search, 1, "2026-12-06T02:00:00Z"), "slot_outside_hours");
    }

    #[test]
    fn a_visit_follows_the_calendar_of_the_site() {
        let told = |search: &Search| -> Vec<_> {
            let starts = search.open(100).into_iter().map(|slot| slot.local_start);
            starts
                .filter(|start| start.starts_with("2026-12-05") || start.starts_with("2026-12-06"))
                .collect()
        };
        let interval = |opens: &str, closes: &str| WorkingInterval {
            opens: opens.parse().unwrap(),
            closes: closes.parse().unwrap(),
        };
        let halves = [interval("09:00", "12:00"), interval("13:00", "14:30")];
        let friday = halves.map(|one| (Weekday::Friday, one));
        let said = |opening| SaidDay { opening, label: None, source: DaySource::Own };
        // Friday the 4th is a holiday, Sunday the 6th is worked for it.
        let days = [
            (on("2026-12-04"), said(DayOpening::Closed)),
            (on("2026-12-06"), said(DayOpening::Usual)),
        ];
        let hours = WorkingCalendar::new(shanghai(), friday).with_days(days);
        let search = Search { hours, ..search(vec![technician(1, vec![])]) };
        let expected = ["09:00", "09:30", "10:00", "10:30", "11:00", "13:00", "13:30"];
        assert_eq!(told(&search), expected.map(|start| format!("2026-12-06 {start}")));
        assert_eq!(search.best().unwrap().0.local_start, "2026-12-06 09:00");
        // Over the break nobody works, and a holiday has no hours at all.
        let refused = search.ask(id(1), at("2026-12-06T03:30:00Z")).unwrap_err();
        assert_eq!(
            refused.facts["working_hours"],
            json!(["2026-12-06 09:00 – 2026-12-06 12:00", "2026-12-06 13:00 – 2026-12-06 14:30"])
        );
        let refused = search.ask(id(1), at("2026-12-04T02:00:00Z")).unwrap_err();
        assert_eq!((refused.rule, &refused.facts["working_hours"]), (&OUTSIDE_HOURS, &json!([])));
    }

    #[test]
    fn a_visit_takes_place_within_its_window() {
        let search = search(vec![technician(1, vec![])]);
        assert!(search.ask(id(1), at("2026-12-01T02:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 1, "2026-11-30T02:00:00Z"), "slot_outside_window");
        assert!(search.ask(id(1), at("2026-12-07T02:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 1, "2026-12-08T02:00:00Z"), "slot_outside_window");
    }

    #[test]
    fn a_visit_begins_in_time() {
        let starts_at = at("2026-12-03T02:00:00Z");
        let mut search = Search { not_before: starts_at, ..search(vec![technician(1, vec![])]) };
        assert!(search.ask(id(1), starts_at).is_ok());
        search.not_before = starts_at.plus_seconds(1);
        assert_eq!(refused_as(&search, 1, "2026-12-03T02:00:00Z"), "slot_passed");
        assert_eq!(search.best().unwrap().0.local_start, "2026-12-03 10:30");
    }

    #[test]
    fn nobody_is_sent_who_is_away_or_works_elsewhere() {
        let leave = Some(Leave { from_on: on("2026-12-03"), to_on: on("2026-12-04") });
        let search = search(vec![Technician { leave, ..technician(1, vec![]) }]);
        assert!(search.ask(id(1), at("2026-12-02T02:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 1, "2026-12-03T02:00:00Z"), "technician_not_available");
        assert_eq!(refused_as(&search, 1, "2026-12-04T02:00:00Z"), "technician_not_available");
        assert!(search.ask(id(1), at("2026-12-05T02:00:00Z")).is_ok());
        assert_eq!(refused_as(&search, 2, "2026-12-02T02:00:00Z"), "technician_not_available");
    }

    #[test]
    fn the_slot_of_a_visit_that_is_moved_is_free_for_it() {
        let (own, _) = search(vec![technician(1, vec![])]).best().unwrap();
        let search = search(vec![technician(1, vec![own.span()])]);
        assert_eq!(search.best().unwrap().0.local_start, "2026-12-03 10:00");
        assert_eq!(search.without(&own).best().unwrap().0, own);
    }

    #[test]
    fn the_list_of_free_times_is_in_order_and_ends() {
        let team = vec![technician(1, vec![]), technician(2, vec![hour("2026-12-01T01:00:00Z")])];
        let free = search(team).open(3);
        let told: Vec<_> =
            free.iter().map(|slot| (slot.staff_id, slot.local_start.as_str())).collect();
        assert_eq!(
            told,
            [(id(1), "2026-12-01 09:00"), (id(1), "2026-12-01 09:30"), (id(1), "2026-12-01 10:00"),]
        );
    }

    proptest! {
        #[test]
        fn whoever_is_chosen_is_free_and_may_be_asked_for(
            starts in prop::collection::vec((1_u128..4, 0_i64..10_080), 0..60),
        ) {
            let monday = at("2026-12-01T00:00:00Z");
            let mut team: Vec<_> = (1..4).map(|number| technician(number, vec![])).collect();
            for (who, minutes) in starts {
                let span = Span::lasting(monday.plus_minutes(minutes), VisitMinutes::default());
                let index = usize::try_from(who - 1).unwrap();
                team[index].booked.push(span);
            }
            let search = search(team);
            if let Ok((slot, _)) = search.best() {
                prop_assert_eq!(search.ask(slot.staff_id, slot.starts_at), Ok(slot.clone()));
                let who = search.technicians.iter().find(|who| who.id == slot.staff_id).unwrap();
                prop_assert!(who.booked.iter().all(|booked| !booked.overlaps(slot.span())));
            }
        }
    }
}
