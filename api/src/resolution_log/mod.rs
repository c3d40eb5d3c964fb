//! `/v1/resolution-log`: how complaints were put right, as an auditor is shown it: sealed, and to be taken along.

mod files;

use crate::{
    access::{Access, Api, Reading, may},
    list::{List, ListOf, Paging, Parameters},
    problem::{self, Problem},
};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    complaints::{
        CustomerWord, EXPORT_TOO_LARGE, LogPlace, LogSeal, MOST_EXPORTED, Resolution, SealedEntry,
    },
    ids::{CustomerId, DealerId},
    refusal::Refusal,
    time::Timestamp,
};
use files::LogFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{
    page::Query,
    resolution_log::{SEALS_AT_ONCE, SealedWanted, Wanted, resolutions, seals},
};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_resolution_log))
        .routes(routes!(show_resolution_log_head))
        .routes(routes!(export_resolution_log))
}

/// A line of the resolution log, with what the customer said of it, and its seal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"id": "res_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "complaint_number": "C-000123", "resolution_no": 1, "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "received_at": "2026-11-22T09:30:00Z",
    "first_answer_due_at": "2026-11-23T09:30:00Z", "first_answer_at": "2026-11-22T09:45:00Z", "first_answer": "kept",
    "decision": {"responsibility": "ours", "apology": "We are sorry: the seal was not tightened.",
        "text": "We replace the housing this week.",
        "recourse": "If you disagree, our customer council decides within a week: 400 820 0000.",
        "confirmed_defect": true, "decided_at": "2026-11-22T10:00:00Z"},
    "told_at": "2026-11-22T10:00:01Z",
    "remedies": [{"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null, "mandatory": false,
        "state": "done", "promised_at": "2026-11-22T10:00:00Z", "settled_at": "2026-11-24T07:30:00Z"}],
    "clocks": [{"metric": "first_resolution", "due_at": "2026-11-24T09:30:00Z", "met_at": "2026-11-24T08:00:00Z",
        "outcome": "kept"}],
    "cost": {"amount": 5000, "currency": "CNY"}, "resolved_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "resolved_at": "2026-11-24T08:00:00Z", "created_at": "2026-11-24T08:00:01Z",
    "customer_words": [{"id": "wrd_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
        "complaint_number": "C-000123", "resolution_no": 1, "customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk",
        "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "verdict": "satisfied", "text": "Thank you.",
        "response_id": "rsp_01m80t7jx3e9vbq2f4c6d8g0hk", "noted_by": "worker", "created_at": "2026-11-26T08:00:00Z"}],
    "seal": {"serial": 41, "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sealed_at": "2026-11-24T08:00:02Z"}})))]
pub(crate) struct ResolutionShown {
    /// The line.
    #[serde(flatten)]
    line: Resolution,
    /// What the customer said of it, the first word at the front; empty while they have said nothing and may still.
    customer_words: Vec<CustomerWord>,
    /// Where the line stands among those that are sealed; `null` for the moment until it is.
    seal: Option<LogPlace>,
}

/// Answers with a page of the resolution log.
pub(crate) async fn show_lines<F: Send + Sync>(
    list: &List<Resolution, F>,
    reading: &Reading,
    select: Query<Resolution>,
) -> Result<Response, Problem> {
    let (lines, end) = list.find(reading, select).await?;
    let mut words: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for word in reading.words_on(&lines).await? {
        words.entry((word.complaint_id, word.resolution_no)).or_default().push(word);
    }
    let ids = lines.iter().map(|line| Uuid::from(line.id)).collect();
    let seals = reading.named::<LogSeal>(&ids).await?;
    let shown = |line: Resolution| ResolutionShown {
        customer_words: words.remove(&(line.complaint_id, line.resolution_no)).unwrap_or_default(),
        seal: seals.get(&line.id.into()).map(LogSeal::head),
        line,
    };
    let shown: Vec<_> = lines.into_iter().map(shown).collect();
    list.tell(shown, end)
}

/// Which resolutions are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogFilters {
    /// Those of complaints of this customer.
    customer_id: Option<CustomerId>,
    /// Those by this dealer's people.
    dealer_id: Option<DealerId>,
}

/// Lists how complaints were resolved
///
/// The resolution log of the brand, the oldest line first: what was decided and promised, what was done and what it
/// cost, who did it, whether the first answer and everything else that was promised came in time, and what the customer
/// said of it. Callers who work for a dealer see their dealer's.
#[utoipa::path(
    get, path = "/resolution-log", tag = "complaints",
    operation_id = "list_resolution_log",
    params(LogFilters, Paging<Resolution>),
    responses((status = 200, description = "A page of the log.", body = ListOf<ResolutionShown>)),
    security(("oauth" = ["audit:read"])),
)]
async fn list_resolution_log(
    access: Access<may::AuditRead>,
    list: List<Resolution, LogFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let LogFilters { customer_id, dealer_id } = list.filters.clone();
    show_lines(&list, &reading, resolutions(Wanted { customer_id, dealer_id })).await
}

