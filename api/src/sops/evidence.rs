//! `/v1/sop-evidence`: files that show how a step was done, and the links by which they are looked at.

use crate::{
    access::{Access, Api, Early, Outcome, may, show_whole},
    files::{FileBytes, hand_out},
    list::{List, ListOf, Paging, Parameters},
    problem::{self, Problem},
    request::{Id, Ids},
};
use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    identity::{Actor, Reach},
    ids::{SopEvidenceId, SopRunId, SopRunStepId, TenantId},
    record::Record as _,
    refusal::Refusal,
    sops::{
        EVIDENCE_LINK_EXPIRED, EVIDENCE_LINK_MINUTES, SopChecklist, SopEvidence, SopEvidenceFile,
        SopEvidenceKind, SopRun, SopRunStep, recognise,
    },
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Scope, evidence::evidence_of, files::sha256, secrets::SecretKey};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Under what the tokens of links are sealed.
const LABEL: &str = "evidence-link";

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    // The size of a body is bounded where it is received, and photos may be larger than axum's default.
    OpenApiRouter::new()
        .routes(routes!(attach_sop_evidence))
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(list_sop_evidence))
        .routes(routes!(show_sop_evidence))
}

/// The documented route of this file outside `/v1`.
pub(crate) fn public_router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(download_sop_evidence))
}

/// What the file shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AttachmentOptions {
    /// What the file shows. A `photo` and a `reading` are JPEG, PNG, WebP or HEIC; a `signature` is PNG.
    kind: SopEvidenceKind,
}

/// A file that shows how a step was done, with the way to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "evd_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_run_id": "run_01m80t7jx3e9vbq2f4c6d8g0hk",
    "sop_run_step_id": "rst_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "attempt": 1, "kind": "photo", "content_type": "image/jpeg", "size_bytes": 184_220,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "attached_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "created_at": "2026-11-22T09:30:00Z",
    "download_path": "/public/v1/evidence/AVq3", "download_until_at": "2026-11-22T09:45:00Z",
})))]
struct SopEvidenceShown {
    /// The file.
    #[serde(flatten)]
    evidence: SopEvidence,
    /// Where the file itself is for a while, without credentials: whoever has the link can follow it. The path begins
    /// at the address of this server.
    download_path: String,
    /// From when on the link cannot be followed.
    download_until_at: Timestamp,
}

/// Attaches a file to a step
///
/// The body is the file itself, at most 10 MiB. What it is, its first bytes say: Content-Type and names are not
/// believed. A step takes 10 files, until it is done or waived; when it failed, doing it again takes files of its own,
/// again 10. Files are never changed and never taken away.
#[utoipa::path(
    post, path = "/sop-runs/{id}/steps/{step_id}/evidence", tag = "sops",
    operation_id = "attach_sop_evidence",
    params(
        ("id" = SopRunId, Path, description = "The run."),
        ("step_id" = SopRunStepId, Path, description = "The step of the run."),
        AttachmentOptions,
    ),
    request_body(description = "The file.", content(
        (FileBytes = "image/jpeg", example = json!("the bytes of the file")),
        (FileBytes = "image/png", example = json!("the bytes of the file")),
        (FileBytes = "image/webp", example = json!("the bytes of the file")),
        (FileBytes = "image/heic", example = json!("the bytes of the file")),
        (FileBytes = "application/octet-stream", example = json!("the bytes of the file")))),
    responses((
        status = 201, description = "What was attached.", body = SopEvidence,
        headers(
            ("Location" = String, description = "Where it is."),
            ("ETag" = String, description = "The version of the record."),
        ),
    )),
    security(("oauth" = ["sop_runs:write"])),
)]
async fn attach_sop_evidence(
    State(api): State<Api>,
    mut access: Access<may::RunsWrite>,
    Ids(id, step_id): Ids<SopRunId, SopRunStepId>,
    Parameters(options): Parameters<AttachmentOptions>,
    bytes: Bytes,
) -> Outcome {
    access.recall().await?;
    let reading = access.look().await?;
    let run: SopRun = reading.get(id).await?;
    let checklist = reading.checklist(run).await?;
    let attached = reading.count_evidence(step_of(&checklist, step_id)?).await?;
    checklist.require_room(step_id, attached)?;
    let file = SopEvidenceFile {
        id: reading.new_id(),
        kind: options.kind,
        content_type: recognise(options.kind, &bytes)?,
        size_bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        sha256: sha256(&bytes),
    };
    // The file is there before the row, so that no row names what is not there; and no transaction waits for it.
    drop(reading);
    let (tenant, name) = (access.caller().tenant, Uuid::from(file.id));
    let files = api.store().files();
    files.keep(tenant, name, bytes).await?;
    let outcome = attach(access, id, step_id, file).await;
    // Where a row may name it after all, it stays; at night, when that is known, it is taken away if none does.
    if outcome.as_ref().is_err_and(Early::is_without_effect)
        && let Err(fault) = files.forget(tenant, name).await
    {
        tracing::warn!(error = fault.plainly(), "a file that nothing names was left");
    }
    outcome
}

async fn attach(
    access: Access<may::RunsWrite>,
    id: SopRunId,
    step_id: SopRunStepId,
    file: SopEvidenceFile,
) -> Outcome {
    let work = access.write().await?;
    let run: SopRun = work.hold(id).await?;
    let checklist = work.checklist(run).await?;
    let attached = work.count_evidence(step_of(&checklist, step_id)?).await?;
    let change = checklist.attach(step_id, attached, file, (work.actor(), work.now()))?;
    let change = change.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    let evidence = work.record(change).await?;
    work.created("/v1/sop-evidence", evidence).await
}

