//! `/v1/allowance-accounts`: what is set aside for a customer.

use crate::{
    access::{Access, Api, may},
    list::{List, ListOf, Paging},
    problem::Problem,
    request::Id,
};
use axum::response::Response;
use domain::{
    allowances::{
        accounts::{AllowanceAccount, AllowanceEntry},
        lots::AllowanceLot,
    },
    ids::{AllowanceAccountId, CustomerId, DealerId},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_accounts))
        .routes(routes!(get_account))
        .routes(routes!(list_entries))
        .routes(routes!(list_lots))
}

/// Which accounts are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AccountFilters {
    /// Only the accounts of this customer.
    customer_id: Option<CustomerId>,
    /// Only the accounts of this dealer's customers.
    dealer_id: Option<DealerId>,
}

/// Lists accounts
///
/// A customer has one for each currency in which a sale has earned something. The newest comes first.
#[utoipa::path(
    get, path = "/allowance-accounts", tag = "allowances",
    operation_id = "list_allowance_accounts",
    params(AccountFilters, Paging<AllowanceAccount>),
    responses((status = 200, description = "A page of accounts.", body = ListOf<AllowanceAccount>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_accounts(
    access: Access<may::AllowancesRead>,
    list: List<AllowanceAccount, AccountFilters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let select = store::allowances::accounts(list.filters.customer_id, list.filters.dealer_id);
    list.answer(&reading, select).await
}

/// Reads an account
///
/// What is available may be asked for; what is held is promised to gestures that are not settled yet.
#[utoipa::path(
    get, path = "/allowance-accounts/{id}", tag = "allowances",
    operation_id = "get_allowance_account",
    params(("id" = AllowanceAccountId, Path, description = "The account.")),
    responses((status = 200, description = "The account.", body = AllowanceAccount, headers(
        ("ETag" = String, description = "Its version.")))),
    security(("oauth" = ["allowances:read"])),
)]
async fn get_account(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AllowanceAccountId>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let account: AllowanceAccount = reading.get(id).await?;
    Ok(reading.show(&account))
}

/// Lists the lines of an account
///
/// The newest comes first. The changes of the balance add up to the balance, those of the held part to the held
/// part.
#[utoipa::path(
    get, path = "/allowance-accounts/{id}/entries", tag = "allowances",
    operation_id = "list_allowance_entries",
    params(("id" = AllowanceAccountId, Path, description = "The account."), Paging<AllowanceEntry>),
    responses((status = 200, description = "A page of lines.", body = ListOf<AllowanceEntry>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_entries(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AllowanceAccountId>,
    list: List<AllowanceEntry>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let account: AllowanceAccount = reading.get(id).await?;
    let select = store::allowances::entries_of(account.id);
    list.answer(&reading, select).await
}

/// Lists the lots of an account
///
/// Each is one instalment of what an order line has earned. What remains of those whose day has come adds up to the
/// balance, what remains of the others to what is pending. The oldest comes first; gestures are paid from the one
/// that expires first, of those that may pay for them.
#[utoipa::path(
    get, path = "/allowance-accounts/{id}/lots", tag = "allowances",
    operation_id = "list_allowance_lots",
    params(("id" = AllowanceAccountId, Path, description = "The account."), Paging<AllowanceLot>),
    responses((status = 200, description = "A page of lots.", body = ListOf<AllowanceLot>)),
    security(("oauth" = ["allowances:read"])),
)]
async fn list_lots(
    access: Access<may::AllowancesRead>,
    Id(id): Id<AllowanceAccountId>,
    list: List<AllowanceLot>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let account: AllowanceAccount = reading.get(id).await?;
    let select = store::allowances::lots_of(account.id);
    list.answer(&reading, select).await
}
