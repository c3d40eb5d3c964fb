//! Days that are not like their weekday: entered one by one, or handed in as a list.

use super::{
    BusinessCalendar, hours,
    rules::{CALENDAR_DAY_TWICE, CLOSED_DAY_WITH_HOURS, TOO_MANY_EXCEPTIONS},
};
use crate::{
    ids::{CalendarExceptionId, CalendarId},
    lists::{list_of, list_or_null},
    record::Record,
    refusal::Refusal,
    text::Line,
    time::{CivilDate, Timestamp},
    working_time::{DayOpening, DaySource, SaidDay, WorkingInterval},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most days that are handed in at once: the holidays and make-up days of 25 years.
pub const MOST_IMPORTED: usize = 1_000;

/// Whether work is done on a day that is not like its weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// It is not.
    Closed,
    /// It is: a make-up workday, or one with hours of its own.
    Open,
}

/// Where an exception is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionSource {
    /// Somebody of the brand entered it; no list changes it.
    Own,
    /// It was in the list that was handed in last; the next one replaces it.
    Imported,
}

/// A day that is not like its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "cex_01m80t7jx3e9vbq2f4c6d8g0hk", "calendar_id": "cal_01m80t7jx3e9vbq2f4c6d8g0hk",
    "applies_on": "2026-10-10", "kind": "open", "intervals": [{ "opens": "09:00", "closes": "12:00" }],
    "label": "国庆节（班）", "source": "own", "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct CalendarException {
    /// Its identifier.
    pub id: CalendarExceptionId,
    /// The calendar.
    pub calendar_id: CalendarId,
    /// The day; a calendar says one thing about it.
    pub applies_on: CivilDate,
    /// What is said about it.
    #[serde(flatten)]
    pub details: CalendarExceptionDetails,
    /// Where it is from.
    pub source: ExceptionSource,
    /// When it was entered, or said so last.
    pub created_at: Timestamp,
}

/// What is said about a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "kind": "open", "intervals": [{ "opens": "09:00", "closes": "12:00" }], "label": "国庆节（班）",
})))]
pub struct CalendarExceptionDetails {
    /// Whether work is done.
    pub kind: ExceptionKind,
    /// When it is done, on an `open` day alone; null or left out for the hours of the first weekday, from Monday on, that
    /// has any.
    #[serde(default, deserialize_with = "list_or_null::<10, _, _>")]
    #[schema(max_items = 10)]
    pub intervals: Option<Vec<WorkingInterval>>,
    /// What the day is called.
    #[serde(default)]
    pub label: Option<Line>,
}

/// What a list says about a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "applies_on": "2027-10-01", "kind": "closed", "label": "国庆节" })))]
pub struct DatedException {
    /// The day.
    pub applies_on: CivilDate,
    /// Whether work is done.
    pub kind: ExceptionKind,
    /// When it is done, on an `open` day alone; null or left out for the hours of the first weekday, from Monday on, that
    /// has any.
    #[serde(default, deserialize_with = "list_or_null::<10, _, _>")]
    #[schema(max_items = 10)]
    pub intervals: Option<Vec<WorkingInterval>>,
    /// What the day is called.
    #[serde(default)]
    pub label: Option<Line>,
}

/// A list of days that are not like their weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "exceptions": [
    { "applies_on": "2027-10-01", "kind": "closed", "label": "国庆节" },
    { "applies_on": "2027-10-09", "kind": "open", "label": "国庆节（班）" },
] })))]
pub struct ExceptionList {
    /// The days, at most 1000; none takes all of the list before away.
    #[serde(deserialize_with = "list_of::<0, MOST_IMPORTED, _, _>")]
    #[schema(max_items = 1000)]
    pub exceptions: Vec<DatedException>,
}

/// What was done about a day of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionTakenAction {
    /// It was not there.
    Added,
    /// The list before said something else about it.
    Changed,
    /// The list before said the same.
    Unchanged,
    /// The list before named it, and this one does not.
    Removed,
    /// Somebody of the brand entered it, and it stays what they said.
    Kept,
}

