//! `/v1/allowance-policies/simulate` and `/v1/allowance-defaults`: what a policy would do, and what a brand begins with.

use crate::{
    access::{Access, Api, Outcome, may},
    list::Parameters,
    problem::Problem,
    request::Json,
};
use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use domain::{
    allowances::{
        accrual::PaidOrder,
        authority::AuthorityLimit,
        defaults::AllowanceDefaults,
        guard::GestureRules,
        policy::{AllowancePolicy, AllowancePolicyDetails},
        simulation::{MOST_SIMULATED_LINES, SIMULATION_TOO_LARGE, SimulatedOrder, SimulatedTotals},
    },
    lists::list_or_null,
    money::Currency,
    refusal::Refusal,
    time::{CivilDate, WallTime},
};
use serde::{Deserialize, Serialize};
use store::Tenant;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(simulate_policy))
        .routes(routes!(show_defaults))
        .routes(routes!(adopt_defaults))
}

/// A policy to be tried, and on what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"policy": {"currency": "CNY", "base": "margin",
    "tiers": [{"from_minor": 0, "rate_bp": 2500}]}, "from_on": "2026-01-01", "to_on": "2026-03-31"})))]
struct PolicyTrial {
    /// The policy.
    policy: AllowancePolicyDetails,
    /// The sales to try it on, at most 10 000; when absent, the brand's own that were paid in the period.
    #[serde(default, deserialize_with = "list_or_null::<10_000, _, _>")]
    #[schema(max_items = 10_000)]
    orders: Option<Vec<SimulatedOrder>>,
    /// The first day of payment of the brand's own sales; a year before `to_on` when absent.
    #[serde(default)]
    from_on: Option<CivilDate>,
    /// The last day of payment of the brand's own sales; today when absent.
    #[serde(default)]
    to_on: Option<CivilDate>,
    /// The day at whose end everything is counted; today when absent.
    #[serde(default)]
    as_of_on: Option<CivilDate>,
}

/// What a policy would have done, beside the one that counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"currency": "CNY", "as_of_on": "2026-04-01", "orders": 2,
    "proposed": {"accrued_minor": 2000, "pending_minor": 0, "released_minor": 2000, "expired_minor": 0,
        "remaining_minor": 2000, "earning_lines": 2, "lots": 2},
    "current": {"accrued_minor": 1000, "pending_minor": 0, "released_minor": 1000, "expired_minor": 0,
        "remaining_minor": 1000, "earning_lines": 2, "lots": 2}})))]
struct PolicyComparison {
    /// The currency of all amounts.
    currency: Currency,
    /// The day at whose end everything is counted.
    as_of_on: CivilDate,
    /// On how many sales it was tried.
    orders: usize,
    /// What the policy would have done.
    proposed: SimulatedTotals,
    /// What the active policy of the currency would have done; null when there is none.
    current: Option<SimulatedTotals>,
}

/// For which currency.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ForCurrency {
    /// The currency of the amounts; the brand's when absent.
    currency: Option<Currency>,
}

/// For which currency the defaults are adopted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"currency": "CNY"})))]
struct DefaultsAdoption {
    /// The currency of the amounts.
    currency: Currency,
}

/// What was not there before.
#[derive(Debug, Serialize, ToSchema)]
struct AdoptedDefaults {
    /// The policy that counts from now on; null when one counted already.
    policy: Option<AllowancePolicy>,
    /// The limits of authority that are new.
    limits: Vec<AuthorityLimit>,
    /// The rules for gestures; null when there were some already.
    rules: Option<GestureRules>,
}

/// Tries a policy on sales
///
/// What it would have set aside, released and let expire by the end of a day if nothing had been spent, beside the policy
/// that counts now. On sales that are given, or on the brand's own paid ones of a period; nothing is changed.
#[utoipa::path(
    post, path = "/allowance-policies/simulate", tag = "allowances",
    operation_id = "simulate_allowance_policy",
    request_body(content = PolicyTrial, description = "The policy, and the sales."),
    responses((status = 200, description = "What it would have done.", body = PolicyComparison)),
    security(("oauth" = ["allowances:read"])),
)]
async fn simulate_policy(
    access: Access<may::AllowancesRead>,
    Json(trial): Json<PolicyTrial>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    trial.policy.check()?;
    let zone = reading.zone().await?;
    let as_of_on = trial.as_of_on.unwrap_or_else(|| reading.now().date_in(zone));
    let end = as_of_on.plus_days(1).at(WallTime::MIDNIGHT, zone);
    let orders = sales(&reading, &trial).await?;
    let currency = trial.policy.currency;
    let current = reading.active_policy(currency).await?;
    let comparison = PolicyComparison {
        currency,
        as_of_on,
        orders: orders.len(),
        proposed: trial.policy.simulate(&orders, end),
        current: current.map(|policy| policy.details.simulate(&orders, end)),
    };
    Ok(axum::Json(comparison).into_response())
}