fn step_of(checklist: &SopChecklist, id: SopRunStepId) -> Result<&SopRunStep, Problem> {
    let step = checklist.steps.iter().find(|step| step.id == id);
    step.ok_or_else(|| Problem::new(&problem::NOT_FOUND))
}

/// Lists the files of a run
///
/// The newest comes first. `sop_run_step_id` says which step each belongs to.
#[utoipa::path(
    get, path = "/sop-runs/{id}/evidence", tag = "sops",
    operation_id = "list_sop_evidence",
    params(("id" = SopRunId, Path, description = "The run."), Paging<SopEvidence>),
    responses((status = 200, description = "A page of what was attached.", body = ListOf<SopEvidence>)),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn list_sop_evidence(
    access: Access<may::RunsRead>,
    Id(id): Id<SopRunId>,
    list: List<SopEvidence>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let run: SopRun = reading.get(id).await?;
    list.answer(&reading, evidence_of(run.id)).await
}

/// Shows what was attached
///
/// With a link to the file, which can be followed for ten minutes without credentials.
#[utoipa::path(
    get, path = "/sop-evidence/{id}", tag = "sops",
    operation_id = "show_sop_evidence",
    params(("id" = SopEvidenceId, Path, description = "What was attached.")),
    responses((
        status = 200, description = "What was attached, and the way to it.", body = SopEvidenceShown,
        headers(("ETag" = String, description = "The version of the record.")),
    )),
    security(("oauth" = ["sop_runs:read"])),
)]
async fn show_sop_evidence(
    State(api): State<Api>,
    access: Access<may::RunsRead>,
    Id(id): Id<SopEvidenceId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let evidence: SopEvidence = reading.get(id).await?;
    // Whoever does not see the run does not see what belongs to it.
    reading.get::<SopRun>(evidence.sop_run_id).await?;
    let download_until_at = reading.real_now().plus_minutes(EVIDENCE_LINK_MINUTES);
    let link = EvidenceLink { tenant: reading.id(), evidence: id, until_at: download_until_at };
    let token = link.token(api.secret())?;
    let shown = SopEvidenceShown {
        download_path: format!("/public/v1/evidence/{token}"),
        download_until_at,
        evidence,
    };
    Ok(show_whole(shown.evidence.version(), &shown))
}

/// Downloads what was attached
///
/// The file itself, by the `download_path` of `GET /v1/sop-evidence/{id}`. Needs no credentials: whoever has the
/// link can follow it, for ten minutes.
#[utoipa::path(
    get, path = "/public/v1/evidence/{token}", tag = "sops",
    operation_id = "download_sop_evidence",
    params(("token" = String, Path, description = "What the link ends with.")),
    responses(
        (status = 200, description = "The file.", content(
            (FileBytes = "image/jpeg", example = json!("the bytes of the file")),
            (FileBytes = "image/png", example = json!("the bytes of the file")),
            (FileBytes = "image/webp", example = json!("the bytes of the file")),
            (FileBytes = "image/heic", example = json!("the bytes of the file")))),
    ),
    security(),
)]
async fn download_sop_evidence(
    State(api): State<Api>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let link = EvidenceLink::open(&token, api.secret());
    let link = link.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    if api.store().clock().now() >= link.until_at {
        let refusal = Refusal::new(&EVIDENCE_LINK_EXPIRED).with("expires_at", link.until_at);
        return Err(refusal.into());
    }
    let tenant = api.enter_by_link(link.scope()).await?;
    let evidence: SopEvidence = tenant.get(link.evidence).await?;
    tenant.undo().await?;
    let bytes = api.store().files().read(link.tenant, link.evidence.into()).await?;
    let kind = evidence.content_type;
    let name = format!("{}.{}", evidence.id, kind.extension());
    hand_out(&name, kind.media_type(), bytes)
}

/// What a link to a file says, sealed so that nobody makes one up or reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct EvidenceLink {
    tenant: TenantId,
    evidence: SopEvidenceId,
    until_at: Timestamp,
}

impl EvidenceLink {
    fn token(&self, secret: &SecretKey) -> Result<String, Problem> {
        let plain = serde_json::to_vec(self).map_err(store::Fault::from)?;
        let sealed = secret.seal(LABEL, &plain).map_err(store::Fault::from)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(token: &str, secret: &SecretKey) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        serde_json::from_slice(&secret.open(LABEL, &sealed).ok()?).ok()
    }

    /// Whoever follows a link sees what it leads to; who may have one was asked when it was made.
    fn scope(&self) -> Scope {
        Scope {
            tenant: self.tenant,
            actor: Actor::Worker,
            reach: Reach::default(),
            paced: false,
            request_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_by_who_made_it_and_cannot_be_made_up() {
        let secret = SecretKey::from_text(&"a".repeat(32)).unwrap();
        let link = EvidenceLink {
            tenant: Uuid::from_u128(1).into(),
            evidence: Uuid::from_u128(2).into(),
            until_at: "2026-11-22T09:30:00Z".parse().unwrap(),
        };
        let token = link.token(&secret).unwrap();
        assert_eq!(EvidenceLink::open(&token, &secret), Some(link));
        let other = SecretKey::from_text(&"b".repeat(32)).unwrap();
        assert_eq!(EvidenceLink::open(&token, &other), None);
        for wrong in ["", "x", "AAAA", &token[1..], &format!("{token}A")] {
            assert_eq!(EvidenceLink::open(wrong, &secret), None, "{wrong}");
        }
    }
}