/// A day of a list, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TakenException {
    /// The day.
    pub applies_on: CivilDate,
    /// What was done; when trying out, what would be.
    pub action: ExceptionTakenAction,
    /// Whether work is done on it, as the list says; of a day that is removed, as it was.
    pub kind: ExceptionKind,
    /// What the list calls it.
    pub label: Option<Line>,
}

/// What was done about a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "dry_run": false, "added": 1, "changed": 0, "unchanged": 0, "removed": 0, "kept": 0, "days": [
        { "applies_on": "2027-10-01", "action": "added", "kind": "closed", "label": "国庆节" },
    ],
})))]
pub struct CalendarIntakeReport {
    /// Whether it was only tried out, and nothing was written.
    pub dry_run: bool,
    /// How many days are new.
    pub added: usize,
    /// How many days are something else than before.
    pub changed: usize,
    /// How many days are what they were.
    pub unchanged: usize,
    /// How many days are like their weekday again.
    pub removed: usize,
    /// How many days stay what somebody of the brand entered.
    pub kept: usize,
    /// Each day, in order.
    pub days: Vec<TakenException>,
}

/// What is to be recorded about the exceptions of a calendar.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "exceptions that are not recorded are not there"]
pub struct ExceptionsChange {
    /// What was done, for the timeline of the calendar.
    pub action: &'static str,
    /// What the timeline should know.
    pub facts: Map<String, Value>,
    /// Rows that are not there any more.
    pub gone: Vec<CalendarExceptionId>,
    /// Rows that are there now.
    pub now: Vec<CalendarException>,
}

/// A list that was taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarIntake {
    /// What is told about it.
    pub days: Vec<TakenException>,
    /// What is to be recorded.
    pub change: ExceptionsChange,
}

impl DatedException {
    fn details(&self) -> CalendarExceptionDetails {
        let Self { kind, intervals, label, .. } = self.clone();
        CalendarExceptionDetails { kind, intervals, label }
    }

    /// Whether it says the same about the day, whatever it calls it.
    fn means(&self, other: &Self) -> bool {
        (self.kind, &self.intervals) == (other.kind, &other.intervals)
    }
}

impl CalendarExceptionDetails {
    /// Makes sure that what is said about a day holds together; `place` is where it stands.
    fn check(&self, place: &str) -> Result<(), Refusal> {
        match (self.kind, &self.intervals) {
            (_, None) => Ok(()),
            (ExceptionKind::Closed, Some(_)) => {
                Err(Refusal::new(&CLOSED_DAY_WITH_HOURS).at(format!("{place}/intervals")))
            }
            (ExceptionKind::Open, Some(intervals)) => {
                hours::check_day(intervals, &format!("{place}/intervals"))
            }
        }
    }
}

impl CalendarException {
    /// Says what a day is. `known` is what the calendar said about it before. The same again changes nothing, unless it
    /// was in a list: then it is the brand's own from now on.
    ///
    /// # Errors
    ///
    /// `closed_day_with_hours`, `calendar_without_hours`, `calendar_hours_overlap`.
    pub fn put(self, known: Option<&Self>) -> Result<(Self, Option<ExceptionsChange>), Refusal> {
        self.details.check("")?;
        if let Some(known) = known
            && (&known.details, known.source) == (&self.details, self.source)
        {
            return Ok((known.clone(), None));
        }
        let exception = Self { id: known.map_or(self.id, |known| known.id), ..self };
        let change = ExceptionsChange {
            action: "say_of_day",
            facts: facts([
                ("on", json!(exception.applies_on)),
                ("kind", json!(exception.details.kind)),
            ]),
            gone: known.map(|known| known.id).into_iter().collect(),
            now: vec![exception.clone()],
        };
        Ok((exception, Some(change)))
    }

