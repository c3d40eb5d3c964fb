//! Judging: whether somebody may grant something, what stands in the way, and who may.

use super::{
    AuthorityLimit, AuthorityLimitDetails, BEYOND_ALL_AUTHORITY, BEYOND_AUTHORITY, GestureCount,
    approving_roles,
};
use crate::{
    allowances::gestures::Given,
    identity::{Rank, Role},
    ids::StaffId,
    money::{Minor, Money},
    refusal::{Refusal, Rule},
    tenancy::EscalationHours,
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What can stand between a person and a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GestureLimit {
    /// The role has no limit for this, and so grants nothing.
    NoLimitSet,
    /// One gesture may not cost so much.
    PerRequest,
    /// The person would grant too much on one day.
    PerDay,
    /// The person would grant too much in one month.
    PerMonth,
    /// The customer would be given too much in one month.
    PerCustomerMonth,
    /// The customer would be given too often in one month.
    PerCustomerMonthCount,
    /// The customer's allowance does not have it.
    Allowance,
    /// The gift is heavier than gifts of this brand are.
    GiftWeight,
    /// The gift takes too large a part of what is set aside for the customer.
    GiftShare,
    /// The customer would be given gifts too often in one year.
    GiftsPerYear,
    /// The requester's team has not the money.
    TeamBudget,
    /// The dealer has not the money.
    DealerBudget,
    /// The brand has not the money.
    BrandBudget,
}

/// A limit that a gesture is beyond, with its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitFailure {
    /// Which limit.
    pub limit: GestureLimit,
    /// How much it allows, in the currency of the gesture; null for a limit on how often.
    pub most_minor: Option<Minor>,
    /// How much of that was used by other gestures.
    pub used_minor: Option<Minor>,
    /// How often it allows it; null for a limit on how much.
    pub most_count: Option<u32>,
    /// How often there was one already.
    pub used_count: Option<u32>,
}

/// What other gestures have granted already, in the currency asked for: their cost once they are carried out, their
/// estimate before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Granted {
    /// To this customer, in this calendar month.
    pub customer_month_minor: Minor,
    /// How many gestures that was.
    pub customer_month_count: u32,
    /// By whoever grants now, today.
    pub own_day_minor: Minor,
    /// By whoever grants now, in this calendar month.
    pub own_month_minor: Minor,
    /// How many gifts this customer was given in this calendar year.
    pub gifts_this_year: u32,
}

/// Whose authority is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// In which role.
    pub role: Role,
    /// Which person, when it is one whose own limit counts.
    pub staff_id: Option<StaffId>,
    /// Whether it is they who grant now, so that what they have granted before counts.
    pub grants_now: bool,
}

/// Somebody who may decide on what others ask for, and has a limit of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decider {
    /// Which person.
    pub staff_id: StaffId,
    /// In which role.
    pub role: Role,
}

/// In what somebody decides: as themselves, or in the place of somebody on leave, with that person's authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The rank.
    pub rank: Rank,
    /// Whose own limit counts, when it is a person's.
    pub staff_id: Option<StaffId>,
}

/// What is known when authority is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    /// The brand's limits.
    pub limits: Vec<AuthorityLimit>,
    /// What is asked for.
    pub given: Given,
    /// The largest margin that was earned on what it would be paid from.
    pub margin_minor: Minor,
    /// What was granted before.
    pub granted: Granted,
    /// Which day it is in the brand's time zone.
    pub today: CivilDate,
    /// Ranks of the dealer in which nobody can decide today: nobody has them, or everybody is on leave without a
    /// deputy.
    pub absent: BTreeSet<Rank>,
    /// Those with a limit of their own who can decide today, at the dealer or for the brand.
    pub deciders: Vec<Decider>,
    /// How long a rank has to decide before a gesture goes up to the next one.
    pub escalation_hours: EscalationHours,
}

