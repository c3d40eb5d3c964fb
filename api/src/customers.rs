//! `/v1/customers`: whom the service is for.

use crate::{
    access::{Access, Api, Outcome, may},
    list::{List, ListOf, Paging},
    patch::patches,
    problem::{Problem, referred},
    pushes,
    request::{Id, Ids, Json, MergePatch},
};
use axum::response::Response;
use domain::{
    customers::{Customer, CustomerDetails},
    identity::{Assignment, Staff},
    ids::{CustomerId, DealerId, StaffId},
    text::{ExternalId, Name, Phone, Source},
};
use serde::Deserialize;
use store::Tenant;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const COLLECTION: &str = "/v1/customers";

patches!(CustomerPatch of CustomerDetails);

/// The routes of this file.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_customers, create_customer))
        .routes(routes!(show_customer, change_customer))
        .routes(routes!(push_customer))
        .routes(routes!(assign_customer))
}

/// Which customers are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CustomerFilters {
    /// How their name begins.
    #[param(example = "李")]
    q: Option<Name>,
    /// The system that pushed them.
    #[param(example = "erp")]
    source: Option<Source>,
    /// What that system calls them.
    external_id: Option<ExternalId>,
    /// Where they are called.
    phone: Option<Phone>,
    /// The dealer who looks after them.
    dealer_id: Option<DealerId>,
    /// Who looks after them in person, also when they have left since.
    relationship_owner_id: Option<StaffId>,
}

/// Lists customers
///
/// The newest comes first. Callers who work for a dealer see their dealer's customers.
#[utoipa::path(
    get, path = "/customers", tag = "customers",
    operation_id = "list_customers",
    params(CustomerFilters, Paging<Customer>),
    responses((status = 200, description = "A page of customers.", body = ListOf<Customer>)),
    security(("oauth" = ["customers:read"])),
)]
async fn list_customers(
    access: Access<may::CustomersRead>,
    list: List<Customer, CustomerFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let CustomerFilters { q, source, external_id, phone, dealer_id, relationship_owner_id } =
        &list.filters;
    let select = store::customers::wanted(store::customers::Wanted {
        name: q.as_deref(),
        source: source.as_ref(),
        external_id: external_id.as_ref(),
        phone: phone.as_ref(),
        dealer: *dealer_id,
        relationship_owner: *relationship_owner_id,
    });
    list.answer(&reading, select).await
}

/// Creates a customer
///
/// They begin as a lead and become a buyer with their first paid order or asset. A customer that another
/// system knows too is better pushed by their external id.
#[utoipa::path(
    post, path = "/customers", tag = "customers",
    operation_id = "create_customer",
    request_body(content = CustomerDetails, description = "What is known about the customer."),
    responses((status = 201, description = "The new customer.", body = Customer,
        headers(("Location" = String, description = "Where the customer is found."),
                ("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["customers:write"])),
)]
async fn create_customer(
    access: Access<may::CustomersWrite>,
    Json(details): Json<CustomerDetails>,
) -> Outcome {
    let work = access.write().await?;
    let details = with_dealer(&work, details)?;
    let customer = work.record(Customer::create(work.new_id(), details, work.now())).await?;
    work.created(COLLECTION, customer).await
}

/// Pushes a customer by their external id
///
/// Creates the customer, or replaces what is said about them; what the body leaves out is taken away. The
/// same push again changes nothing. `source` and `external_id` may be left out of the body.
#[utoipa::path(
    put, path = "/customers/by-external-id/{source}/{external_id}", tag = "customers",
    operation_id = "push_customer",
    params(("source" = Source, Path, description = "The system that pushes."),
           ("external_id" = ExternalId, Path, description = "What it calls the customer.")),
    request_body(content = CustomerDetails, description = "What that system knows about the customer."),
    responses(
        (status = 200, description = "The customer, changed or as they were.", body = Customer,
            headers(("ETag" = String, description = "The version, for If-Match."))),
        (status = 201, description = "The new customer.", body = Customer,
            headers(("Location" = String, description = "Where the customer is found."),
                    ("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["customers:write"])),
)]
async fn push_customer(
    access: Access<may::CustomersWrite>,
    Ids(source, external_id): Ids<Source, ExternalId>,
    Json(mut details): Json<CustomerDetails>,
) -> Outcome {
    let work = access.write().await?;
    pushes::name((&source, &external_id), &mut details.source, &mut details.external_id)?;
    let details = with_dealer(&work, details)?;
    work.push_alone("customer", &source, &external_id).await?;
    let known = work.hold_found(store::customers::named(&source, &[&external_id])).await?;
    let pushed = Customer::push(known, work.new_id(), details, work.now());
    pushes::record(work, COLLECTION, pushed).await
}

/// Shows a customer
///
/// Their whole timeline is at `/v1/audit-entries?customer_id=`.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers",
    operation_id = "show_customer",
    params(("id" = CustomerId, Path, description = "The customer.")),
    responses((status = 200, description = "The customer.", body = Customer,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["customers:read"])),
)]
async fn show_customer(
    access: Access<may::CustomersRead>,
    Id(id): Id<CustomerId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let customer: Customer = reading.get(id).await?;
    Ok(reading.show(&customer))
}

/// Changes a customer
///
/// What is said here stays until another system pushes the customer anew.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers",
    operation_id = "change_customer",
    params(("id" = CustomerId, Path, description = "The customer.")),
    request_body(content = CustomerPatch, content_type = "application/merge-patch+json",
        description = "What changes; members that are left out stay as they are, null takes a value away.",
        example = json!({"phone": "+8613900000000"})),
    responses((status = 200, description = "The customer as they are now.", body = Customer,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["customers:write"])),
)]
async fn change_customer(
    access: Access<may::CustomersWrite>,
    Id(id): Id<CustomerId>,
    patch: MergePatch,
) -> Outcome {
    let work = access.write().await?;
    let customer: Customer = work.hold(id).await?;
    work.expect_current(&customer)?;
    let details = with_dealer(&work, patch.apply(&customer.details)?)?;
    let customer = work.record(customer.update(details)).await?;
    work.changed(customer).await
}

/// Lets somebody look after a customer in person
///
/// They become the customer's `relationship_owner_id`, whoever was before: steps of procedures whose assignee is the
/// `relationship_owner` are theirs from now on, while they are not on leave. A push does not change it; a customer who
/// moves to another dealer has nobody until somebody is named.
#[utoipa::path(
    post, path = "/customers/{id}/assign", tag = "customers",
    operation_id = "assign_customer",
    params(("id" = CustomerId, Path, description = "The customer.")),
    request_body(content = Assignment, description = "Who looks after them."),
    responses((status = 200, description = "The customer as they are now.", body = Customer,
        headers(("ETag" = String, description = "The version, for If-Match.")))),
    security(("oauth" = ["customers:write"])),
)]
async fn assign_customer(
    access: Access<may::CustomersWrite>,
    Id(id): Id<CustomerId>,
    Json(assignment): Json<Assignment>,
) -> Outcome {
    let work = access.write().await?;
    let customer: Customer = work.hold(id).await?;
    work.heed(&customer);
    let to: Staff = referred(work.get(assignment.staff_id).await, "/staff_id")?;

    let change = customer.assign(&to)?;

    let customer = work.record(change).await?;
    work.changed(customer).await
}

fn with_dealer(tenant: &Tenant, details: CustomerDetails) -> Result<CustomerDetails, Problem> {
    let dealer_id = pushes::dealer_of(tenant, details.dealer_id)?;
    Ok(CustomerDetails { dealer_id, ..details })
}
