//! Where a dealer works, and when its doors are open.

use crate::{
    calendars::BusinessCalendar,
    change::Change,
    event::{Event, HoursOf},
    ids::{CalendarId, DealerId, SiteId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::{Bilingual, Code, Line, Name},
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first day of the week (ISO 8601).
    Monday,
    /// The second day.
    Tuesday,
    /// The third day.
    Wednesday,
    /// The fourth day.
    Thursday,
    /// The fifth day.
    Friday,
    /// The sixth day.
    Saturday,
    /// The seventh day.
    Sunday,
}

impl Weekday {
    /// The day of the week that `date` is.
    pub fn of(date: CivilDate) -> Self {
        match date.weekday() {
            1 => Self::Monday,
            2 => Self::Tuesday,
            3 => Self::Wednesday,
            4 => Self::Thursday,
            5 => Self::Friday,
            6 => Self::Saturday,
            _ => Self::Sunday,
        }
    }

    /// Its place in the week, from 1 for Monday.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Monday => 1,
            Self::Tuesday => 2,
            Self::Wednesday => 3,
            Self::Thursday => 4,
            Self::Friday => 5,
            Self::Saturday => 6,
            Self::Sunday => 7,
        }
    }
}

/// When work is done, on the wall clock of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"opens": "09:00", "closes": "18:00", "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]})))]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// When work begins.
    pub opens: WallTime,
    /// When it ends; later than it begins.
    pub closes: WallTime,
    /// The days of the week on which it is done; none means never.
    pub weekdays: BTreeSet<Weekday>,
}

impl Default for WorkingHours {
    /// 09:00 to 18:00 from Monday to Saturday, as most service shops in China work.
    fn default() -> Self {
        use Weekday::{Friday, Monday, Saturday, Thursday, Tuesday, Wednesday};
        Self {
            opens: WallTime::NINE,
            closes: WallTime::EIGHTEEN,
            weekdays: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday].into(),
        }
    }
}

/// Whether work is done at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteStatus {
    /// It is.
    Active,
    /// It is no longer.
    Closed,
}

/// What is said about a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai", "address": "杭州市西湖区文三路 1 号", "region": "hangzhou", "hours": {"opens": "09:00", "closes": "18:00", "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]}, "calendar_id": "cal_01m80t7jx3e9vbq2f4c6d8g0hk"})))]
#[serde(deny_unknown_fields)]
pub struct SiteDetails {
    /// Its name for programs, unique within its dealer.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// Its time zone: visits of its technicians are planned on its wall clock.
    pub tz: Zone,
    /// Where it is.
    #[serde(default)]
    pub address: Option<Line>,
    /// The region it serves, in the brand's own words.
    #[serde(default)]
    pub region: Option<Code>,
    /// When its people work; 09:00 to 18:00 from Monday to Saturday when absent.
    #[serde(default)]
    pub hours: WorkingHours,
    /// The business calendar by which working time counts here, and by which customers are left in peace; null for
    /// working time in `hours`. Visits are planned by it, too.
    #[serde(default)]
    pub calendar_id: Option<CalendarId>,
}

/// Where a dealer works.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "sit_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "status": "active", "code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai", "address": "杭州市西湖区文三路 1 号", "region": "hangzhou", "hours": {"opens": "09:00", "closes": "18:00", "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]}, "calendar_id": "cal_01m80t7jx3e9vbq2f4c6d8g0hk", "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Site {
    /// Its identifier.
    pub id: SiteId,
    /// Whose it is; it stays so.
    pub dealer_id: DealerId,
    /// Whether work is done there.
    pub status: SiteStatus,
    /// What is said about it.
    #[serde(flatten)]
    pub details: SiteDetails,
    /// How often it was changed.
    pub version: Version,
    /// When it was entered.
    pub created_at: Timestamp,
}

/// Working hours end before they begin.
pub(super) static CLOSES_BEFORE_IT_OPENS: Rule = Rule {
    code: "closes_before_it_opens",
    kind: Kind::Unfit,
    title: Bilingual { en: "Closes before it opens", zh: "关门早于开门" },
    detail: Bilingual {
        en: "The site would open at {opens} and close at {closes}.",
        zh: "该网点将于 {opens} 开门、{closes} 关门。",
    },
    advice: Bilingual {
        en: "Give a time to close that is later on the same day.",
        zh: "请填写同一天内晚于开门的关门时间。",
    },
};

impl Site {
    /// Opens a site of a dealer. `calendar` is the one that `details` name.
    ///
    /// # Errors
    ///
    /// `closes_before_it_opens`, also when both are the same minute; `calendar_retired`.
    pub fn open(
        id: SiteId,
        dealer_id: DealerId,
        details: SiteDetails,
        calendar: Option<&BusinessCalendar>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        check(&details.hours)?;
        calendar.map_or(Ok(()), BusinessCalendar::may_be_taken)?;
        let opened = Change::created(Self {
            id,
            dealer_id,
            status: SiteStatus::Active,
            details,
            version: Version::FIRST,
            created_at: now,
        });
        Ok(opened.emits(hours_changed(dealer_id)))
    }

