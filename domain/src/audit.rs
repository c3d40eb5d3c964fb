//! The audit log: who did what, when, to which record. Lines are added and never changed.

use crate::{
    ids::{AuditEntryId, CustomerId, DealerId},
    record::Record,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// The line.
    pub id: AuditEntryId,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it: a person (`stf_`), a program (`key_`), a customer (`cus_`), `worker` or `operator`.
    #[schema(examples("stf_01m80t7jx3e9vbq2f4c6d8g0hk"))]
    pub actor: String,
    /// What was done, as a verb.
    #[schema(examples("resolve"))]
    pub action: String,
    /// The record it was done to.
    #[schema(examples("cmp_01m80t7jx3e9vbq2f4c6d8g0hk"))]
    pub subject: String,
    /// The customer it concerns.
    pub customer_id: Option<CustomerId>,
    /// The dealer it concerns.
    pub dealer_id: Option<DealerId>,
    /// What belongs to it: the states it went from and to, reasons, amounts, the names of the `fields` that an
    /// edit changed. Never personal data.
    #[schema(value_type = Object, examples(json!({"from": "decided", "to": "resolved"})))]
    pub facts: serde_json::Value,
    /// The request it was done by.
    #[schema(examples("req_01m80t7jx3e9vbq2f4c6d8g0hk"))]
    pub request_id: Option<String>,
}

impl Record for AuditEntry {
    type Id = AuditEntryId;

    fn id(&self) -> AuditEntryId {
        self.id
    }
}
