//! `/v1/complaints/{id}/messages` and `/attachments`: what is said about a complaint, and what belongs to it.

use crate::{
    access::{Access, Api, Early, Outcome, may},
    files::{FileBytes, hand_out},
    list::{List, ListOf, Paging, Parameters},
    problem::Problem,
    request::{Id, Ids, Json},
};
use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, header},
    response::Response,
};
use domain::{
    complaints::{
        AttachmentFile, AttachmentType, Complaint, ComplaintAttachment, ComplaintMessage,
        ComplaintMessageDetails,
    },
    ids::{ComplaintAttachmentId, ComplaintId, ComplaintMessageId},
};
use serde::Deserialize;
use store::{
    complaint_attachments::attachments_of, complaint_messages::messages_about, files::sha256,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    // The size of a body is bounded where it is received, and photos may be larger than axum's default.
    OpenApiRouter::new()
        .routes(routes!(list_complaint_attachments, attach_to_complaint))
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(download_complaint_attachment))
        .routes(routes!(list_complaint_messages, send_complaint_message))
        .routes(routes!(get_complaint_message))
}

/// Lists what was said about a complaint
///
/// By the customer, to them, and among those who answer; the first message comes first.
#[utoipa::path(
    get, path = "/complaints/{id}/messages", tag = "complaints",
    operation_id = "list_complaint_messages",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Paging<ComplaintMessage>),
    responses((status = 200, description = "A page of messages.", body = ListOf<ComplaintMessage>)),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_complaint_messages(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    list: List<ComplaintMessage>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    list.answer(&reading, messages_about(id)).await
}

