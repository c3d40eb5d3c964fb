//! Who is let in, at this moment, and what they may do here.

use super::{Actor, ApiKey, Reach, Scope, Staff, StaffStatus};
use crate::{
    tenancy::{Brand, BrandStatus, Dealer, DealerStatus, TenantMode},
    time::Timestamp,
    web::WebOrigin,
};
use std::{collections::BTreeSet, sync::Arc};

/// For how long a standing is believed before it is looked up again. A revoked key or a changed rank acts
/// within five seconds on every server; two of them are left for the looking up.
pub const STANDING_SECONDS: i64 = 3;

/// Where somebody stands who was recognised. Copies share what is long, because each request has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who they are.
    pub actor: Actor,
    /// How much of the brand they see.
    pub reach: Reach,
    /// What they may do.
    pub scopes: Arc<BTreeSet<Scope>>,
    /// Whether the brand may change anything.
    pub brand: BrandStatus,
    /// Whether the brand works or tries out.
    pub mode: TenantMode,
    /// Where their front ends may come from.
    pub origins: Arc<BTreeSet<WebOrigin>>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// Where somebody comes from: their brand and, if they belong to one, their dealer.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The brand.
    pub brand: &'a Brand,
    /// The dealer of a dealer's key or of a dealer's people.
    pub dealer: Option<&'a Dealer>,
}

impl Standing {
    /// Of a program with this key; `None` when the key opens nothing, or its dealer is closed.
    pub fn of_key(key: &ApiKey, from: Origin<'_>, now: Timestamp) -> Option<Self> {
        let is_let_in = key.is_valid(now) && from.lets_in();
        let until = key.details.expires_at;
        is_let_in.then(|| from.standing(key.actor(), key.reach(), &key.details.scopes, until))
    }

    /// Of a person; `None` when they have left, or their dealer is closed.
    pub fn of_staff(staff: &Staff, from: Origin<'_>) -> Option<Self> {
        let is_let_in = staff.status == StaffStatus::Active && from.lets_in();
        let scopes = staff.details.role.scopes();
        is_let_in.then(|| from.standing(staff.actor(), staff.reach(), &scopes, None))
    }

    /// The same, with no more than a token gives.
    #[must_use]
    pub fn within(mut self, token: &BTreeSet<Scope>) -> Self {
        if !self.scopes.is_subset(token) {
            self.scopes = Arc::new(self.scopes.intersection(token).copied().collect());
        }
        self
    }

    /// The same, over at `end` if it is not over before.
    #[must_use]
    pub fn ending(mut self, end: Option<Timestamp>) -> Self {
        self.until = self.until.into_iter().chain(end).min();
        self
    }

    /// Whether it has not ended by itself; the instant at which it ends is too late.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|end| now < end)
    }
}

