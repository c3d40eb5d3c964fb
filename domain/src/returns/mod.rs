//! Returns: how a defective thing is replaced, repaired or refunded, and what becomes of the goods.

mod course;
mod lines;
mod rules;
#[cfg(test)]
mod tests;

pub use course::{RmaKnown, RmaOverdue, RmaReceipt, RmaRejection};
pub use lines::{
    InspectionResult, MOST_RMA_LINES, RmaDisposition, RmaInspection, RmaLine, RmaLineDetails,
    RmaLineInspected, RmaLineReceived, RmaLineState,
};
pub use rules::*;

use crate::{
    complaints::RemedyKind,
    ids::{ComplaintId, CustomerId, DealerId, RemedyId, RmaId},
    record::{Record, Version},
    text::Line,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a return that was authorised is waited for: long enough for a holiday, and then somebody asks again.
pub const RETURN_DAYS: i64 = 30;

/// Whether the goods come back, and what comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RmaMode {
    /// The goods come back, are inspected, and then it is put right.
    WithReturn,
    /// It is put right at once, and the customer keeps the goods.
    WithoutReturn,
    /// The replacement is sent at once, and then the goods come back.
    AdvanceReplacement,
}

/// Where a return stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RmaState {
    /// Somebody asked for it; a manager or higher authorises it.
    Opened,
    /// It may take place.
    Authorised,
    /// The goods are on their way to us, all of them or the rest.
    AwaitingReturn,
    /// The goods are here, and nobody has inspected them yet; or they do not come, and the replacement was sent.
    Received,
    /// The goods were inspected.
    Inspected,
    /// A replacement is on its way.
    Replacing,
    /// It is mended.
    Repairing,
    /// The money is given back.
    Refunding,
    /// It was put right; its remedy is done.
    Settled,
    /// It was put right, and nothing is left to do about the goods.
    Closed,
    /// The inspection disproved the defect, and a second person has confirmed that; the remedy is not done.
    Rejected,
    /// The goods did not come in time.
    Expired,
    /// It does not take place.
    Cancelled,
}

impl RmaState {
    /// The states from which it still leads to a settlement: a remedy has one such return at most.
    pub const OPEN: [Self; 8] = [
        Self::Opened,
        Self::Authorised,
        Self::AwaitingReturn,
        Self::Received,
        Self::Inspected,
        Self::Replacing,
        Self::Repairing,
        Self::Refunding,
    ];
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"remedy_id": "rem_01m80t7jx3e9vbq2f4c6d8g0hk", "mode": "advance_replacement",
    "replacement_item": null,
    "lines": [{"asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "item": null, "quantity": 1}]})))]
pub struct RmaDetails {
    /// The remedy of a complaint that it carries out: a replacement, a repair or a refund that is due.
    pub remedy_id: RemedyId,
    /// Whether the goods come back, and what comes first.
    pub mode: RmaMode,
    /// What the customer gets in exchange, where it is another product; the same when left out.
    #[serde(default)]
    pub replacement_item: Option<Line>,
    /// What it is about, 1 to 20 lines.
    #[schema(min_items = 1, max_items = 20)]
    pub lines: Vec<RmaLineDetails>,
}

/// How a remedy is carried out where goods are concerned, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "rma_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "remedy_id": "rem_01m80t7jx3e9vbq2f4c6d8g0hk", "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "remedy_kind": "replacement", "mandatory": true,
    "mode": "advance_replacement", "replacement_item": null,
    "lines": [{"number": 1, "asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "item": null, "quantity": 1,
        "received_quantity": 0, "state": "expected", "inspection_result": null, "inspection_note": null,
        "disposition": null}],
    "state": "awaiting_return", "authorised_at": "2026-11-22T10:00:00Z", "authorised_by": null,
    "return_due_at": "2026-12-22T10:00:00Z", "replacement_sent_at": "2026-11-23T02:00:00Z", "received_at": null,
    "inspected_at": null, "inspected_by": null, "rejected_by": null, "rejection_reason": null,
    "settled_at": null, "closed_at": null, "created_at": "2026-11-22T10:00:00Z", "version": 3})))]
pub struct Rma {
    /// Its identifier.
    pub id: RmaId,
    /// The complaint that it helps to put right.
    pub complaint_id: ComplaintId,
    /// The remedy that it carries out. A remedy has one return that is not over, at most.
    pub remedy_id: RemedyId,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Whose people carry it out.
    pub dealer_id: Option<DealerId>,
    /// What is done for the customer: `replacement`, `repair` or `refund`.
    pub remedy_kind: RemedyKind,
    /// Whether the remedy follows from a confirmed defect: then it does not expire, and nobody has to authorise it unless
    /// an earlier return of the remedy was rejected.
    pub mandatory: bool,
    /// Whether the goods come back, and what comes first.
    pub mode: RmaMode,
    /// What the customer gets in exchange, where it is another product.
    pub replacement_item: Option<Line>,
    /// What it is about.
    pub lines: Vec<RmaLine>,
    /// Where it stands.
    pub state: RmaState,
    /// When it was authorised.
    pub authorised_at: Option<Timestamp>,
    /// Who authorised it, a person or a key; null when a mandatory remedy did.
    pub authorised_by: Option<String>,
    /// Until when the goods should be here: 30 days after it was authorised, or after the replacement was sent in advance.
    /// Null for one without a return.
    pub return_due_at: Option<Timestamp>,
    /// When the replacement was sent in advance.
    pub replacement_sent_at: Option<Timestamp>,
    /// When all that comes back had come, or it was said that nothing comes.
    pub received_at: Option<Timestamp>,
    /// When the goods were inspected.
    pub inspected_at: Option<Timestamp>,
    /// Who inspected them, a person or a key.
    pub inspected_by: Option<String>,
    /// Who confirmed that there is no defect: never who inspected.
    pub rejected_by: Option<String>,
    /// Why it was rejected.
    pub rejection_reason: Option<Line>,
    /// When it was put right.
    pub settled_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

impl Record for Rma {
    type Id = RmaId;

    fn id(&self) -> RmaId {
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
