//! Remedies: what puts a complaint right, and when it counts as done.

use super::{
    Complaint, DEFECT_STAYS_CONFIRMED, DecisionDetails, REMEDY_AMOUNT_MISSING,
    REMEDY_CURRENCIES_DIFFER, REMEDY_MANDATORY, TOO_MANY_REMEDIES,
};
use crate::{
    change::Change,
    ids::{ComplaintId, CustomerId, DealerId, GestureId, RemedyId},
    money::{Minor, Money},
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::{Bilingual, Line},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Remedies in one decision, at most: more is a list nobody reads, let alone carries out.
pub const MOST_REMEDIES: usize = 10;

/// How a complaint is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemedyKind {
    /// A new one in place of the defective one.
    Replacement,
    /// It is mended.
    Repair,
    /// The price is given back.
    Refund,
    /// A part of the price is given back.
    PriceReduction,
    /// Something on top, to make up for the trouble.
    Goodwill,
    /// A personal apology, beyond the one in the decision.
    Apology,
    /// An explanation: how it works, what was agreed.
    Education,
}

impl RemedyKind {
    /// The name that customers read.
    pub fn says(self) -> Bilingual {
        match self {
            Self::Replacement => Bilingual { en: "a replacement", zh: "更换" },
            Self::Repair => Bilingual { en: "a repair", zh: "维修" },
            Self::Refund => Bilingual { en: "a refund", zh: "退款" },
            Self::PriceReduction => Bilingual { en: "a price reduction", zh: "减价" },
            Self::Goodwill => Bilingual { en: "a token of goodwill", zh: "心意补偿" },
            Self::Apology => Bilingual { en: "a personal apology", zh: "当面致歉" },
            Self::Education => Bilingual { en: "an explanation", zh: "说明指导" },
        }
    }

    /// Whether it may be given to somebody who is not right.
    pub(super) fn is_a_kindness(self) -> bool {
        match self {
            Self::Goodwill | Self::Apology | Self::Education => true,
            Self::Replacement | Self::Repair | Self::Refund | Self::PriceReduction => false,
        }
    }

    /// Whether it gives money back and so means nothing without an amount.
    fn needs_amount(self) -> bool {
        match self {
            Self::Refund | Self::PriceReduction => true,
            Self::Replacement | Self::Repair | Self::Goodwill | Self::Apology | Self::Education => {
                false
            }
        }
    }
}

/// How far a remedy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemedyState {
    /// Promised.
    Due,
    /// Carried out.
    Done,
    /// The customer does not want it.
    Waived,
    /// Another decision has taken the place of the one that promised it.
    Replaced,
}

impl RemedyState {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Due => &["complete", "waive"],
            Self::Done | Self::Waived | Self::Replaced => &[],
        }
    }
}

/// One remedy of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null})))]
pub struct RemedyDetails {
    /// How the complaint is put right.
    pub kind: RemedyKind,
    /// What it costs the brand; required, and above 0, for a refund and a price reduction.
    #[serde(default)]
    pub amount: Option<Money>,
    /// What exactly is promised.
    #[serde(default)]
    pub note: Option<Line>,
}

/// Something promised to a customer who complained.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "rem_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "resolution_no": 1, "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null,
    "mandatory": false, "state": "due", "gesture_id": null, "settled_at": null, "created_at": "2026-11-22T10:00:00Z",
    "version": 1})))]
pub struct Remedy {
    /// Its identifier.
    pub id: RemedyId,
    /// The complaint it puts right.
    pub complaint_id: ComplaintId,
    /// Which attempt to put the complaint right it belongs to, from 1.
    pub resolution_no: u32,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people carry it out.
    pub dealer_id: Option<DealerId>,
    /// What is promised.
    #[serde(flatten)]
    pub details: RemedyDetails,
    /// Whether it is carried out even if the customer would let it pass: after a confirmed defect.
    pub mandatory: bool,
    /// How far it has come.
    pub state: RemedyState,
    /// The gesture by which it was carried out, from the customer's allowance; `null` when it was not, or not so.
    pub gesture_id: Option<GestureId>,
    /// When it was carried out, waived or replaced.
    pub settled_at: Option<Timestamp>,
    /// When it was promised.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Remedy {
    /// Says that it was carried out.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is no longer due.
    pub fn complete(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.settle("complete", RemedyState::Done, now)
    }

    /// Says that it was carried out by something given from the customer's allowance.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is no longer due.
    pub fn give(mut self, gesture: GestureId, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.gesture_id = Some(gesture);
        Ok(self.settle("complete", RemedyState::Done, now)?.with("gesture_id", gesture))
    }

    /// Says that the customer does not want it.
    ///
    /// # Errors
    ///
    /// `remedy_mandatory` after a confirmed defect; `illegal_transition` when it is no longer due.
    pub fn waive(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        if self.mandatory && self.state == RemedyState::Due {
            return Err(Refusal::new(&REMEDY_MANDATORY).with("remedy", self.details.kind));
        }
        self.settle("waive", RemedyState::Waived, now)
    }

