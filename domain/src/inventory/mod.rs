//! The service inventory: what may be done for a customer, what everybody offers and what nobody else does, and the
//! small gifts.

mod audits;
mod benchmarks;
mod bundles;
mod festivals;
mod gifts;
mod items;
mod lines;
mod plan_findings;
mod rules;
mod suggestions;
mod warnings;

pub use audits::{
    AuditState, InventoryAudit, InventoryAuditDetails, InventoryAuditOpening, MOST_LINES,
};
pub use benchmarks::{
    ClassChange, ItemClassChange, Observation, ServiceBenchmark, ServiceBenchmarkDetails,
};
pub use bundles::{BundlePart, GiftBundle, GiftBundleDetails, MOST_PARTS, PartQuantity};
pub(crate) use festivals::solar_term;
pub use festivals::{FESTIVAL_LEAD_DAYS, Festival, Season};
pub use gifts::{GiftItem, GiftItemDetails, GiftStatus, GiftStock, GiftTies, MOST_BUNDLES};
pub use items::{
    ContactMode, RelationValue, ServiceCategory, ServiceClass, ServiceItem, ServiceItemDetails,
    ServiceItemStatus, ServiceMinutes, ServiceMode, ServicePhase, VisitMode,
};
pub use lines::{AuditLineDetails, AuditLineResolution, AuditQuality, AuditSummary, InventoryLine};
pub use plan_findings::PlanFindings;
pub use suggestions::{GiftSuggestion, GiftWish, MOST_SUGGESTIONS, Offering, Shelf};
pub use warnings::{PlanReview, PlanWarning, PlanWarningCode};

pub use rules::SERVICE_ITEM_UNKNOWN;

use crate::refusal::Rule;

/// The rules of this folder.
pub static RULES: &[&Rule] = &[
    &rules::SERVICE_CODE_FIXED,
    &rules::SERVICE_CLASS_FIXED,
    &SERVICE_ITEM_UNKNOWN,
    &rules::SAME_SERVICE_CLASS,
    &rules::AUDIT_PERIOD_REVERSED,
    &rules::AUDIT_TOO_LONG,
    &rules::AUDIT_CLOSED,
    &rules::AUDIT_LINE_SUBJECT,
    &rules::NOTHING_TO_IMPROVE,
    &rules::MARGIN_BAND_REVERSED,
    &rules::GIFT_CURRENCY_FIXED,
    &rules::FALLBACK_NOT_CHEAPER,
    &rules::GIFT_IN_TOO_MANY_BUNDLES,
    &rules::BUNDLE_OVER_CAP,
    &rules::BUNDLE_PART_COUNT,
    &rules::BUNDLE_PART_TWICE,
    &rules::BUNDLE_CURRENCIES_DIFFER,
];
