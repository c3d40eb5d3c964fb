//! Authority: how much a person may give alone, and who may decide on more.
//!
//! An [`AuthorityLimit`] says how far a role, or one person, reaches; [`Authority`] is what is known when it
//! is judged.

mod judge;
mod rules;

#[cfg(test)]
mod tests;

pub use judge::{Authority, Capacity, Decider, GestureLimit, Granted, Holder, LimitFailure};
pub use rules::*;

use super::gestures::GestureKind;
use crate::{
    change::Change,
    identity::{Actor, Rank, Reach, Role, Staff},
    ids::{AuthorityLimitId, StaffId},
    inventory::ServiceCategory,
    money::{Currency, Minor},
    number::whole_numbers,
    record::{Record, Version},
    refusal::Refusal,
    time::{CivilDate, Timestamp, WallTime, Zone},
};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, ops::Range};
use utoipa::ToSchema;

whole_numbers! {
    /// How many gestures there may be of something: as many as there are days in three years.
    GestureCount = 0 to 1000, "A number of gestures.", 4;
}

/// How much people in a role, or one person, may grant alone, in one currency.
///
/// A role without a limit grants nothing alone. Higher ranks do not inherit the limits of lower ones. Of several
/// limits that fit a gesture the closest counts: a person's own before their role's, one for the kind of gesture
/// before one for all kinds, one for a category of services before one for everything, one for a margin band before one for all margins, and of bands the highest.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "lim_01m80t7jx3e9vbq2f4c6d8g0hk", "role": "clerk", "staff_id": null, "currency": "CNY",
    "kind": null, "category": null, "margin_from_minor": null, "margin_to_minor": null, "per_request_minor": 5000,
    "per_day_minor": 20000, "per_month_minor": 100_000, "per_customer_month_minor": 12000,
    "per_customer_month_count": 4, "unlimited": false, "valid_from_on": null, "valid_to_on": null,
    "created_at": "2026-11-22T09:30:00Z", "version": 1})))]
pub struct AuthorityLimit {
    /// The identifier.
    pub id: AuthorityLimitId,
    /// What it says.
    #[serde(flatten)]
    pub details: AuthorityLimitDetails,
    /// When it was set.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// What a limit of authority says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"role": "clerk", "currency": "CNY", "per_request_minor": 5000,
    "per_day_minor": 20000, "per_customer_month_minor": 12000, "unlimited": false})))]
pub struct AuthorityLimitDetails {
    /// Whose limit it is, when it is that of everybody in a role.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whose limit it is, when it is one person's own; either this or `role` is given.
    #[serde(default)]
    pub staff_id: Option<StaffId>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The kind of gesture it is for; `null`: every kind for which there is no limit of its own.
    #[serde(default)]
    pub kind: Option<GestureKind>,
    /// The category of services it is for, when a gesture names a service; `null`: whatever a gesture gives for which there
    /// is no limit of its own.
    #[serde(default)]
    pub category: Option<ServiceCategory>,
    /// From which margin on it counts: the largest that was earned on what the customer's allowance comes from;
    /// `null`: from nothing on.
    #[serde(default)]
    pub margin_from_minor: Option<Minor>,
    /// Below which margin it counts; `null`: however large it is.
    #[serde(default)]
    pub margin_to_minor: Option<Minor>,
    /// The most that one gesture may cost. Exactly this much is allowed.
    pub per_request_minor: Minor,
    /// The most that a person may grant on one day of the brand's time zone. Exactly this much is allowed;
    /// `null`: no such limit.
    #[serde(default)]
    pub per_day_minor: Option<Minor>,
    /// The most that a person may grant in one calendar month of the brand's time zone. Exactly this much is
    /// allowed; `null`: no such limit.
    #[serde(default)]
    pub per_month_minor: Option<Minor>,
    /// The most that gestures for one customer may come to in a calendar month of the brand's time
    /// zone, whoever granted them, on this role's word. Exactly this much is allowed; `null`: no limit
    /// but that of each gesture.
    #[serde(default)]
    pub per_customer_month_minor: Option<Minor>,
    /// The most gestures that cost something that one customer may be given in a calendar month, whoever granted
    /// them; `null`: as many as the amounts allow.
    #[serde(default)]
    pub per_customer_month_count: Option<GestureCount>,
    /// Whether there is no limit at all; then the amounts and the count do not matter.
    #[serde(default)]
    pub unlimited: bool,
    /// The first day on which it counts; `null`: from the beginning.
    #[serde(default)]
    pub valid_from_on: Option<CivilDate>,
    /// The last day on which it counts; `null`: until it is changed.
    #[serde(default)]
    pub valid_to_on: Option<CivilDate>,
}

