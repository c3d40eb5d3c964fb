//! `/v1/gestures`: personal services and gifts.

use crate::{
    access::{Access, Api, Outcome, Work, may},
    expand::{Expand, Expanding},
    list::{List, ListOf, Paging},
    problem::{Problem, referred, referred_if_named},
    request::{Id, Json},
};
use axum::response::Response;
use domain::{
    allowances::{
        authority::{Authority, highest},
        gestures::{
            Approval, Asked, Ballot, Bill, Gesture, GestureKind, GestureRequest, GestureState,
            Means, NamedItems, Requester, requester,
        },
    },
    cancellations::CancellationCase,
    complaints::Complaint,
    customers::Customer,
    identity::Staff,
    ids::{ComplaintId, CustomerId, DealerId, GestureId, GiftItemId, ServiceItemId, StaffId},
    money::Minor,
    text::Line,
};
use serde::Deserialize;
use store::allowances::{Granting, WantedGestures};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_gestures, ask_gesture))
        .routes(routes!(get_gesture))
        .routes(routes!(list_approvals))
        .routes(routes!(approve_gesture))
        .routes(routes!(reject_gesture))
        .routes(routes!(fulfil_gesture))
        .routes(routes!(cancel_gesture))
        .routes(routes!(reverse_gesture))
}

/// Which gestures are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GestureFilters {
    /// Only gestures for this customer.
    customer_id: Option<CustomerId>,
    /// Only gestures that this dealer's people see.
    dealer_id: Option<DealerId>,
    /// Only gestures in this state; `pending_approval` are those that wait for somebody.
    state: Option<GestureState>,
    /// Only gestures that help with this complaint.
    complaint_id: Option<ComplaintId>,
    /// Only gestures of this kind.
    kind: Option<GestureKind>,
    /// Only gestures that do this service of the inventory.
    service_item_id: Option<ServiceItemId>,
    /// Only gestures that give this gift of the catalogue.
    gift_id: Option<GiftItemId>,
    /// Only gestures that this person asked for, or that were asked for in their name.
    requester_id: Option<StaffId>,
}

/// Somebody's word on a gesture.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"comment": "Tell them we are sorry."})))]
struct GestureVerdict {
    /// Why.
    #[serde(default)]
    comment: Option<Line>,
}

/// What a gesture has cost.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"actual_minor": 7200})))]
struct GestureBill {
    /// What it has cost, in the currency of the gesture; 0 when it cost nothing in the end.
    actual_minor: Minor,
}

/// Why a payment is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "The basket was never delivered."})))]
struct GestureReversal {
    /// Why.
    reason: Line,
}

/// Lists gestures
///
/// The newest comes first.
#[utoipa::path(
    get, path = "/gestures", tag = "gestures",
    operation_id = "list_gestures",
    params(GestureFilters, Paging<Gesture>, Expanding<Gesture>),
    responses((status = 200, description = "A page of gestures.", body = ListOf<Gesture>)),
    security(("oauth" = ["gestures:read"])),
)]
async fn list_gestures(
    access: Access<may::GesturesRead>,
    list: List<Gesture, GestureFilters>,
    expand: Expand<Gesture>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let wanted = WantedGestures {
        customer_id: list.filters.customer_id,
        dealer_id: list.filters.dealer_id,
        complaint_id: list.filters.complaint_id,
        state: list.filters.state,
        kind: list.filters.kind,
        service_item_id: list.filters.service_item_id,
        gift_id: list.filters.gift_id,
        requester_id: list.filters.requester_id,
    };
    let select = store::allowances::gestures(wanted);
    list.answer_with(&reading, &expand, select).await
}

