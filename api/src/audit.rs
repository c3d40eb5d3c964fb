//! `/v1/audit-entries`: who did what; the timeline of every record.

use crate::{
    access::{Access, Api, may},
    list::{List, ListOf, Paging},
    problem::Problem,
};
use axum::response::Response;
use domain::{
    audit::AuditEntry,
    ids::{AnyId, CustomerId, DealerId},
};
use serde::Deserialize;
use store::audit::Wanted;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_audit_entries))
}

/// Which lines are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditFilters {
    /// The record whose timeline is wanted, by its identifier of whatever kind.
    #[param(inline)]
    subject: Option<AnyId>,
    /// The customer whose timeline is wanted, over all records.
    customer_id: Option<CustomerId>,
    /// The dealer whose records, or whose people's doings, are wanted.
    dealer_id: Option<DealerId>,
}

/// Lists who did what
///
/// The newest comes first. With `subject` it is the timeline of one record, with `customer_id` that of a
/// customer over all records. Callers who work for a dealer see the lines of their dealer's records: a line
/// belongs to the dealer whose record it was when the line was written.
#[utoipa::path(
    get, path = "/audit-entries", tag = "audit",
    operation_id = "list_audit_entries",
    params(AuditFilters, Paging<AuditEntry>),
    responses((status = 200, description = "A page of the log.", body = ListOf<AuditEntry>)),
    security(("oauth" = ["audit:read"])),
)]
async fn list_audit_entries(
    access: Access<may::AuditRead>,
    list: List<AuditEntry, AuditFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let AuditFilters { subject, customer_id, dealer_id } = &list.filters;
    let wanted = Wanted { subject: subject.as_ref(), customer: *customer_id, dealer: *dealer_id };
    list.answer(&reading, store::audit::lines(wanted)).await
}
