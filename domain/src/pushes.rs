//! Pushes: what another system says a record should be.
//!
//! A brand's ERP or shop knows its records by names of its own. It pushes them as often as it
//! likes, one by one or in files; what is already so changes nothing.

use crate::{
    change::Change,
    ids::DealerId,
    record::Record,
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
    time::{CivilDate, Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a push did.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a push that is not recorded has not happened"]
pub enum Pushed<R> {
    /// The record was not there.
    Created(Change<R>),
    /// The record was there and is different now.
    Changed(Change<R>),
    /// The record was there and says the same.
    Unchanged(R),
}

impl<R: Record> Pushed<R> {
    /// The record as it is now.
    pub fn record(&self) -> &R {
        match self {
            Self::Created(change) | Self::Changed(change) => &change.record,
            Self::Unchanged(record) => record,
        }
    }

    /// Which of the three it was.
    pub fn outcome(&self) -> PushOutcome {
        match self {
            Self::Created(_) => PushOutcome::Created,
            Self::Changed(_) => PushOutcome::Changed,
            Self::Unchanged(_) => PushOutcome::Unchanged,
        }
    }

    /// What is to be recorded; nothing when nothing changed.
    pub fn change(self) -> Option<Change<R>> {
        match self {
            Self::Created(change) | Self::Changed(change) => Some(change),
            Self::Unchanged(_) => None,
        }
    }
}

/// Which of three things a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushOutcome {
    /// The record is new.
    Created,
    /// The record was there and is different now.
    Changed,
    /// The record was there and says the same.
    Unchanged,
}

/// Makes sure that the body of a push names the record of its path: `name` is what the path says, and
/// `told` what the body says; nothing told is fine.
///
/// # Errors
///
/// [`PATH_AND_BODY_DIFFER`].
pub fn check_name(field: &str, name: &str, told: Option<&str>) -> Result<(), Refusal> {
    match told {
        Some(told) if told != name => Err(Refusal::new(&PATH_AND_BODY_DIFFER)
            .with("field", field)
            .with("in_path", name)
            .with("in_body", told)
            .at(format!("/{field}"))),
        Some(_) | None => Ok(()),
    }
}

/// Refuses a day that has not begun anywhere on earth: nobody has paid or delivered then.
///
/// The earliest zone is 14 hours ahead of UTC, so that a dealer's today is never refused.
///
/// # Errors
///
/// [`DAY_NOT_BEGUN`].
pub fn check_day(on: CivilDate, now: Timestamp) -> Result<(), Refusal> {
    const EARLIEST_ZONE_HOURS: i64 = 14;
    let latest_on = now.plus_hours(EARLIEST_ZONE_HOURS).date_in(Zone::UTC);
    if on <= latest_on {
        return Ok(());
    }
    Err(Refusal::new(&DAY_NOT_BEGUN).with("on", on).with("latest_on", latest_on))
}

/// Refuses a site of one dealer beside another dealer. `site_dealer` is the dealer of the site, if
/// a site is named.
///
/// # Errors
///
/// [`SITE_OF_ANOTHER_DEALER`], also when a site is named and no dealer.
pub fn check_site(
    dealer_id: Option<DealerId>,
    site_dealer: Option<DealerId>,
) -> Result<(), Refusal> {
    match site_dealer {
        Some(of_site) if dealer_id != Some(of_site) => Err(Refusal::new(&SITE_OF_ANOTHER_DEALER)
            .with("dealer_id", dealer_id)
            .with("site_dealer_id", of_site)
            .at("/site_id")),
        Some(_) | None => Ok(()),
    }
}

/// The day lies ahead.
pub static DAY_NOT_BEGUN: Rule = Rule {
    code: "day_not_begun",
    kind: Kind::Unfit,
    title: Bilingual { en: "The day has not begun", zh: "日期尚未到来" },
    detail: Bilingual {
        en: "{on} has not begun anywhere on earth; the latest day that can be told about is {latest_on}.",
        zh: "{on} 在全球任何地方都尚未到来；目前最晚可以填写 {latest_on}。",
    },
    advice: Bilingual {
        en: "Send the day on which it happened, once it has happened.",
        zh: "请在事情发生之后，再提交其发生的日期。",
    },
};

/// The site and the dealer do not belong together.
pub static SITE_OF_ANOTHER_DEALER: Rule = Rule {
    code: "site_of_another_dealer",
    kind: Kind::Unfit,
    title: Bilingual { en: "The site is another dealer's", zh: "站点属于其他经销商" },
    detail: Bilingual {
        en: "The site belongs to {site_dealer_id}, but `dealer_id` is {dealer_id}.",
        zh: "该站点属于 {site_dealer_id}，而 `dealer_id` 是 {dealer_id}。",
    },
    advice: Bilingual {
        en: "Name a site of this dealer, or the dealer of this site.",
        zh: "请填写该经销商的站点，或填写该站点所属的经销商。",
    },
};

/// The body names another record than the path.
pub static PATH_AND_BODY_DIFFER: Rule = Rule {
    code: "path_and_body_differ",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "Path and body name different records",
        zh: "路径与请求体指向不同的记录",
    },
    detail: Bilingual {
        en: "The path says that `{field}` is {in_path}, the body says {in_body}.",
        zh: "路径中 `{field}` 为 {in_path}，请求体中为 {in_body}。",
    },
    advice: Bilingual {
        en: "Repeat in the body what the path says; `source` and `external_id` may be left out.",
        zh: "请求体应与路径保持一致；`source` 和 `external_id` 可以省略。",
    },
};

/// The rules of this file.
pub static RULES: &[&Rule] = &[&DAY_NOT_BEGUN, &SITE_OF_ANOTHER_DEALER, &PATH_AND_BODY_DIFFER];

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_day_can_be_told_about_once_it_has_begun_somewhere() {
        let now: Timestamp = "2026-11-22T09:59:59Z".parse().unwrap();
        assert_eq!(check_day("2026-11-22".parse().unwrap(), now), Ok(()));
        let refusal = check_day("2026-11-23".parse().unwrap(), now).unwrap_err();
        assert_eq!(refusal.rule, &DAY_NOT_BEGUN);
        assert_eq!(refusal.facts["latest_on"], "2026-11-22");
        assert_eq!(check_day("2026-11-23".parse().unwrap(), now.plus_seconds(1)), Ok(()));
    }

    #[test]
    fn a_body_names_what_its_path_names_or_nothing() {
        assert_eq!(check_name("sku", "RO-600G", Some("RO-600G")), Ok(()));
        assert_eq!(check_name("sku", "RO-600G", None), Ok(()));
        let refusal = check_name("sku", "RO-600G", Some("RO-400G")).unwrap_err();
        assert_eq!(refusal.rule, &PATH_AND_BODY_DIFFER);
    }

    #[test]
    fn a_site_goes_with_its_own_dealer_only() {
        let [one, other] = [1, 2].map(|n| DealerId::from(Uuid::from_u128(n)));
        assert_eq!(check_site(Some(one), None), Ok(()));
        assert_eq!(check_site(None, None), Ok(()));
        assert_eq!(check_site(Some(one), Some(one)), Ok(()));
        for dealer in [Some(other), None] {
            let refusal = check_site(dealer, Some(one)).unwrap_err();
            assert_eq!(refusal.rule, &SITE_OF_ANOTHER_DEALER);
        }
    }
}