/// Where the resolution log has come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"head": {"serial": 41,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "sealed_at": "2026-11-24T08:00:02Z"}})))]
struct ResolutionLogHead {
    /// The last sealed entry; `null` while there is none.
    head: Option<LogPlace>,
}

/// Shows where the resolution log has come to
///
/// The number and the hash of the last sealed entry. Note them where nobody who runs the service can change them, such
/// as in a mail to the auditor: with them it shows later whether entries were taken off the end of the log, or all that
/// follow a change were sealed anew. Callers who work for a dealer are shown the last entry of their dealer's.
#[utoipa::path(
    get, path = "/resolution-log/head", tag = "complaints",
    operation_id = "show_resolution_log_head",
    responses((status = 200, description = "The last sealed entry.", body = ResolutionLogHead)),
    security(("oauth" = ["audit:read"])),
)]
async fn show_resolution_log_head(access: Access<may::AuditRead>) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let head = reading.log_head().await?;
    Ok(axum::Json(ResolutionLogHead { head }).into_response())
}

/// A file, as the document describes it.
struct LogFile;

impl PartialSchema for LogFile {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The file, with at most 5 000 entries."))
            .into()
    }
}

impl ToSchema for LogFile {}

/// Which entries are exported, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogExportOptions {
    /// How the file is written.
    #[param(inline)]
    format: LogFormat,
    /// Entries that were sealed at this instant or later; from the first one when left out.
    #[param(example = "2026-11-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// Entries that were sealed before this instant; to the last one when left out.
    #[param(example = "2026-12-01T00:00:00Z")]
    to: Option<Timestamp>,
}

/// Exports the resolution log
///
/// The sealed entries in their order, as a file: `jsonl` has one entry a line, with its number, the hash of the entry
/// before and its own, so that the file can be verified without the service; `csv` (UTF-8 with a byte order mark) and
/// `xlsx` are for people. A resolution and the customer's word on it are entries of their own, because the word comes
/// later. A cell of the CSV that a spreadsheet would take for a formula has an apostrophe in front. `from` and `to` are
/// about `sealed_at`, so that the files of one month and the next follow on each other. At most 5 000 entries. Callers
/// who work for a dealer get their dealer's entries, between which numbers are left out.
#[utoipa::path(
    get, path = "/resolution-log/export", tag = "complaints",
    operation_id = "export_resolution_log",
    params(LogExportOptions),
    responses((status = 200, description = "The file.", content(
        (LogFile = "application/x-ndjson", example = json!("the lines of the file")),
        (LogFile = "text/csv", example = json!("the rows of the file")),
        (LogFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            example = json!("the bytes of the file"))),
        headers(("Content-Disposition" = String, description = "What to call the file.")))),
    security(("oauth" = ["audit:read"])),
)]
async fn export_resolution_log(
    access: Access<may::AuditRead>,
    Parameters(options): Parameters<LogExportOptions>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let LogExportOptions { format, from, to } = options;
    let (entries, now) = (sealed(&reading, SealedWanted { from, to }).await?, reading.now());
    drop(reading);
    let written = tokio::task::spawn_blocking(move || format.write(&entries, now)).await;
    let bytes = written.ok().flatten().ok_or_else(|| Problem::new(&problem::FAULT))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(format.disposition())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, bytes).into_response())
}

/// The sealed entries, in their order. Where an entry is not there any more its seal stands alone, so that the file
/// tells what the log does.
async fn sealed(reading: &Reading, wanted: SealedWanted) -> Result<Vec<SealedEntry>, Problem> {
    let most = u64::try_from(MOST_EXPORTED).unwrap_or(u64::MAX);
    if reading.count::<LogSeal>(seals(wanted, 0), most.saturating_add(1)).await? > most {
        return Err(Refusal::new(&EXPORT_TOO_LARGE).with("most", MOST_EXPORTED).at("from").into());
    }
    let mut entries: Vec<SealedEntry> = Vec::new();
    while entries.len() < MOST_EXPORTED {
        let after = entries.last().map_or(0, |last| last.serial);
        let page = reading.next_sealed(wanted, after).await?;
        let is_last = u64::try_from(page.len()).unwrap_or(u64::MAX) < SEALS_AT_ONCE;
        entries.extend(page.into_iter().map(|(seal, entry)| {
            seal.with(entry.and_then(|entry| entry.document(seal.form)).unwrap_or(Value::Null))
        }));
        if is_last {
            break;
        }
    }
    Ok(entries)
}