impl LimitFailure {
    /// Beyond how much it may be.
    pub fn amount(limit: GestureLimit, most: Minor, used: Minor) -> Self {
        let (most_minor, used_minor) = (Some(most), Some(used));
        Self { most_minor, used_minor, ..Self::bare(limit) }
    }

    /// Beyond how often it may be.
    pub fn count(limit: GestureLimit, most: u32, used: u32) -> Self {
        Self { most_count: Some(most), used_count: Some(used), ..Self::bare(limit) }
    }

    /// Without numbers.
    pub fn bare(limit: GestureLimit) -> Self {
        Self { limit, most_minor: None, used_minor: None, most_count: None, used_count: None }
    }
}

impl Holder {
    /// Anybody in `role`.
    fn anybody(role: Role) -> Self {
        Self { role, staff_id: None, grants_now: false }
    }

    /// A person with a limit of their own.
    fn person(Decider { staff_id, role }: Decider) -> Self {
        Self { role, staff_id: Some(staff_id), grants_now: false }
    }
}

impl Authority {
    /// What stands between `holder` and granting `asked` alone; nothing when they may. What costs nothing,
    /// everybody may.
    pub fn judge(&self, holder: Holder, asked: Money) -> Vec<LimitFailure> {
        if asked.amount == Minor::ZERO {
            return Vec::new();
        }
        let Some(limit) = self.closest(holder, asked) else {
            return vec![LimitFailure::bare(GestureLimit::NoLimitSet)];
        };
        if limit.unlimited {
            return Vec::new();
        }
        let granted = self.granted;
        let own = |minor| if holder.grants_now { minor } else { Minor::ZERO };
        let amounts = [
            (GestureLimit::PerRequest, Some(limit.per_request_minor), Minor::ZERO),
            (GestureLimit::PerDay, limit.per_day_minor, own(granted.own_day_minor)),
            (GestureLimit::PerMonth, limit.per_month_minor, own(granted.own_month_minor)),
            (
                GestureLimit::PerCustomerMonth,
                limit.per_customer_month_minor,
                granted.customer_month_minor,
            ),
        ];
        let too_much = amounts.into_iter().filter_map(|(name, most, used)| {
            let most = most?;
            (used.plus(asked.amount) > most).then(|| LimitFailure::amount(name, most, used))
        });
        let too_often = limit
            .per_customer_month_count
            .map(GestureCount::get)
            .filter(|most| granted.customer_month_count >= *most);
        let name = GestureLimit::PerCustomerMonthCount;
        let too_often =
            too_often.map(|most| LimitFailure::count(name, most, granted.customer_month_count));
        too_much.chain(too_often).collect()
    }

    /// The lowest rank that may grant `asked` to others and can decide today, or else the lowest that may;
    /// `None` when nobody may.
    pub fn required_rank(&self, asked: Money) -> Option<Rank> {
        self.lowest_above(asked, Rank::NONE)
    }

    /// The lowest rank above `rank` that may grant `asked` to others; `None` when none may.
    pub fn next_rank(&self, asked: Money, rank: Rank) -> Option<Rank> {
        self.lowest_above(asked, rank)
    }

    /// Expects that `holder` may grant `asked` alone.
    ///
    /// # Errors
    ///
    /// `beyond_authority`, with every limit it is beyond and the lowest rank that may.
    pub fn expect(&self, holder: Holder, asked: Money) -> Result<(), Refusal> {
        let failures = self.judge(holder, asked);
        if failures.is_empty() {
            return Ok(());
        }
        Err(self.beyond(holder.role.rank(), failures, asked))
    }

