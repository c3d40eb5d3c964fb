//! Policies: what the brand says about which share of a sale is set aside for service.

use super::tiers::{AllowanceTiers, LotExpiryDays};
use crate::{
    change::Change,
    ids::AllowancePolicyId,
    money::{BasisPoints, Currency, Minor},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    text::Bilingual,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The least that an order earns is more than the most.
pub static LEAST_ABOVE_MOST: Rule = Rule {
    code: "least_above_most",
    kind: Kind::Unfit,
    title: Bilingual { en: "The least is more than the most", zh: "下限高于上限" },
    detail: Bilingual {
        en: "An order would earn at least {least_minor} and at most {most_minor} minor units.",
        zh: "每单计提下限为 {least_minor}，上限为 {most_minor}（最小货币单位）。",
    },
    advice: Bilingual {
        en: "Give a `most_per_order_minor` that is not below `least_per_order_minor`, or leave one of them out.",
        zh: "`most_per_order_minor` 不得低于 `least_per_order_minor`，或省略其一。",
    },
};

/// How allowances are earned on sales in one currency.
///
/// A draft may be changed. Activating it retires the one before, so that for each currency exactly one
/// policy counts; from then on it never changes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "alp_01m80t7jx3e9vbq2f4c6d8g0hk", "number": 1, "currency": "CNY", "base": "margin",
    "tiers": [{"from_minor": 0, "rate_bp": 2500}, {"from_minor": 30000, "rate_bp": 1000},
        {"from_minor": 300_000, "rate_bp": 500}],
    "fallback_price_bp": 200, "least_per_order_minor": 0, "most_per_order_minor": null, "expiry_days": 365,
    "state": "active", "activated_at": "2026-11-22T09:30:00Z", "retired_at": null,
    "created_at": "2026-11-22T09:00:00Z", "version": 2})))]
pub struct AllowancePolicy {
    /// The identifier.
    pub id: AllowancePolicyId,
    /// Which policy of its currency it is, counted from 1.
    pub number: u32,
    /// What it says.
    #[serde(flatten)]
    pub details: AllowancePolicyDetails,
    /// Whether it counts.
    pub state: AllowancePolicyState,
    /// Since when it counts.
    pub activated_at: Option<Timestamp>,
    /// Since when it does not count any more.
    pub retired_at: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"currency": "CNY", "base": "margin",
    "tiers": [{"from_minor": 0, "rate_bp": 2500}, {"from_minor": 30000, "rate_bp": 1000},
        {"from_minor": 300_000, "rate_bp": 500}],
    "fallback_price_bp": 200, "expiry_days": 365})))]
pub struct AllowancePolicyDetails {
    /// The currency of the sales it is for, and of the bounds of its tiers.
    pub currency: Currency,
    /// What a share is taken of.
    pub base: AllowanceBase,
    /// How large the share is. The whole amount earned on an order line takes the rate of the highest
    /// tier that it reaches; below the first tier nothing is set aside.
    pub tiers: AllowanceTiers,
    /// The share of the price that is set aside where the base is the margin and the cost of a line is
    /// not known. The account's entry says so (`price_fallback`). 0 sets nothing aside.
    #[serde(default)]
    pub fallback_price_bp: BasisPoints,
    /// The least that an order earns, but never more than was paid for one of its lines; 0: its shares alone count.
    #[serde(default)]
    pub least_per_order_minor: Minor,
    /// The most that an order earns; `null`: as much as its shares come to.
    #[serde(default)]
    pub most_per_order_minor: Option<Minor>,
    /// How many days after the payment, or the day of its instalment, what is left expires; `null`: never.
    #[serde(default)]
    pub expiry_days: Option<LotExpiryDays>,
}

/// What the share that is set aside is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllowanceBase {
    /// What is left of the price after the cost.
    Margin,
    /// The price.
    Price,
}

/// Whether a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllowancePolicyState {
    /// Being written.
    Draft,
    /// Counts for every sale in its currency.
    Active,
    /// Counted once.
    Retired,
}

/// A draft has become active, and so another one retired.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a change that is not recorded has not happened"]
pub struct Succession {
    /// The one before, which must be recorded first: two never count at the same time.
    pub retired: Option<Change<AllowancePolicy>>,
    /// The one that counts now.
    pub activated: Change<AllowancePolicy>,
}

impl AllowancePolicy {
    /// Writes a policy that does not count yet.
    ///
    /// # Errors
    ///
    /// `least_above_most`.
    pub fn draft(
        id: AllowancePolicyId,
        number: u32,
        details: AllowancePolicyDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check()?;
        Ok(Change::created(Self {
            id,
            number,
            details,
            state: AllowancePolicyState::Draft,
            activated_at: None,
            retired_at: None,
            created_at: now,
            version: Version::FIRST,
        }))
    }

    /// Says something else.
    ///
    /// # Errors
    ///
    /// `illegal_transition` once it has been activated; `least_above_most`.
    pub fn amend(self, details: AllowancePolicyDetails) -> Result<Change<Self>, Refusal> {
        self.expect(AllowancePolicyState::Draft)?;
        details.check()?;
        Ok(Change::edit("amend", &self, |it| it.details = details))
    }