impl Origin<'_> {
    fn lets_in(&self) -> bool {
        self.dealer.is_none_or(|dealer| dealer.status == DealerStatus::Active)
    }

    fn standing(
        &self,
        actor: Actor,
        reach: Reach,
        scopes: &BTreeSet<Scope>,
        until: Option<Timestamp>,
    ) -> Standing {
        let scopes = match self.brand.status {
            BrandStatus::Active => scopes.clone(),
            // A suspended brand reads and changes nothing.
            BrandStatus::Suspended => {
                scopes.iter().copied().filter(|scope| scope.only_reads()).collect()
            }
        };
        let origins = Arc::new(self.brand.details.cors_origins.clone());
        let (brand, mode) = (self.brand.status, self.brand.mode);
        Standing { actor, reach, scopes: Arc::new(scopes), brand, mode, origins, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{ApiKeyDetails, Grantor, Hiring, MadeKey, Role, StaffDetails},
        ids::DealerId,
        money::Currency,
        tenancy::{
            BrandDetails, BrandFounding, DealerDetails, EscalationHours, ObligationShare,
            usual_personalised_most,
        },
        text::Locale,
    };
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn brand() -> Brand {
        let details = BrandDetails {
            name: "Clearwater".parse().unwrap(),
            tz: "Asia/Shanghai".parse().unwrap(),
            locale: Locale::Chinese,
            cors_origins: BTreeSet::new(),
            gesture_escalation_hours: EscalationHours::default(),
            obligation_from_bp: ObligationShare::default(),
            personalised_most_bp: usual_personalised_most(),
        };
        let slug = "clearwater".parse().unwrap();
        let founding = BrandFounding { slug, currency: Currency::CNY, details };
        Brand::found(Uuid::from_u128(1).into(), founding, now()).unwrap().record
    }

    fn dealer() -> Dealer {
        let details =
            DealerDetails { code: "one".parse().unwrap(), name: "One".parse().unwrap(), tz: None };
        let id = Uuid::from_u128(2).into();
        Dealer::enter(id, details, Reach::default(), now()).unwrap().record
    }

    fn key(expires_at: Option<Timestamp>) -> ApiKey {
        let scopes = [Scope::CustomersRead, Scope::CustomersWrite].into();
        let made = MadeKey {
            id: Uuid::from_u128(3).into(),
            prefix: "ak_live_3hT9x2Qa".to_owned(),
            mode: TenantMode::Live,
        };
        let details =
            ApiKeyDetails { name: "ERP".parse().unwrap(), scopes, dealer_id: None, expires_at };
        let scopes = details.scopes.clone();
        let grantor = Grantor { scopes: &scopes, reach: Reach::default() };
        ApiKey::make(made, details, grantor, now()).unwrap().record
    }

    fn clerk(dealer_id: DealerId) -> Staff {
        let details = StaffDetails {
            dealer_id: Some(dealer_id),
            external_id: None,
            name: "李娜".parse().unwrap(),
            role: Role::Clerk,
            site_ids: BTreeSet::new(),
            issuer_id: None,
            subject: None,
            on_leave: None,
            deputy_id: None,
            team_id: None,
        };
        let hiring = Hiring {
            by: Actor::Operator,
            reach: Reach::default(),
            sites: &[],
            deputy: None,
            team: None,
        };
        Staff::hire(Uuid::from_u128(4).into(), details, hiring, now()).unwrap().record
    }

    #[test]
    fn a_key_lets_in_until_it_ends() {
        let brand = brand();
        let from = Origin { brand: &brand, dealer: None };
        let standing = Standing::of_key(&key(Some(now().plus_seconds(1))), from, now()).unwrap();
        assert!(standing.holds(now()));
        assert!(!standing.holds(now().plus_seconds(1)));
        let revoked = key(None).revoke(now()).unwrap().record;
        assert_eq!(Standing::of_key(&revoked, from, now()), None);
    }

    #[test]
    fn a_token_gives_no_more_than_its_key_has_now() {
        let brand = brand();
        let from = Origin { brand: &brand, dealer: None };
        let token = [Scope::CustomersRead, Scope::TenantWrite].into();
        let standing = Standing::of_key(&key(None), from, now()).unwrap().within(&token);
        assert_eq!(*standing.scopes, [Scope::CustomersRead].into());
    }

    #[test]
    fn it_ends_with_the_first_thing_that_ends() {
        let brand = brand();
        let from = Origin { brand: &brand, dealer: None };
        let of_key = |end| Standing::of_key(&key(end), from, now()).unwrap();
        let [soon, later] = [60, 3_600].map(|seconds| Some(now().plus_seconds(seconds)));
        assert_eq!(of_key(None).ending(None).until, None);
        assert_eq!(of_key(None).ending(later).until, later);
        assert_eq!(of_key(soon).ending(later).until, soon);
        assert_eq!(of_key(later).ending(soon).until, soon);
        assert_eq!(of_key(soon).ending(None).until, soon);
    }

    #[test]
    fn who_left_or_whose_dealer_is_closed_is_not_let_in() {
        let (brand, dealer) = (brand(), dealer());
        let clerk = clerk(dealer.id);
        let from = Origin { brand: &brand, dealer: Some(&dealer) };
        let standing = Standing::of_staff(&clerk, from).unwrap();
        assert_eq!(standing.reach.dealer, Some(dealer.id));
        assert!(standing.scopes.contains(&Scope::GesturesWrite));
        let left = clerk.clone().leave(Actor::Operator).unwrap().record;
        assert_eq!(Standing::of_staff(&left, from), None);
        let closed = dealer.clone().close().unwrap().record;
        let from = Origin { brand: &brand, dealer: Some(&closed) };
        assert_eq!(Standing::of_staff(&clerk, from), None);
    }

    #[test]
    fn a_suspended_brand_reads_and_changes_nothing() {
        let brand = brand().suspend().unwrap().record;
        let from = Origin { brand: &brand, dealer: None };
        let standing = Standing::of_key(&key(None), from, now()).unwrap();
        assert_eq!(*standing.scopes, [Scope::CustomersRead].into());
    }
}