/// Asks for a gesture
///
/// What it may cost is held on the customer's account at once, or refused (`insufficient_allowance`,
/// `thing_from_thin_margin`, `heavy_gift`, `gifts_too_often`). Within the
/// requester's authority it is `approved` on the spot; beyond it, it is `pending_approval`, and `failed_limits` says
/// which limits those were and `required_rank` who can decide. Undecided, it goes up to the next rank at `escalates_at`,
/// and expires after 72 hours; approved and not carried out, after 14 days. While the budget of the team, the dealer or
/// the brand is short it is `parked`, and goes on by itself when money arrives. It may name a service or a gift of the
/// inventory, which has to be one that is given still (`gesture_item_retired`, `gift_sold_out`,
/// `gift_in_other_currency`, `gift_outside_margin`). A refusal lists every limit that the
/// gesture is beyond, and the lowest rank that may grant it.
#[utoipa::path(
    post, path = "/gestures", tag = "gestures",
    operation_id = "ask_gesture",
    extensions(("x-idempotency-key-required" = json!(true))),
    request_body(
        content = GestureRequest, description = "What somebody wants to do for a customer.",
        example = json!({"customer_id": "cus_01m80t7jx3e9vbq2f4c6d8g0hk", "kind": "gift",
            "problem_solved": "The filter came a week late and the family bought water.",
            "currency": "CNY", "estimate_minor": 3000,
            "requester_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk"}),
    ),
    responses((status = 201, description = "The gesture.", body = Gesture, headers(
        ("Location" = String, description = "Where the gesture is found."),
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:write"])),
)]
async fn ask_gesture(
    access: Access<may::GesturesWrite>,
    Json(request): Json<GestureRequest>,
) -> Outcome {
    let work = access.write_once().await?;
    // Held, so that they do not go to another dealer meanwhile and leave this behind.
    let customer: Customer = referred(work.hold(request.customer_id).await, "/customer_id")?;
    let requester_id = requester(work.actor(), request.requester_id)?;
    let staff: Staff = referred(work.get(requester_id).await, "/requester_id")?;
    let complaint: Option<Complaint> =
        referred_if_named(&work, request.complaint_id, "/complaint_id").await?;
    let items = named_items(&work, &request).await?;
    let asked = Asked {
        id: work.new_id(),
        request,
        requester: Requester::of(&staff)?,
        by: work.actor(),
        customer_dealer_id: customer.details.dealer_id,
        complaint_customer_id: complaint.map(|complaint| complaint.details.customer_id),
        items,
    };
    let (means, authority) = means_to_ask(&work, &asked).await?;
    let decision = Gesture::ask(asked, means, &authority, work.now())?;
    let gesture = work.record_gesture(decision).await?;
    work.created("/v1/gestures", gesture).await
}

/// Reads a gesture
///
/// `failed_limits` and `required_rank` say why it waited, or waits, for somebody.
#[utoipa::path(
    get, path = "/gestures/{id}", tag = "gestures",
    operation_id = "get_gesture",
    params(("id" = GestureId, Path, description = "The gesture."), Expanding<Gesture>),
    responses((status = 200, description = "The gesture.", body = Gesture, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:read"])),
)]
async fn get_gesture(
    access: Access<may::GesturesRead>,
    Id(id): Id<GestureId>,
    expand: Expand<Gesture>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    expand.show(&reading, reading.get(id).await?).await
}

/// Lists what was decided about a gesture
///
/// Nothing, when it was within the requester's own authority.
#[utoipa::path(
    get, path = "/gestures/{id}/approvals", tag = "gestures",
    operation_id = "list_gesture_approvals",
    params(("id" = GestureId, Path, description = "The gesture."), Paging<Approval>),
    responses((status = 200, description = "A page of decisions.", body = ListOf<Approval>)),
    security(("oauth" = ["gestures:read"])),
)]
async fn list_approvals(
    access: Access<may::GesturesRead>,
    Id(id): Id<GestureId>,
    list: List<Approval>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let gesture: Gesture = reading.get(id).await?;
    let select = store::allowances::approvals_of(gesture.id);
    list.answer(&reading, select).await
}