    /// Makes it count from now on, instead of `predecessor`, the active policy of the same currency.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not a draft.
    pub fn activate(
        self,
        predecessor: Option<Self>,
        now: Timestamp,
    ) -> Result<Succession, Refusal> {
        self.expect(AllowancePolicyState::Draft)?;
        let (from, to) = (self.state, AllowancePolicyState::Active);
        let active = Self { state: to, activated_at: Some(now), ..self };
        let activated = Change::new("activate", active).moved(from, to);
        let retired = predecessor.map(|policy| policy.retire(now));
        Ok(Succession { retired, activated })
    }

    fn retire(self, now: Timestamp) -> Change<Self> {
        let (from, to) = (self.state, AllowancePolicyState::Retired);
        let retired = Self { state: to, retired_at: Some(now), ..self };
        Change::new("retire", retired).moved(from, to)
    }

    fn expect(&self, state: AllowancePolicyState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        Err(illegal(self.state, self.state.allowed_transitions()))
    }
}

impl AllowancePolicyDetails {
    /// Whether it contradicts itself.
    ///
    /// # Errors
    ///
    /// `least_above_most`.
    pub fn check(&self) -> Result<(), Refusal> {
        match self.most_per_order_minor {
            Some(most) if most < self.least_per_order_minor => Err(Refusal::new(&LEAST_ABOVE_MOST)
                .with("least_minor", self.least_per_order_minor)
                .with("most_minor", most)
                .at("/most_per_order_minor")),
            Some(_) | None => Ok(()),
        }
    }
}

impl AllowancePolicyState {
    fn allowed_transitions(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["amend", "activate"],
            Self::Active | Self::Retired => &[],
        }
    }
}

impl Record for AllowancePolicy {
    type Id = AllowancePolicyId;

    fn id(&self) -> AllowancePolicyId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowances::examples::{at, id, minor, tiers};

    fn details(rate_bp: u32) -> AllowancePolicyDetails {
        AllowancePolicyDetails {
            currency: Currency::CNY,
            base: AllowanceBase::Margin,
            tiers: tiers(&[(0, rate_bp)]),
            fallback_price_bp: BasisPoints::default(),
            least_per_order_minor: Minor::ZERO,
            most_per_order_minor: None,
            expiry_days: None,
        }
    }

    fn draft(number: u32) -> AllowancePolicy {
        AllowancePolicy::draft(
            id(number.into()),
            number,
            details(2_500),
            at("2026-01-01T00:00:00Z"),
        )
        .unwrap()
        .record
    }

    #[test]
    fn a_policy_that_becomes_active_retires_the_one_before() {
        let now = at("2026-02-01T00:00:00Z");
        let first = draft(1).activate(None, now).unwrap();
        assert_eq!(first.retired, None);
        assert_eq!(first.activated.record.activated_at, Some(now));
        let later = at("2026-03-01T00:00:00Z");
        let second = draft(2).activate(Some(first.activated.record), later).unwrap();
        let retired = second.retired.unwrap();
        assert_eq!(retired.record.state, AllowancePolicyState::Retired);
        assert_eq!(retired.record.retired_at, Some(later));
        assert_eq!(second.activated.record.state, AllowancePolicyState::Active);
    }

    #[test]
    fn only_a_draft_changes() {
        let now = at("2026-02-01T00:00:00Z");
        let amended = draft(1).amend(details(1_000)).unwrap().record;
        assert_eq!(amended.details, details(1_000));
        let active = amended.activate(None, now).unwrap().activated.record;
        let refusal = active.clone().amend(details(500)).unwrap_err();
        assert_eq!(refusal.rule.code, "illegal_transition");
        assert_eq!(refusal.facts["allowed_transitions"], serde_json::json!([]));
        assert_eq!(active.activate(None, now).unwrap_err().rule.code, "illegal_transition");
    }

    #[test]
    fn an_order_does_not_earn_less_at_most_than_at_least() {
        let within = |least: i64, most: i64| {
            let (least_per_order_minor, most) = (minor(least), Some(minor(most)));
            let details = AllowancePolicyDetails { most_per_order_minor: most, ..details(1) };
            let details = AllowancePolicyDetails { least_per_order_minor, ..details };
            AllowancePolicy::draft(id(1), 1, details, at("2026-01-01T00:00:00Z"))
        };
        assert!(within(500, 500).is_ok());
        let refusal = within(501, 500).unwrap_err();
        assert_eq!(refusal.rule.code, "least_above_most");
        assert_eq!(refusal.facts["least_minor"], 501);
    }

    #[test]
    fn a_policy_reads_what_a_brand_writes() {
        let written = r#"{"currency": "CNY", "base": "margin",
            "tiers": [{"from_minor": 0, "rate_bp": 2500}]}"#;
        assert_eq!(
            serde_json::from_str::<AllowancePolicyDetails>(written).unwrap(),
            details(2_500)
        );
        for wrong in [
            r#"{"currency": "CNY", "base": "turnover", "tiers": [{"from_minor": 0, "rate_bp": 1}]}"#,
            r#"{"currency": "CNY", "base": "price", "tiers": [{"from_minor": 0, "rate_bp": 10001}]}"#,
            r#"{"currency": "CNY", "base": "price", "tiers": [{"from_minor": -1, "rate_bp": 1}]}"#,
            r#"{"currency": "CNY", "base": "price", "tiers": [{"from_minor": 0, "rate": 1}]}"#,
            r#"{"currency": "CNY", "base": "price", "tiers": []}"#,
        ] {
            assert!(serde_json::from_str::<AllowancePolicyDetails>(wrong).is_err(), "{wrong}");
        }
    }
}
