//! Open work: what waits for one person, the most urgent first.

use super::{ComplaintState, RemedyKind, Severity};
use crate::{
    clocks::SlaMetric,
    ids::{ComplaintId, CustomerId, RemedyId},
    invalid::Invalid,
    time::Timestamp,
};
use serde::Serialize;
use std::{fmt, str::FromStr};
use utoipa::ToSchema;
use uuid::Uuid;

/// Something that waits for a person: a complaint, or what was promised about one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_number": "C-000123",
    "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "state": "acknowledged", "severity": 3, "is_owner": true,
    "is_escalated": false, "remedy_id": null, "remedy_kind": null, "metric": "decision",
    "due_at": "2026-11-24T09:30:00Z", "is_overdue": false})))]
pub struct WorkItem {
    /// The complaint.
    pub complaint_id: ComplaintId,
    /// The number that people say on the telephone.
    pub complaint_number: String,
    /// Who complained.
    pub customer_id: CustomerId,
    /// Where the complaint stands.
    pub state: ComplaintState,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the person answers for it.
    pub is_owner: bool,
    /// Whether it has gone up to them.
    pub is_escalated: bool,
    /// What was promised and is not carried out yet; null when the item is the complaint itself.
    pub remedy_id: Option<RemedyId>,
    /// Which remedy it is.
    pub remedy_kind: Option<RemedyKind>,
    /// What is due next; null when nothing has a deadline.
    pub metric: Option<SlaMetric>,
    /// By when it must be done, or had to be. Of a remedy that is the deadline of the resolution.
    pub due_at: Option<Timestamp>,
    /// Whether that time is over.
    pub is_overdue: bool,
}

impl WorkItem {
    /// Where the list goes on behind it.
    pub fn place(&self) -> WorkPlace {
        let id = self.remedy_id.map_or_else(|| self.complaint_id.into(), Uuid::from);
        WorkPlace { due_at: self.due_at, id }
    }
}

/// Where somebody is in a list of open work: behind the item that was due then and has this identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkPlace {
    /// When the last item that was seen is due.
    pub due_at: Option<Timestamp>,
    /// Which it is.
    pub id: Uuid,
}

impl fmt::Display for WorkPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(due_at) = self.due_at {
            write!(f, "{due_at}")?;
        }
        write!(f, "~{}", self.id)
    }
}

impl FromStr for WorkPlace {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let misread = || Invalid::new("not_a_place", "expected a place in a list");
        let (due_at, id) = text.split_once('~').ok_or_else(misread)?;
        let due_at = (!due_at.is_empty()).then(|| due_at.parse()).transpose()?;
        Ok(Self { due_at, id: id.parse().map_err(|_| misread())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_reads_back() {
        let due_at = Some("2026-11-28T09:00:00.123456Z".parse().unwrap());
        for place in [due_at, None].map(|due_at| WorkPlace { due_at, id: Uuid::from_u128(7) }) {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "x", "~", "~x", "yesterday~x", "2026-11-28T09:00:00Z"] {
            assert!(text.parse::<WorkPlace>().is_err(), "{text}");
        }
    }
}