/// Approves a gesture
///
/// Somebody else than the requester and than whoever asked in their name, whose own limit covers the gesture at this
/// moment (`beyond_authority` says who can). A program of the brand decides with the limit of `brand_admin`, a dealer's own with that of `owner`.
#[utoipa::path(
    post, path = "/gestures/{id}/approve", tag = "gestures",
    operation_id = "approve_gesture",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = GestureId, Path, description = "The gesture.")),
    request_body(
        content = GestureVerdict, description = "Why.",
        example = json!({"comment": "Tell them we are sorry."}),
    ),
    responses((status = 200, description = "The gesture, approved.", body = Gesture, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:approve"])),
)]
async fn approve_gesture(
    access: Access<may::GesturesApprove>,
    Id(id): Id<GestureId>,
    Json(verdict): Json<GestureVerdict>,
) -> Outcome {
    let work = access.write_once().await?;
    let gesture: Gesture = work.hold(id).await?;
    let grantor = work.actor().to_string();
    work.lock_grantor(&grantor).await?;
    let purse = work.purse(gesture.customer_id).await?;
    let authority = work.authority(&Granting::of(&gesture, Some(grantor), &purse)).await?;
    let rules = work.rules_for(gesture.currency).await?;
    let ballot = ballot(&work, verdict).await?;
    let decision = gesture.approve(ballot, &rules, &authority, work.now())?;
    let gesture = work.record_gesture(decision).await?;
    work.changed(gesture).await
}

/// Rejects a gesture
///
/// Somebody else than the requester and than whoever asked in their name. What was held for it is released.
#[utoipa::path(
    post, path = "/gestures/{id}/reject", tag = "gestures",
    operation_id = "reject_gesture",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = GestureId, Path, description = "The gesture.")),
    request_body(
        content = GestureVerdict, description = "Why.",
        example = json!({"comment": "A call would do more."}),
    ),
    responses((status = 200, description = "The gesture, rejected.", body = Gesture, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:approve"])),
)]
async fn reject_gesture(
    access: Access<may::GesturesApprove>,
    Id(id): Id<GestureId>,
    Json(verdict): Json<GestureVerdict>,
) -> Outcome {
    let work = access.write_once().await?;
    let gesture: Gesture = work.hold(id).await?;
    let means = work.means(&gesture).await?;
    let ballot = ballot(&work, verdict).await?;
    let decision = gesture.reject(ballot, means, work.now())?;
    let gesture = work.record_gesture(decision).await?;
    work.changed(gesture).await
}

/// Says that a gesture was carried out
///
/// What it has cost is paid from the customer's account, from what expires first; what was held beyond is released.
/// A cost above the estimate needs that much available on the account, and authority for the whole of it: that of the
/// person who calls, or of the requester when a program does. A gesture for a complaint (`complaint_id`) carries out the
/// goodwill that was promised there first and is still due.
#[utoipa::path(
    post, path = "/gestures/{id}/fulfil", tag = "gestures",
    operation_id = "fulfil_gesture",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = GestureId, Path, description = "The gesture.")),
    request_body(
        content = GestureBill, description = "What it has cost.",
        example = json!({"actual_minor": 2800}),
    ),
    responses((status = 200, description = "The gesture, fulfilled.", body = Gesture, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:write"])),
)]
async fn fulfil_gesture(
    access: Access<may::GesturesWrite>,
    Id(id): Id<GestureId>,
    Json(bill): Json<GestureBill>,
) -> Outcome {
    let work = access.write_once().await?;
    let gesture: Gesture = work.hold(id).await?;
    let staff: Staff = work.get(work.actor().staff().unwrap_or(gesture.requester_id)).await?;
    let grantor = staff.id.to_string();
    work.lock_grantor(&grantor).await?;
    let means = work.means(&gesture).await?;
    let authority = work.authority(&Granting::of(&gesture, Some(grantor), &means.purse)).await?;
    let role = staff.details.role;
    let bill = Bill { actual_minor: bill.actual_minor, role, staff_id: staff.id };
    let decision = gesture.fulfil(bill, means, &authority, work.now())?;
    let gesture = work.record_gesture(decision).await?;
    work.settle_goodwill(&gesture).await?;
    work.changed(gesture).await
}