    /// Says nothing more about the day.
    pub fn take_back(&self) -> ExceptionsChange {
        ExceptionsChange {
            action: "take_day_back",
            facts: facts([("on", json!(self.applies_on)), ("kind", json!(self.details.kind))]),
            gone: vec![self.id],
            now: Vec::new(),
        }
    }

    /// What becomes of it when a list says this about its day, or nothing; nothing when it is no matter of the list's.
    fn meets(&self, said: Option<&DatedException>) -> Option<ExceptionTakenAction> {
        match (self.source, said) {
            (ExceptionSource::Own, None) => None,
            (ExceptionSource::Own, Some(_)) => Some(ExceptionTakenAction::Kept),
            (ExceptionSource::Imported, None) => Some(ExceptionTakenAction::Removed),
            (ExceptionSource::Imported, Some(said)) if said.details() == self.details => {
                Some(ExceptionTakenAction::Unchanged)
            }
            (ExceptionSource::Imported, Some(_)) => Some(ExceptionTakenAction::Changed),
        }
    }

    /// The day, and what is said about it.
    pub fn said(self) -> (CivilDate, SaidDay) {
        let CalendarExceptionDetails { kind, intervals, label } = self.details;
        let opening = match (kind, intervals) {
            (ExceptionKind::Closed, _) => DayOpening::Closed,
            (ExceptionKind::Open, None) => DayOpening::Usual,
            (ExceptionKind::Open, Some(intervals)) => DayOpening::Hours(intervals),
        };
        let source = match self.source {
            ExceptionSource::Own => DaySource::Own,
            ExceptionSource::Imported => DaySource::Imported,
        };
        (self.applies_on, SaidDay { opening, label, source })
    }
}

impl ExceptionList {
    /// The days, each once.
    ///
    /// # Errors
    ///
    /// `calendar_day_twice` where two say different things about one day, and those of a single day, each with its place
    /// in the list.
    pub fn by_day(self) -> Result<BTreeMap<CivilDate, DatedException>, Refusal> {
        let mut days = BTreeMap::<CivilDate, DatedException>::new();
        for (place, said) in self.exceptions.into_iter().enumerate() {
            let place = format!("/exceptions/{place}");
            said.details().check(&place)?;
            match days.get(&said.applies_on) {
                Some(before) if !before.means(&said) => {
                    let refusal = Refusal::new(&CALENDAR_DAY_TWICE).with("on", said.applies_on);
                    return Err(refusal.at(place));
                }
                Some(_) => {}
                None => {
                    days.insert(said.applies_on, said);
                }
            }
        }
        if days.len() > MOST_IMPORTED {
            return Err(Refusal::new(&TOO_MANY_EXCEPTIONS).with("most", MOST_IMPORTED));
        }
        Ok(days)
    }
}