    /// Expects that somebody may grant `asked` to others in one of their `capacities`, and answers the lowest rank in which
    /// they may.
    ///
    /// # Errors
    ///
    /// `beyond_authority`, with every limit it is beyond in the highest of them and the lowest rank that may.
    pub fn expect_one_of(&self, capacities: &[Capacity], asked: Money) -> Result<Rank, Refusal> {
        let mut ascending = capacities.to_vec();
        ascending.sort_by_key(|capacity| capacity.rank);
        let mut refused = None;
        for capacity in ascending {
            match self.expect_in(capacity, asked) {
                Ok(()) => return Ok(capacity.rank),
                Err(refusal) => refused = Some(refusal),
            }
        }
        Err(refused.unwrap_or_else(|| self.beyond_all(asked)))
    }

    fn expect_in(
        &self,
        Capacity { rank, staff_id }: Capacity,
        asked: Money,
    ) -> Result<(), Refusal> {
        let failures = match approving_roles().find(|role| role.rank() == rank) {
            Some(role) => self.judge(Holder { role, staff_id, grants_now: true }, asked),
            None => vec![LimitFailure::bare(GestureLimit::NoLimitSet)],
        };
        if failures.is_empty() {
            return Ok(());
        }
        Err(self.beyond(rank, failures, asked))
    }

    /// Says that `asked` is beyond everybody.
    pub fn beyond_all(&self, asked: Money) -> Refusal {
        self.tell(&BEYOND_ALL_AUTHORITY, asked)
    }

    /// The limit that is closest to what is asked and who asks.
    fn closest(&self, holder: Holder, asked: Money) -> Option<&AuthorityLimitDetails> {
        let fitting = self.limits.iter().map(|limit| &limit.details).filter(|limit| {
            let is_theirs = limit.role == Some(holder.role)
                || limit.staff_id.is_some() && limit.staff_id == holder.staff_id;
            is_theirs && limit.currency == asked.currency && self.is_about(limit)
        });
        fitting.max_by_key(|limit| {
            (
                limit.staff_id.is_some(),
                limit.kind.is_some(),
                limit.category.is_some(),
                limit.margin_from_minor.is_some() || limit.margin_to_minor.is_some(),
                limit.margin_from_minor,
                limit.valid_from_on,
            )
        })
    }

    /// Whether a limit counts today, for what is given and this margin.
    fn is_about(&self, limit: &AuthorityLimitDetails) -> bool {
        let margin = self.margin_minor;
        limit.kind.is_none_or(|kind| kind == self.given.kind)
            && (limit.category.is_none() || limit.category == self.given.category)
            && limit.margin_from_minor.is_none_or(|from| from <= margin)
            && limit.margin_to_minor.is_none_or(|to| margin < to)
            && limit.valid_from_on.is_none_or(|from| from <= self.today)
            && limit.valid_to_on.is_none_or(|to| self.today <= to)
    }

    fn lowest_above(&self, asked: Money, rank: Rank) -> Option<Rank> {
        let may = |role: &Role| {
            let anybody = std::iter::once(Holder::anybody(*role));
            let people = self.deciders.iter().filter(|decider| decider.role == *role);
            let mut holders = anybody.chain(people.copied().map(Holder::person));
            holders.any(|holder| self.judge(holder, asked).is_empty())
        };
        let ranks: BTreeSet<_> = approving_roles()
            .filter(|role| role.rank() > rank)
            .filter(may)
            .map(Role::rank)
            .collect();
        let present = ranks.iter().find(|rank| !self.absent.contains(rank));
        present.or(ranks.first()).copied()
    }

    fn beyond(&self, rank: Rank, failures: Vec<LimitFailure>, asked: Money) -> Refusal {
        let names: Vec<_> = failures.iter().map(|failure| failure.limit).collect();
        self.tell(&BEYOND_AUTHORITY, asked)
            .with("rank", rank)
            .with("beyond", names)
            .with("failed_limits", failures)
            .with("required_rank", self.required_rank(asked))
    }

    fn tell(&self, rule: &'static Rule, asked: Money) -> Refusal {
        let granted = Money { amount: self.granted.customer_month_minor, ..asked };
        Refusal::new(rule).with("asked", asked).with("granted", granted)
    }
}