/// Cancels a gesture
///
/// The requester, or a manager or higher. What was held for it is released.
#[utoipa::path(
    post, path = "/gestures/{id}/cancel", tag = "gestures",
    operation_id = "cancel_gesture",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = GestureId, Path, description = "The gesture.")),
    responses((status = 200, description = "The gesture, cancelled.", body = Gesture, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:write"])),
)]
async fn cancel_gesture(access: Access<may::GesturesWrite>, Id(id): Id<GestureId>) -> Outcome {
    let work = access.write_once().await?;
    let gesture: Gesture = work.hold(id).await?;
    let means = work.means(&gesture).await?;
    let decision = gesture.cancel(work.actor(), means, work.now())?;
    let gesture = work.record_gesture(decision).await?;
    work.changed(gesture).await
}

/// Reverses a gesture
///
/// It was paid, and did not take place after all, or not like that: the money returns to where it came from, and what
/// has expired since expires at once. It takes a manager or higher, above the rank of who asked for it, and somebody
/// else than the requester and than whoever asked in their name. Where the customer has gone to another dealer since, it
/// takes the brand: the money is no dealer's who sees both. Not once a deposit is given back because it waives the penalty
/// (`gesture_waived_a_penalty`).
#[utoipa::path(
    post, path = "/gestures/{id}/reverse", tag = "gestures",
    operation_id = "reverse_gesture",
    extensions(("x-idempotency-key-required" = json!(true))),
    params(("id" = GestureId, Path, description = "The gesture.")),
    request_body(
        content = GestureReversal, description = "Why.",
        example = json!({"reason": "The basket was never delivered."}),
    ),
    responses((status = 200, description = "The gesture, reversed.", body = Gesture, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["gestures:approve"])),
)]
async fn reverse_gesture(
    access: Access<may::GesturesApprove>,
    Id(id): Id<GestureId>,
    Json(reversal): Json<GestureReversal>,
) -> Outcome {
    let work = access.write_once().await?;
    let gesture: Gesture = work.hold(id).await?;
    // Whoever begins a refund because of it holds it, too.
    let resting: Option<CancellationCase> = work.find(store::cancellations::resting_on(id)).await?;
    CancellationCase::must_not_rest(resting.as_ref())?;
    let requester: Staff = work.get(gesture.requester_id).await?;
    let means = work.means(&gesture).await?;
    let capacities = work.capacities(work.actor(), work.reach()).await?;
    let by = (work.actor(), highest(&capacities));
    let requesters = requester.details.role.rank();
    let decision = gesture.reverse(by, requesters, (reversal.reason, means), work.now())?;
    let gesture = work.record_gesture(decision).await?;
    work.changed(gesture).await
}

/// What a request names of the inventory.
async fn named_items(work: &Work, request: &GestureRequest) -> Result<NamedItems, Problem> {
    let service = referred_if_named(work, request.service_item_id, "/service_item_id").await?;
    let gift = referred_if_named(work, request.gift_id, "/gift_id").await?;
    Ok(NamedItems { service, gift })
}

/// The caller's word, in everything in which they may decide today.
async fn ballot(work: &Work, verdict: GestureVerdict) -> Result<Ballot, Problem> {
    let capacities = work.capacities(work.actor(), work.reach()).await?;
    Ok(Ballot { id: work.new_id(), by: work.actor(), capacities, comment: verdict.comment })
}

/// What a gesture that is asked for would be paid from, and who may grant it. The requester is held before the
/// customer's purse, and the purse before the budgets.
async fn means_to_ask(work: &Work, asked: &Asked) -> Result<(Means, Authority), Problem> {
    let Asked { id, request, requester, .. } = asked;
    let (currency, dealer) = (request.currency, asked.dealer_id());
    let grantor = requester.id.to_string();
    work.lock_grantor(&grantor).await?;
    let purse = work.purse(request.customer_id).await?;
    let budgets = work.budgets_above(requester.team_id, dealer, currency).await?;
    let rules = work.rules_for(currency).await?;
    let granting = Granting {
        customer: request.customer_id,
        currency,
        given: asked.given(),
        gesture: *id,
        dealer,
        grantor: Some(grantor),
        margin_minor: purse.margin(currency),
    };
    let authority = work.authority(&granting).await?;
    Ok((Means { purse, budgets, rules }, authority))
}