impl CalendarIntake {
    /// Takes a list over in the place of the list before. `known` is what the calendar says about the days of both.
    pub fn of(
        calendar: &BusinessCalendar,
        mut list: BTreeMap<CivilDate, DatedException>,
        known: Vec<CalendarException>,
        mut new_id: impl FnMut() -> CalendarExceptionId,
        now: Timestamp,
    ) -> Self {
        let (mut days, mut gone, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let row = |id, said: &DatedException| CalendarException {
            id,
            calendar_id: calendar.id,
            applies_on: said.applies_on,
            details: said.details(),
            source: ExceptionSource::Imported,
            created_at: now,
        };
        for before in known {
            let said = list.remove(&before.applies_on);
            let Some(action) = before.meets(said.as_ref()) else { continue };
            if matches!(action, ExceptionTakenAction::Removed | ExceptionTakenAction::Changed) {
                gone.push(before.id);
            }
            if let (ExceptionTakenAction::Changed, Some(said)) = (action, &said) {
                rows.push(row(before.id, said));
            }
            let was = (before.details.kind, before.details.label);
            let (kind, label) = said.map_or(was, |said| (said.kind, said.label));
            days.push(TakenException { applies_on: before.applies_on, action, kind, label });
        }
        for (applies_on, said) in list {
            rows.push(row(new_id(), &said));
            let (kind, label, action) = (said.kind, said.label, ExceptionTakenAction::Added);
            days.push(TakenException { applies_on, action, kind, label });
        }
        days.sort_by_key(|day| day.applies_on);
        let report = CalendarIntakeReport::of(days, false);
        let counts = [
            ("added", json!(report.added)),
            ("changed", json!(report.changed)),
            ("removed", json!(report.removed)),
        ];
        let change =
            ExceptionsChange { action: "take_days_over", facts: facts(counts), gone, now: rows };
        Self { days: report.days, change }
    }
}

impl ExceptionsChange {
    /// Whether there is nothing to record.
    pub fn is_idle(&self) -> bool {
        self.gone.is_empty() && self.now.is_empty()
    }
}

impl CalendarIntakeReport {
    /// What is told about a list that was taken over, or tried out.
    pub fn of(days: Vec<TakenException>, dry_run: bool) -> Self {
        let count = |action| days.iter().filter(|day| day.action == action).count();
        Self {
            dry_run,
            added: count(ExceptionTakenAction::Added),
            changed: count(ExceptionTakenAction::Changed),
            unchanged: count(ExceptionTakenAction::Unchanged),
            removed: count(ExceptionTakenAction::Removed),
            kept: count(ExceptionTakenAction::Kept),
            days,
        }
    }
}

fn facts<const N: usize>(named: [(&str, Value); N]) -> Map<String, Value> {
    named.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect()
}

impl Record for CalendarException {
    type Id = CalendarExceptionId;