    /// Changes what is said about it. `calendar` is the one that `details` name.
    ///
    /// # Errors
    ///
    /// `closes_before_it_opens`, also when both are the same minute; `calendar_retired` when it is another one than before.
    pub fn change(
        self,
        details: SiteDetails,
        calendar: Option<&BusinessCalendar>,
    ) -> Result<Change<Self>, Refusal> {
        check(&details.hours)?;
        if self.details.calendar_id != details.calendar_id {
            calendar.map_or(Ok(()), BusinessCalendar::may_be_taken)?;
        }
        let SiteDetails { tz, hours, calendar_id, .. } = &self.details;
        let works_otherwise =
            (tz, hours, calendar_id) != (&details.tz, &details.hours, &details.calendar_id);
        let change = Change::edit("change", &self, |it| it.details = details);
        Ok(if works_otherwise { change.emits(hours_changed(self.dealer_id)) } else { change })
    }

    /// Ends the work there.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is closed already.
    pub fn close(self) -> Result<Change<Self>, Refusal> {
        self.turn("close", SiteStatus::Active, SiteStatus::Closed)
    }

    /// Takes the work there up again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not closed.
    pub fn reopen(self) -> Result<Change<Self>, Refusal> {
        self.turn("reopen", SiteStatus::Closed, SiteStatus::Active)
    }

    fn turn(
        self,
        action: &'static str,
        from: SiteStatus,
        to: SiteStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        let event = hours_changed(self.dealer_id);
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to).emits(event))
    }
}

/// A dealer works as the first of its open sites does, so each of them may be the one that counts.
fn hours_changed(dealer: DealerId) -> Event {
    Event::WorkingHoursChanged { whose: HoursOf::Dealer(dealer), after: None }
}

impl SiteStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["close"],
            Self::Closed => &["reopen"],
        }
    }
}

fn check(hours: &WorkingHours) -> Result<(), Refusal> {
    if hours.closes <= hours.opens {
        return Err(Refusal::new(&CLOSES_BEFORE_IT_OPENS)
            .with("opens", hours.opens)
            .with("closes", hours.closes)
            .at("/hours/closes"));
    }
    Ok(())
}

impl Record for Site {
    type Id = SiteId;

    fn id(&self) -> SiteId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        Some(self.dealer_id)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn opening(opens: &str, closes: &str) -> Result<Change<Site>, Refusal> {
        let hours = WorkingHours {
            opens: opens.parse().unwrap(),
            closes: closes.parse().unwrap(),
            ..WorkingHours::default()
        };
        let details = SiteDetails {
            code: Code::new("west-lake").unwrap(),
            name: Name::new("西湖店").unwrap(),
            tz: "Asia/Shanghai".parse().unwrap(),
            address: None,
            region: None,
            hours,
            calendar_id: None,
        };
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        Site::open(Uuid::from_u128(1).into(), Uuid::from_u128(2).into(), details, None, now)
    }

    #[test]
    fn a_site_is_open_for_at_least_a_minute() {
        assert!(opening("09:00", "09:01").is_ok());
        let refusal = opening("09:00", "09:00").unwrap_err();
        assert_eq!(refusal.rule.code, "closes_before_it_opens");
        assert_eq!(refusal.facts["closes"], "09:00");
    }

    #[test]
    fn a_closed_site_is_closed_once_and_reopened() {
        let closed = opening("09:00", "18:00").unwrap().record.close().unwrap().record;
        assert!(closed.clone().close().is_err());
        assert!(closed.reopen().is_ok());
    }

    #[test]
    fn deadlines_are_counted_anew_when_a_site_works_at_other_hours() {
        let site = opening("09:00", "18:00").unwrap().record;
        let changed = |edit: &dyn Fn(&mut SiteDetails)| {
            let mut details = site.details.clone();
            edit(&mut details);
            site.clone().change(details, None).unwrap().events.len()
        };
        assert_eq!(changed(&|it| it.name = Name::new("东门店").unwrap()), 0);
        assert_eq!(changed(&|it| it.hours.closes = "19:00".parse().unwrap()), 1);
        assert_eq!(changed(&|it| it.tz = "Asia/Tokyo".parse().unwrap()), 1);
        assert_eq!(changed(&|it| it.calendar_id = Some(Uuid::from_u128(3).into())), 1);
        assert_eq!(site.close().unwrap().events.len(), 1);
    }

    #[test]
    fn a_site_takes_no_calendar_that_is_retired_and_keeps_the_one_it_has() {
        let calendar = crate::calendars::samples::calendar(&serde_json::json!({}));
        let retired = calendar.clone().retire().unwrap().record;
        let site = opening("09:00", "18:00").unwrap().record;
        let details = SiteDetails { calendar_id: Some(calendar.id), ..site.details.clone() };
        let refused = site.clone().change(details.clone(), Some(&retired)).unwrap_err();
        assert_eq!(refused.rule.code, "calendar_retired");
        assert_eq!(refused.facts["calendar_code"], "office");
        let site = site.change(details.clone(), Some(&calendar)).unwrap().record;
        assert!(site.change(details, Some(&retired)).is_ok());
    }

    #[test]
    fn hours_are_nine_to_six_but_on_sundays_when_nothing_is_said() {
        let said = r#"{"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai"}"#;
        let details: SiteDetails = serde_json::from_str(said).unwrap();
        assert_eq!(details.hours.opens.to_string(), "09:00");
        assert_eq!(details.hours.closes.to_string(), "18:00");
        assert!(!details.hours.weekdays.contains(&Weekday::Sunday));
        assert_eq!(details.hours.weekdays.len(), 6);
    }
}