/// Shows what a brand begins with
///
/// A policy, limits of authority and rules for gifts, with the numbers that the service proposes.
#[utoipa::path(
    get, path = "/allowance-defaults", tag = "allowances",
    operation_id = "show_allowance_defaults",
    params(ForCurrency),
    responses((status = 200, description = "The defaults.", body = AllowanceDefaults)),
    security(("oauth" = ["allowances:read"])),
)]
async fn show_defaults(
    access: Access<may::AllowancesRead>,
    Parameters(wanted): Parameters<ForCurrency>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let currency = match wanted.currency {
        Some(currency) => currency,
        None => reading.brand().await?.currency,
    };
    Ok(axum::Json(defaults_of(currency)?).into_response())
}

/// Adopts what a brand begins with
///
/// The policy counts from now on, unless one counts already; limits and rules are added where there are none. What the
/// brand has said stays, and everything can be changed afterwards.
#[utoipa::path(
    post, path = "/allowance-defaults/adopt", tag = "allowances",
    operation_id = "adopt_allowance_defaults",
    request_body(content = DefaultsAdoption, description = "For which currency.",
        example = json!({"currency": "CNY"})),
    responses((status = 200, description = "What is new.", body = AdoptedDefaults)),
    security(("oauth" = ["allowances:write"])),
)]
async fn adopt_defaults(
    access: Access<may::AllowancesWrite>,
    Json(adoption): Json<DefaultsAdoption>,
) -> Outcome {
    let work = access.write().await?;
    let adopted = adopt(&work, adoption.currency).await?;
    work.answer(StatusCode::OK, Vec::new(), &adopted).await
}

async fn adopt(tenant: &Tenant, currency: Currency) -> Result<AdoptedDefaults, Problem> {
    let defaults = defaults_of(currency)?;
    let mut policy = None;
    if tenant.active_policy(currency).await?.is_none() {
        policy = Some(put_in_force(tenant, defaults.policy).await?);
    }
    let known: Vec<AuthorityLimit> = tenant.all(store::allowances::limits(None)).await?;
    let mut limits = Vec::new();
    for details in defaults.limits {
        let is_known = |limit: &AuthorityLimit| limit.details.is_about_the_same_as(&details);
        if !known.iter().any(is_known) {
            let change = AuthorityLimit::set(tenant.new_id(), details, tenant.now())?;
            limits.push(tenant.record(change).await?);
        }
    }
    let said: Option<GestureRules> =
        tenant.find(store::allowances::gesture_rules(Some(currency))).await?;
    let mut rules = None;
    if said.is_none() {
        let change = GestureRules::set(tenant.new_id(), defaults.rules, tenant.now());
        rules = Some(tenant.record(change).await?);
    }
    Ok(AdoptedDefaults { policy, limits, rules })
}

/// Writes a policy that counts from this moment on.
async fn put_in_force(
    tenant: &Tenant,
    details: AllowancePolicyDetails,
) -> Result<AllowancePolicy, Problem> {
    let number = tenant.next_policy_number(details.currency).await?;
    let draft = AllowancePolicy::draft(tenant.new_id(), number, details, tenant.now())?;
    let draft = tenant.record(draft).await?;
    Ok(tenant.succeed(draft.activate(None, tenant.now())?).await?)
}

fn defaults_of(currency: Currency) -> Result<AllowanceDefaults, Problem> {
    AllowanceDefaults::of(currency).map_err(|mistake| Problem::parameter("currency", mistake))
}

/// The sales on which a policy is tried.
async fn sales(tenant: &Tenant, trial: &PolicyTrial) -> Result<Vec<PaidOrder>, Problem> {
    let zone = tenant.zone().await?;
    let to_on = trial.to_on.unwrap_or_else(|| tenant.now().date_in(zone));
    let from_on = trial.from_on.unwrap_or_else(|| to_on.plus_days(-365));
    let too_large = || {
        Refusal::new(&SIMULATION_TOO_LARGE)
            .with("most", MOST_SIMULATED_LINES)
            .with("from_on", from_on)
            .with("to_on", to_on)
    };
    if let Some(orders) = &trial.orders {
        let lines: usize = orders.iter().map(|order| order.lines.len()).sum();
        if lines > MOST_SIMULATED_LINES {
            return Err(too_large().at("/orders").into());
        }
        return Ok(orders.iter().map(|order| order.paid(zone)).collect());
    }
    let sales = tenant.paid_sales(trial.policy.currency, from_on, to_on).await?;
    Ok(sales.ok_or_else(too_large)?)
}