    fn id(&self) -> CalendarExceptionId {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::{super::samples::*, *};
    use serde_json::from_value;
    use uuid::Uuid;

    fn exception(on: &str, details: Value, source: ExceptionSource) -> CalendarException {
        CalendarException {
            id: Uuid::from_u128(7).into(),
            calendar_id: Uuid::from_u128(1).into(),
            applies_on: on.parse().unwrap(),
            details: from_value(details).unwrap(),
            source,
            created_at: NOW.parse().unwrap(),
        }
    }

    fn list(exceptions: &Value) -> ExceptionList {
        from_value(json!({ "exceptions": exceptions })).unwrap()
    }

    /// What a list comes to: the days and what is done about them.
    fn takes(
        exceptions: &Value,
        known: Vec<CalendarException>,
    ) -> (Vec<(String, Value)>, CalendarIntake) {
        let mut ids = 100_u128..;
        let new_id = || Uuid::from_u128(ids.next().unwrap()).into();
        let days = list(exceptions).by_day().unwrap();
        let intake =
            CalendarIntake::of(&calendar(&json!({})), days, known, new_id, NOW.parse().unwrap());
        let told = intake.days.iter().map(|day| (day.applies_on.to_string(), json!(day.action)));
        (told.collect(), intake)
    }

    #[test]
    fn what_is_said_about_a_day_holds_together() {
        let put = |details: Value| {
            let exception = exception("2026-10-10", details, ExceptionSource::Own);
            exception
                .put(None)
                .map(|_| ())
                .map_err(|refusal| (refusal.rule.code, refusal.place.unwrap_or_default()))
        };
        let noon = json!({ "opens": "09:00", "closes": "12:00" });
        let places = |code, place: &str| Err((code, place.to_owned()));
        assert_eq!(put(json!({ "kind": "open", "intervals": [noon] })), Ok(()));
        assert_eq!(put(json!({ "kind": "open" })), Ok(()));
        assert_eq!(
            put(json!({ "kind": "closed", "intervals": [noon] })),
            places("closed_day_with_hours", "/intervals")
        );
        assert_eq!(
            put(json!({ "kind": "open", "intervals": [] })),
            places("calendar_without_hours", "/intervals")
        );
        let late = json!({ "opens": "11:59", "closes": "13:00" });
        assert_eq!(
            put(json!({ "kind": "open", "intervals": [late, noon] })),
            places("calendar_hours_overlap", "/intervals/0")
        );
    }

    #[test]
    fn a_day_says_one_thing_and_the_same_again_changes_nothing() {
        let closed = json!({ "kind": "closed" });
        let first = exception("2026-10-10", closed.clone(), ExceptionSource::Own);
        let (first, change) = first.put(None).unwrap();
        assert_eq!((change.unwrap().gone, first.source), (Vec::new(), ExceptionSource::Own));
        let again = CalendarException { id: Uuid::from_u128(8).into(), ..first.clone() };
        assert_eq!(again.clone().put(Some(&first)).unwrap(), (first.clone(), None));
        // What was in a list becomes the brand's own, and keeps its identifier.
        let listed = CalendarException { source: ExceptionSource::Imported, ..first.clone() };
        let (own, change) = again.put(Some(&listed)).unwrap();
        assert_eq!((own.id, own.source), (first.id, ExceptionSource::Own));
        assert_eq!(change.unwrap().gone, [first.id]);
    }

    #[test]
    fn a_list_replaces_the_list_before_and_leaves_what_is_the_brands_own() {
        let closed = json!({ "kind": "closed" });
        let known = [
            ("2027-01-01", ExceptionSource::Own),
            ("2027-01-02", ExceptionSource::Imported),
            ("2027-01-03", ExceptionSource::Imported),
            ("2027-01-04", ExceptionSource::Imported),
            ("2027-01-05", ExceptionSource::Own),
        ];
        let known = known.into_iter().zip(1_u128..).map(|((on, source), id)| CalendarException {
            id: Uuid::from_u128(id).into(),
            ..exception(on, closed.clone(), source)
        });
        let said = json!([
            { "applies_on": "2027-01-06", "kind": "open" },
            { "applies_on": "2027-01-01", "kind": "open" },
            { "applies_on": "2027-01-02", "kind": "closed" },
            { "applies_on": "2027-01-03", "kind": "open" },
            { "applies_on": "2027-01-06", "kind": "open", "label": "Twice" },
        ]);
        let (told, intake) = takes(&said, known.collect());
        let told: Vec<_> =
            told.iter().map(|(on, action)| (&on[8..], action.as_str().unwrap())).collect();
        assert_eq!(
            told,
            [
                ("01", "kept"),
                ("02", "unchanged"),
                ("03", "changed"),
                ("04", "removed"),
                ("06", "added")
            ]
        );
        let change = intake.change;
        let ids = [3_u128, 4].map(|id| CalendarExceptionId::from(Uuid::from_u128(id)));
        assert_eq!(change.gone, ids);
        let now: Vec<_> =
            change.now.iter().map(|one| (one.applies_on.to_string(), one.id)).collect();
        let new = Uuid::from_u128(100).into();
        assert_eq!(now, [("2027-01-03".to_owned(), ids[0]), ("2027-01-06".to_owned(), new)]);
        assert_eq!(Value::from(change.facts), json!({ "added": 1, "changed": 1, "removed": 1 }));
    }

    #[test]
    fn a_list_says_one_thing_about_a_day() {
        let twice = |second: Value| {
            let first = json!({ "applies_on": "2027-01-01", "kind": "closed" });
            list(&json!([first, second]))
                .by_day()
                .map(|days| days.len())
                .map_err(|refusal| (refusal.rule.code, refusal.place.unwrap_or_default()))
        };
        let same = json!({ "applies_on": "2027-01-01", "kind": "closed", "label": "New Year" });
        assert_eq!(twice(same), Ok(1));
        let other = json!({ "applies_on": "2027-01-01", "kind": "open" });
        assert_eq!(twice(other), Err(("calendar_day_twice", "/exceptions/1".to_owned())));
        let torn = json!({ "applies_on": "2027-01-02", "kind": "closed", "intervals": [] });
        assert_eq!(
            twice(torn),
            Err(("closed_day_with_hours", "/exceptions/1/intervals".to_owned()))
        );
    }
}
