//! `/v1/complaints/{id}/publication` and `/v1/dealers/{id}/complaint-board`: what others read of complaints.

use crate::{
    access::{Access, Api, Outcome, may},
    links,
    list::Parameters,
    problem::Problem,
    request::{Id, Json},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use domain::{
    complaints::{
        BoardPage, Complaint, ComplaintBoard, ComplaintBoardShown, ComplaintPublication,
        ComplaintPublicationDetails, ComplaintRedacting, ViralityRaising,
    },
    identity::{Actor, Reach},
    ids::{ComplaintBoardId, ComplaintId, DealerId, TenantId},
    tenancy::Dealer,
};
use serde::{Deserialize, Serialize};
use store::{
    Failure, Scope,
    complaint_publications::{board_of, publication_of},
    secrets::SecretKey,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Under what the tokens of links to boards are sealed.
const LABEL: &str = "complaint-board";

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(publish_complaint))
        .routes(routes!(get_complaint_publication))
        .routes(routes!(redact_complaint))
        .routes(routes!(raise_complaint_virality))
        .routes(routes!(withdraw_complaint_publication))
        .routes(routes!(show_complaint_board, open_complaint_board))
}

/// Lets others read about a complaint
///
/// It was raised in a group, on a platform or on the dealer's board, and is answered there. Telephone numbers, mail
/// addresses, numbers of identity cards, bank cards and cars, WeChat and QQ accounts, and the customer's name and
/// addresses are masked in what others read (`public_title`, `public_text`); `redactions` says what. What was written stays
/// with those who answer. The first public message to the customer is due as soon as the first answer to the complaint is, counted
/// from `published_at`, and within 24 hours where no policy applies. A complaint is published once.
#[utoipa::path(
    post, path = "/complaints/{id}/publish", tag = "complaints",
    operation_id = "publish_complaint",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintPublicationDetails, description = "Where it is public, and what others read."),
    responses((status = 201, description = "What others read.", body = ComplaintPublication, headers(
        ("Location" = String, description = "Where it is found."),
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn publish_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(details): Json<ComplaintPublicationDetails>,
) -> Outcome {
    let work = access.write_once().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let personal = work.personal_words(complaint.details.customer_id).await?;
    let promise = work.promise_of_answer(&complaint).await?;

    let change = complaint.publish(work.new_id(), details, &personal, (promise, work.now()))?;

    let publication = work.record(change).await?;
    work.note_spreading(complaint, &publication).await?;
    work.created(&format!("/v1/complaints/{id}/publication"), publication).await
}

/// Shows what others read of a complaint
///
/// With what was masked, how far it spreads, and whether it was answered in time where others read it.
#[utoipa::path(
    get, path = "/complaints/{id}/publication", tag = "complaints",
    operation_id = "get_complaint_publication",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "What others read.", body = ComplaintPublication, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:read"])),
)]
async fn get_complaint_publication(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<ComplaintId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Complaint>(id).await?;
    let found = reading.find::<ComplaintPublication>(publication_of(id)).await?;
    Ok(reading.show(&found.ok_or(Failure::NotFound)?))
}

/// Says it in other words
///
/// What others read is replaced, and masked anew.
#[utoipa::path(
    post, path = "/complaints/{id}/publication/redact", tag = "complaints",
    operation_id = "redact_complaint",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ComplaintRedacting, description = "The other words."),
    responses((status = 200, description = "What others read now.", body = ComplaintPublication, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn redact_complaint(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(redacting): Json<ComplaintRedacting>,
) -> Outcome {
    let work = access.write().await?;
    work.get::<Complaint>(id).await?;
    let publication = work.hold_publication(id).await?;
    let personal = work.personal_words(publication.customer_id).await?;

    let change = publication.redact(redacting, &personal)?;

    let publication = work.record(change).await?;
    work.changed(publication).await
}

/// Notes that a complaint spreads further
///
/// From level 2 on the brand answers for it at once, and it is noticed (`complaint_spreading`). Deadlines stay where
/// they are. Levels never fall.
#[utoipa::path(
    post, path = "/complaints/{id}/publication/raise-virality", tag = "complaints",
    operation_id = "raise_complaint_virality",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    request_body(content = ViralityRaising, description = "How far it spreads by now."),
    responses((status = 200, description = "What others read.", body = ComplaintPublication, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn raise_complaint_virality(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
    Json(raising): Json<ViralityRaising>,
) -> Outcome {
    let work = access.write().await?;
    let complaint = work.hold::<Complaint>(id).await?;
    let publication = work.hold_publication(id).await?;

    let change = publication.raise_virality(raising)?;

    let publication = work.record(change).await?;
    work.note_spreading(complaint, &publication).await?;
    work.changed(publication).await
}

/// Takes a complaint away from others' eyes
///
/// It stands on no board any more, and no message about it is public. What was said stays with those who answer.
#[utoipa::path(
    post, path = "/complaints/{id}/publication/withdraw", tag = "complaints",
    operation_id = "withdraw_complaint_publication",
    params(("id" = ComplaintId, Path, description = "Which complaint.")),
    responses((status = 200, description = "What others have read.", body = ComplaintPublication, headers(
        ("ETag" = String, description = "Its version."),
    ))),
    security(("oauth" = ["complaints:write"])),
)]
async fn withdraw_complaint_publication(
    access: Access<may::ComplaintsWrite>,
    Id(id): Id<ComplaintId>,
) -> Outcome {
    let work = access.write().await?;
    work.get::<Complaint>(id).await?;
    let publication = work.hold_publication(id).await?;

    let change = publication.withdraw(work.now())?;

    let publication = work.record(change).await?;
    work.changed(publication).await
}

/// Which page of a board is wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BoardOptions {
    /// Which page, from 1 to 50; the first when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 50, example = 1)]
    page: Option<BoardPage>,
}

/// Shows a dealer's board
///
/// What its customers have complained about in public, as others read it, and how soon the dealer answered there in the
/// last 90 days. Nothing of a person is on it. The same is shown to whoever has the link to the board.
#[utoipa::path(
    get, path = "/dealers/{id}/complaint-board", tag = "complaints",
    operation_id = "show_complaint_board",
    params(("id" = DealerId, Path, description = "The dealer."), BoardOptions),
    responses((status = 200, description = "A page of the board.", body = ComplaintBoardShown)),
    security(("oauth" = ["complaints:read"])),
)]
async fn show_complaint_board(
    access: Access<may::ComplaintsRead>,
    Id(id): Id<DealerId>,
    Parameters(options): Parameters<BoardOptions>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    reading.get::<Dealer>(id).await?;
    let page = options.page.unwrap_or(BoardPage::LEAST).get();
    Ok(axum::Json(reading.board_page(id, page).await?).into_response())
}

