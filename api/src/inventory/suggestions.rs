//! `/v1/gift-suggestions`: what a customer could be given for a budget.

use crate::{
    access::{Access, Api, may},
    list::Parameters,
    problem::Problem,
};
use axum::response::{IntoResponse as _, Response};
use domain::{
    inventory::{GiftSuggestion, GiftWish},
    money::{Currency, Minor, Money},
    time::CivilDate,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(suggest_gifts))
}

/// For what something is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WishParameters {
    /// The most it may cost, in minor units.
    #[param(example = 5000)]
    budget_minor: Minor,
    /// The currency of the budget and the margin.
    #[param(example = "CNY")]
    currency: Currency,
    /// The day on which it is given; today, in the brand's time zone, when absent.
    #[param(example = "2026-09-20")]
    on: Option<CivilDate>,
    /// The margin of the sale that it goes with, in minor units. Without it, gifts that go with certain margins only
    /// are left out.
    #[param(example = 119_900)]
    margin_minor: Option<Minor>,
}

/// What a customer could be given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({ "suggestions": [{
    "offering": "gift", "gift_id": "gft_01m80t7jx3e9vbq2f4c6d8g0hk", "bundle_id": null,
    "service_item_id": null, "code": "moon-cake", "name": "月饼 Moon cake", "currency": "CNY",
    "cost_minor": 2800, "perceived_value_minor": 6800, "festival": "mid_autumn", "season": null,
    "instead_of": null,
}] })))]
struct GiftSuggestions {
    /// The best first; at most 20.
    suggestions: Vec<GiftSuggestion>,
}

/// Suggests what to give
///
/// The most perceived value for the cost comes first. Gifts and bundles count that fit the budget, the season or
/// festival of the day and the margin of the sale, and of which some are left. A gift that goes with the sale and is too
/// dear or gone is replaced by what it falls back to. When no gift fits, services that cost nothing are suggested, with
/// their amounts in the brand's currency.
#[utoipa::path(
    get, path = "/gift-suggestions", tag = "inventory",
    operation_id = "suggest_gifts",
    params(WishParameters),
    responses((status = 200, description = "What there is.", body = GiftSuggestions)),
    security(("oauth" = ["inventory:read"])),
)]
async fn suggest_gifts(
    access: Access<may::InventoryRead>,
    Parameters(wanted): Parameters<WishParameters>,
) -> Result<Response, Problem> {
    let reading = access.read().await?;
    let WishParameters { budget_minor, currency, on, margin_minor } = wanted;
    let on = match on {
        Some(on) => on,
        None => reading.now().date_in(reading.zone().await?),
    };
    let shelf = reading.shelf(currency).await?;

    let wish = GiftWish { budget: Money { amount: budget_minor, currency }, on, margin_minor };
    let suggestions = wish.suggestions(&shelf);

    Ok(axum::Json(GiftSuggestions { suggestions }).into_response())
}