/// Says something about a complaint
///
/// What is said `to_customer` is sent to them. What they say by telephone or in a store is noted as `from_customer`; it
/// ends waiting for them, and clocks that stood still run on. `internal` stays among those who answer. A complaint that
/// is at an end takes internal notes only, and none takes more than 500 messages with the customer and 500 notes.
/// Messages are never changed.
#[utoipa::path(
    post, path = "/complaints/{id}/messages", tag = "complaints",
    operation_id = "send_complaint_message",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintMessageDetails, description = "What is said."),
    responses((status = 201, description = "The message.", body = ComplaintMessage, headers(
        ("Location" = String, description = "Where the message is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn send_complaint_message(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(details): Json<ComplaintMessageDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let message = work.say(complaint, details).await?;
    work.created(&format!("/v1/complaints/{id}/messages"), message).await
}

/// Shows a message about a complaint
///
/// With what others read of it where the complaint is public.
#[utoipa::path(
    get, path = "/complaints/{id}/messages/{message_id}", tag = "complaints",
    operation_id = "get_complaint_message",
    params(
        ("id" = ComplaintId, Path, description = "Which complaint."),
        ("message_id" = ComplaintMessageId, Path, description = "Which of its messages."),
    ),
    responses((status = 200, description = "The message.", body = ComplaintMessage, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_complaint_message(
    access: Access<may::ComplaintsRead>,
    Ids(id, message_id): Ids<ComplaintId, ComplaintMessageId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    Ok(reading.show(&reading.message_about(id, message_id).await?))
}

/// What a file belongs to.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ComplaintAttachmentOptions {
    /// The message about the complaint with which it was sent.
    message_id: Option<ComplaintMessageId>,
}

/// Lists what is attached to a complaint
///
/// Photos and documents, the first one first. `GET /v1/complaints/{id}/attachments/{attachment_id}` hands one out.
#[utoipa::path(
    get, path = "/complaints/{id}/attachments", tag = "complaints",
    operation_id = "list_complaint_attachments",
    params(("id" = ComplaintId, Path, description = "Which complaint."), Paging<ComplaintAttachment>),
    responses((
        status = 200, description = "A page of what is attached.", body = ListOf<ComplaintAttachment>,
    )),
    security(("oauth" = ["complaints:read"])),
)]
async fn list_complaint_attachments(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
    list: List<ComplaintAttachment>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    list.answer(&reading, attachments_of(id)).await
}

/// Attaches a file to a complaint
///
/// The body is the file itself, a photo (JPEG, PNG, WebP, HEIC) or a PDF of at most 10 MiB. What it is, its first bytes
/// say: a file that is sent under another Content-Type than its own is refused, and `application/octet-stream` says
/// nothing. A complaint takes 20 files, until it is at an end. Files are never changed.
#[utoipa::path(
    post, path = "/complaints/{id}/attachments", tag = "complaints",
    operation_id = "attach_to_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint."), ComplaintAttachmentOptions),
    request_body(description = "The file.", content(
        (FileBytes = "image/jpeg", example = json!("the bytes of the file")),
        (FileBytes = "image/png", example = json!("the bytes of the file")),
        (FileBytes = "image/webp", example = json!("the bytes of the file")),
        (FileBytes = "image/heic", example = json!("the bytes of the file")),
        (FileBytes = "application/pdf", example = json!("the bytes of the file")),
        (FileBytes = "application/octet-stream", example = json!("the bytes of the file")))),
    responses((status = 201, description = "What was attached.", body = ComplaintAttachment, headers(
        ("Location" = String, description = "Where the file is handed out."),
        ("ETag" = String, description = "The version of the record."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn attach_to_complaint(
    State(api): State<Api>,
    mut access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Parameters(options): Parameters<ComplaintAttachmentOptions>,
    (headers, bytes): (HeaderMap, Bytes),
) -> Outcome {
    access.recall().await?;
    let reading = access.look().await?;
    let complaint = reading.get::<Complaint>(id).await?;
    reading.named_message(id, options.message_id).await?;
    complaint.require_room(reading.count_attachments(id).await?)?;
    let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok());
    let file = AttachmentFile {
        id: reading.new_id(),
        content_type: AttachmentType::recognise(said, &bytes)?,
        size_bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        sha256: sha256(&bytes),
    };
    // The file is there before the row, so that no row names what is not there; and no transaction waits for it.
    drop(reading);
    let (tenant, name) = (access.caller().tenant, Uuid::from(file.id));
    let files = api.store().files();
    files.keep(tenant, name, bytes).await?;
    let outcome = attach(access, id, options.message_id, file).await;
    // Where a row may name it after all, it stays; at night, when that is known, it is taken away if none does.
    if outcome.as_ref().is_err_and(Early::is_without_effect)
        && let Err(fault) = files.forget(tenant, name).await
    {
        tracing::warn!(error = fault.plainly(), "a file that nothing names was left");
    }
    outcome
}

async fn attach(
    access: Access<may::ComplaintsWrite>,
    id: ComplaintId,
    message: Option<ComplaintMessageId>,
    file: AttachmentFile,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let message = work.named_message(id, message).await?;
    let attached = work.count_attachments(id).await?;

    let change = complaint.attach(attached, file, message.as_ref(), (work.actor(), work.now()))?;

    let attachment = work.record(change).await?;
    work.created(&format!("/v1/complaints/{id}/attachments"), attachment).await
}

/// Hands out what is attached to a complaint
///
/// The file itself, to be kept and not to be opened in a browser.
#[utoipa::path(
    get, path = "/complaints/{id}/attachments/{attachment_id}", tag = "complaints",
    operation_id = "download_complaint_attachment",
    params(
        ("id" = ComplaintId, Path, description = "Which complaint."),
        ("attachment_id" = ComplaintAttachmentId, Path, description = "Which of its files."),
    ),
    responses(
        (status = 200, description = "The file.", content(
            (FileBytes = "image/jpeg", example = json!("the bytes of the file")),
            (FileBytes = "image/png", example = json!("the bytes of the file")),
            (FileBytes = "image/webp", example = json!("the bytes of the file")),
            (FileBytes = "image/heic", example = json!("the bytes of the file")),
            (FileBytes = "application/pdf", example = json!("the bytes of the file")))),
    ),
    security(("oauth" = ["complaints:read"])),
)]
async fn download_complaint_attachment(
    State(api): State<Api>,
    access: Access<may::ComplaintsRead>,
    Ids(id, attachment_id): Ids<ComplaintId, ComplaintAttachmentId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    let attachment = reading.attachment_of(id, attachment_id).await?;
    let tenant = reading.id();
    // Nothing is open while the file is read.
    drop(reading);
    let bytes = api.store().files().read(tenant, attachment.id.into()).await?;
    let kind = attachment.content_type;
    let name = format!("{}.{}", attachment.id, kind.extension());
    hand_out(&name, kind.media_type(), bytes)
}