/// How a board is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"renew": false})))]
struct ComplaintBoardOpening {
    /// Whether links that were made before lead nowhere from now on.
    #[serde(default)]
    renew: bool,
}

/// A dealer's board, and the way to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"id": "cbd_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "link_number": 1, "created_at": "2026-11-22T09:30:00Z", "version": 1, "board_path": "/b/AVq3"})))]
struct ComplaintBoardOpened {
    /// The board.
    #[serde(flatten)]
    board: ComplaintBoard,
    /// Where everybody who has the link reads it, without credentials. The path begins at the address of this server.
    board_path: String,
}

/// Opens a dealer's board
///
/// Answers the link to a page in Chinese and English that shows what is published. Asked again it answers a link to the
/// same board; with `renew` those that were made before lead nowhere.
#[utoipa::path(
    post, path = "/dealers/{id}/complaint-board", tag = "complaints",
    operation_id = "open_complaint_board",
    params(("id" = DealerId, Path, description = "The dealer.")),
    request_body(content = ComplaintBoardOpening, description = "How it is opened."),
    responses((status = 200, description = "The board, and the way to it.", body = ComplaintBoardOpened)),
    security(("oauth" = ["tenant:write"])),
)]
async fn open_complaint_board(
    State(api): State<Api>,
    access: Access<may::TenantWrite>,
    Id(id): Id<DealerId>,
    Json(opening): Json<ComplaintBoardOpening>,
) -> Outcome {
    let (tenant, paced) = (access.caller().tenant, access.caller().is_sandbox);
    let work = access.unkeyed().write().await?;
    work.get::<Dealer>(id).await?;
    let board = match work.hold_found::<ComplaintBoard>(board_of(id)).await? {
        None => work.record(ComplaintBoard::open(work.new_id(), id, work.now())).await?,
        Some(board) if opening.renew => work.record(board.renew()).await?,
        Some(board) => board,
    };
    let number = board.link_number;
    let link = BoardLink { tenant, dealer: id, board: board.id, number, paced };
    let board_path = format!("/b/{}", links::seal(api.secret(), LABEL, &link)?);
    let opened = ComplaintBoardOpened { board, board_path };
    work.answer(StatusCode::OK, Vec::new(), &opened).await
}

/// What a link to a board says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BoardLink {
    tenant: TenantId,
    /// Whose board.
    pub(crate) dealer: DealerId,
    /// Which board.
    pub(crate) board: ComplaintBoardId,
    /// Which of the links to it.
    pub(crate) number: u32,
    paced: bool,
}

impl BoardLink {
    /// What the link ending with `token` says; nothing when nobody here has made it.
    pub(crate) fn open(token: &str, secret: &SecretKey) -> Option<Self> {
        links::open(secret, LABEL, token)
    }

    /// Who has the link sees what is the dealer's, and of that what is public.
    pub(crate) fn scope(self, request_id: Option<String>) -> Scope {
        Scope {
            tenant: self.tenant,
            actor: Actor::Worker,
            reach: Reach { dealer: Some(self.dealer), technician: None },
            paced: self.paced,
            request_id,
        }
    }
}