    /// What kinds of remedy there are among `remedies`, without those the customer does not want and those that others
    /// have taken the place of.
    pub fn kept(remedies: &[Self]) -> Vec<RemedyKind> {
        let is_kept = |remedy: &&Self| match remedy.state {
            RemedyState::Due | RemedyState::Done => true,
            RemedyState::Waived | RemedyState::Replaced => false,
        };
        remedies.iter().filter(is_kept).map(|remedy| remedy.details.kind).collect()
    }

    fn settle(
        mut self,
        action: &'static str,
        to: RemedyState,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let from = self.state;
        if from != RemedyState::Due {
            return Err(illegal(from, from.allowed()));
        }
        self.state = to;
        self.settled_at = Some(now);
        Ok(Change::new(action, self).moved(from, to))
    }
}

impl Record for Remedy {
    type Id = RemedyId;

    fn id(&self) -> RemedyId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// Checks what a decision promises.
pub(super) fn check(remedies: &[RemedyDetails]) -> Result<(), Refusal> {
    if remedies.len() > MOST_REMEDIES {
        return Err(Refusal::new(&TOO_MANY_REMEDIES)
            .with("remedies", remedies.len())
            .with("most", MOST_REMEDIES)
            .at("/remedies"));
    }
    let lacks_amount = |remedy: &RemedyDetails| {
        let none = remedy.amount.is_none_or(|money| money.amount == Minor::ZERO);
        remedy.kind.needs_amount() && none
    };
    if let Some((at, remedy)) = (0_u32..).zip(remedies).find(|(_, remedy)| lacks_amount(remedy)) {
        return Err(Refusal::new(&REMEDY_AMOUNT_MISSING)
            .with("remedy", remedy.kind)
            .at(format!("/remedies/{at}/amount")));
    }
    one_currency(remedies.iter().filter_map(|remedy| remedy.amount))
}

/// Expects that what an attempt costs can be added up.
fn one_currency(amounts: impl Iterator<Item = Money>) -> Result<(), Refusal> {
    let currencies: BTreeSet<_> = amounts.map(|money| money.currency).collect();
    if currencies.len() > 1 {
        return Err(Refusal::new(&REMEDY_CURRENCIES_DIFFER)
            .with("currencies", currencies)
            .at("/remedies"));
    }
    Ok(())
}

/// Promises what the decision says, and after a confirmed defect a replacement that cannot be waived. What was
/// `promised` by an earlier decision of this attempt and is not done yet is not due any more, unless it is mandatory.
///
/// # Errors
///
/// `defect_stays_confirmed` when a replacement is mandatory already and the decision knows of no defect;
/// `remedy_currencies_differ` when what was done cost another currency.
pub(super) fn promise(
    complaint: &Complaint,
    decision: &DecisionDetails,
    promised: Vec<Remedy>,
    mut next_id: impl FnMut() -> RemedyId,
    now: Timestamp,
) -> Result<Vec<Change<Remedy>>, Refusal> {
    let confirmed_defect = decision.confirmed_defect;
    let has_mandatory = promised.iter().any(|remedy| remedy.mandatory);
    if has_mandatory && !confirmed_defect {
        let decided_at = complaint.decision.as_ref().map(|decision| decision.decided_at);
        let refusal = Refusal::new(&DEFECT_STAYS_CONFIRMED).with("investigated_at", decided_at);
        return Err(refusal.at("/confirmed_defect"));
    }
    let stays = |one: &&Remedy| one.mandatory || one.state == RemedyState::Done;
    let kept = promised.iter().filter(stays).filter_map(|one| one.details.amount);
    one_currency(kept.chain(decision.remedies.iter().filter_map(|one| one.amount)))?;
    let is_replaced = |one: &Remedy| one.state == RemedyState::Due && !one.mandatory;
    let mut changes = Vec::new();
    for earlier in promised.into_iter().filter(is_replaced) {
        changes.push(earlier.settle("replace", RemedyState::Replaced, now)?);
    }
    let mut remedies = decision.remedies.clone();
    let replaces = |remedy: &RemedyDetails| remedy.kind == RemedyKind::Replacement;
    if has_mandatory && let Some(again) = remedies.iter().position(replaces) {
        // It is the one that is promised already.
        remedies.remove(again);
    }
    if confirmed_defect && !has_mandatory && !remedies.iter().any(replaces) {
        let kind = RemedyKind::Replacement;
        remedies.insert(0, RemedyDetails { kind, amount: None, note: None });
    }
    let promise = |details: RemedyDetails| {
        let kind = details.kind;
        let mandatory = confirmed_defect && !has_mandatory && replaces(&details);
        let remedy = Remedy {
            id: next_id(),
            complaint_id: complaint.id,
            resolution_no: complaint.resolution_no,
            customer_id: complaint.details.customer_id,
            dealer_id: complaint.details.dealer_id,
            details,
            mandatory,
            state: RemedyState::Due,
            gesture_id: None,
            settled_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        Change::created(remedy).with("kind", kind).with("mandatory", mandatory)
    };
    changes.extend(remedies.into_iter().map(promise));
    Ok(changes)
}

/// What the remedies that were carried out cost together; nothing when none has a price.
pub(super) fn cost(remedies: &[Remedy]) -> Option<Money> {
    remedies
        .iter()
        .filter(|remedy| remedy.state == RemedyState::Done)
        .filter_map(|remedy| remedy.details.amount)
        .reduce(|sum, money| Money { amount: sum.amount.plus(money.amount), ..sum })
}