impl AuthorityLimit {
    /// Sets a limit.
    ///
    /// # Errors
    ///
    /// `limit_without_holder` unless it is either a role's or a person's; `range_ends_before_it_begins`;
    /// `cap_below_its_parts` when a period allows less than one gesture, or a month less than a day.
    pub fn set(
        id: AuthorityLimitId,
        details: AuthorityLimitDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check()?;
        Ok(Change::created(Self { id, details, created_at: now, version: Version::FIRST }))
    }

    /// Sets it differently. It counts for every decision from now on, also on what already waits.
    ///
    /// # Errors
    ///
    /// Those of [`AuthorityLimit::set`].
    pub fn amend(self, details: AuthorityLimitDetails) -> Result<Change<Self>, Refusal> {
        details.check()?;
        Ok(Change::edit("amend", &self, |it| it.details = details))
    }
}

impl AuthorityLimitDetails {
    /// What everybody in `role` may grant in one gesture of whatever kind, and no other limit.
    pub fn of_role(role: Role, currency: Currency, per_request_minor: Minor) -> Self {
        Self {
            role: Some(role),
            staff_id: None,
            currency,
            kind: None,
            category: None,
            margin_from_minor: None,
            margin_to_minor: None,
            per_request_minor,
            per_day_minor: None,
            per_month_minor: None,
            per_customer_month_minor: None,
            per_customer_month_count: None,
            unlimited: false,
            valid_from_on: None,
            valid_to_on: None,
        }
    }

    /// Whether two limits cannot both be set, because they are one holder's, for the same currency, kind, category,
    /// band and day.
    pub fn is_about_the_same_as(&self, other: &Self) -> bool {
        let key = |it: &Self| {
            let holder = (it.role, it.staff_id, it.currency);
            (holder, it.kind, it.category, it.margin_from_minor, it.valid_from_on)
        };
        key(self) == key(other)
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.role.is_some() == self.staff_id.is_some() {
            return Err(Refusal::new(&LIMIT_WITHOUT_HOLDER).at("/role"));
        }
        ends_after("/margin_to_minor", self.margin_from_minor, self.margin_to_minor, false)?;
        ends_after("/valid_to_on", self.valid_from_on, self.valid_to_on, true)?;
        if self.unlimited {
            return Ok(());
        }
        let of_request = ("per_request_minor", Some(self.per_request_minor));
        let of_day = ("per_day_minor", self.per_day_minor);
        for (cap, part) in [
            (of_day, of_request),
            (("per_month_minor", self.per_month_minor), of_request),
            (("per_month_minor", self.per_month_minor), of_day),
            (("per_customer_month_minor", self.per_customer_month_minor), of_request),
        ] {
            covers(cap, part)?;
        }
        Ok(())
    }
}

/// Expects that a range does not end before it begins; `last` says whether its end belongs to it.
fn ends_after<T: PartialOrd + Serialize>(
    place: &str,
    from: Option<T>,
    to: Option<T>,
    last: bool,
) -> Result<(), Refusal> {
    match (from, to) {
        (Some(from), Some(to)) if to < from || !last && to <= from => {
            Err(Refusal::new(&RANGE_ENDS_BEFORE_IT_BEGINS)
                .with("from", from)
                .with("to", to)
                .at(place))
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// Expects that a cap leaves room for what it caps.
fn covers(
    (cap, most): (&str, Option<Minor>),
    (part, amount): (&str, Option<Minor>),
) -> Result<(), Refusal> {
    match (most, amount) {
        (Some(most), Some(amount)) if most < amount => Err(Refusal::new(&CAP_BELOW_ITS_PARTS)
            .with("cap", cap)
            .with("cap_minor", most)
            .with("part", part)
            .with("part_minor", amount)
            .at(format!("/{cap}"))),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

impl Record for AuthorityLimit {
    type Id = AuthorityLimitId;

    fn id(&self) -> AuthorityLimitId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// The roles that may decide on what others ask for.
pub(super) fn approving_roles() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| role.decides_gestures())
}

/// The rank in which `actor` decides on what others ask for. A program of the brand decides as the
/// brand; one that sees a single dealer only, as its owner.
pub fn rank_of(actor: Actor, reach: Reach) -> Rank {
    match reach.dealer {
        Some(_) => actor.rank().min(Rank::OWNER),
        None => actor.rank(),
    }
}

/// The ranks of a dealer in which nobody can decide on `today`, when `deciding` are its people who may decide: nobody has
/// the rank, or everybody who has it is on leave, and so are their deputies.
pub fn absent_ranks(deciding: &[Staff], today: CivilDate) -> BTreeSet<Rank> {
    let works = |staff: &Staff| {
        let deputy = deciding.iter().find(|other| Some(other.id) == staff.details.deputy_id);
        staff.works_on(today) || deputy.is_some_and(|deputy| deputy.works_on(today))
    };
    let present: BTreeSet<_> = deciding
        .iter()
        .filter(|staff| works(staff))
        .map(|staff| staff.details.role.rank())
        .collect();
    let ranks = approving_roles().filter(|role| !role.is_brand()).map(Role::rank);
    ranks.filter(|rank| !present.contains(rank)).collect()
}

/// In what `actor` may decide today: as themselves (see [`rank_of`]), and in the place of each of the `deputised` who is on
/// leave and has named them their deputy.
pub fn capacities(
    actor: Actor,
    reach: Reach,
    deputised: &[Staff],
    today: CivilDate,
) -> Vec<Capacity> {
    let own = Capacity { rank: rank_of(actor, reach), staff_id: actor.staff() };
    let on_leave = deputised.iter().filter(|staff| !staff.works_on(today));
    let in_place_of =
        |staff: &Staff| Capacity { rank: staff.details.role.rank(), staff_id: Some(staff.id) };
    std::iter::once(own).chain(on_leave.map(in_place_of)).collect()
}

/// The highest rank in which somebody may decide.
pub fn highest(capacities: &[Capacity]) -> Rank {
    capacities.iter().map(|capacity| capacity.rank).fold(Rank::NONE, Rank::max)
}

/// The day in `zone` that `now` lies in, from its first instant to before the next one's.
pub fn day_of(now: Timestamp, zone: Zone) -> Range<Timestamp> {
    let today = now.date_in(zone);
    let midnight = WallTime::MIDNIGHT;
    today.at(midnight, zone)..today.plus_days(1).at(midnight, zone)
}

/// The instant at which the calendar year in `zone` began that `now` lies in.
pub fn year_began(now: Timestamp, zone: Zone) -> Timestamp {
    let today = NaiveDate::from(now.date_in(zone));
    let first = today.with_ordinal(1).unwrap_or(today);
    CivilDate::from(first).at(WallTime::MIDNIGHT, zone)
}

/// The calendar month in `zone` that `now` lies in, from its first instant to before the next one's.
pub fn month_of(now: Timestamp, zone: Zone) -> Range<Timestamp> {
    let today = NaiveDate::from(now.date_in(zone));
    let first = CivilDate::from(today.with_day(1).unwrap_or(today));
    let midnight = WallTime::MIDNIGHT;
    first.at(midnight, zone)..first.plus_months(1).at(midnight, zone)
}
