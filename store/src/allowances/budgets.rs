//! Budgets above the customers' accounts. A gesture holds those that it falls under from reading to committing,
//! always in the order of their identifiers.

use super::{allowance_budget, allowance_budget_entry, gesture};
use crate::{Fault, Tenant, table::word};
use domain::{
    allowances::{
        budgets::{AllowanceBudget, AllowanceBudgetEntry, BudgetPosting, Budgets},
        gestures::{Gesture, GestureState},
    },
    ids::{AllowanceBudgetId, DealerId, GestureId, TeamId},
    money::Currency,
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select,
};
use uuid::Uuid;

/// Which budgets are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedBudgets {
    /// Those of one dealer and its teams.
    pub dealer_id: Option<DealerId>,
    /// That of one team.
    pub team_id: Option<TeamId>,
}

/// Budgets.
pub fn budgets(wanted: WantedBudgets) -> Select<allowance_budget::Entity> {
    use allowance_budget::Column as C;
    allowance_budget::Entity::find()
        .apply_if(wanted.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.team_id, |all, id| all.filter(C::TeamId.eq(Uuid::from(id))))
}

/// Lines of a budget.
pub fn entries_of_budget(budget: AllowanceBudgetId) -> Select<allowance_budget_entry::Entity> {
    allowance_budget_entry::Entity::find()
        .filter(allowance_budget_entry::Column::BudgetId.eq(Uuid::from(budget)))
}

/// The budgets that a gesture falls under: its team's, its dealer's, and the brand's.
fn above(
    team: Option<TeamId>,
    dealer: Option<DealerId>,
    currency: Currency,
) -> Select<allowance_budget::Entity> {
    use allowance_budget::Column as C;
    let brands = Condition::all().add(C::DealerId.is_null());
    let mut any = Condition::any().add(brands);
    if let Some(dealer) = dealer {
        let dealers = Condition::all().add(C::DealerId.eq(Uuid::from(dealer)));
        any = any.add(dealers.add(C::TeamId.is_null()));
    }
    if let Some(team) = team {
        any = any.add(C::TeamId.eq(Uuid::from(team)));
    }
    allowance_budget::Entity::find()
        .filter(C::Currency.eq(currency.to_string()))
        .filter(any)
        .order_by_asc(C::Id)
}

impl Tenant {
    /// The budgets that a gesture falls under, locked until this work is done.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn budgets_above(
        &self,
        team: Option<TeamId>,
        dealer: Option<DealerId>,
        currency: Currency,
    ) -> Result<Budgets, Fault> {
        Ok(Budgets::of(self.hold_all(above(team, dealer, currency)).await?))
    }

    /// The budgets in which a gesture is held, locked until this work is done.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn budgets_of(&self, ids: &[AllowanceBudgetId]) -> Result<Budgets, Fault> {
        if ids.is_empty() {
            return Ok(Budgets::default());
        }
        let ids = ids.iter().copied().map(Uuid::from);
        let held = allowance_budget::Entity::find()
            .filter(allowance_budget::Column::Id.is_in(ids))
            .order_by_asc(allowance_budget::Column::Id);
        Ok(Budgets::of(self.hold_all(held).await?))
    }

    /// Records what moved in a budget.
    ///
    /// # Errors
    ///
    /// [`Fault::Taken`] when it was recorded before; [`Fault::Stale`] when the budget was changed since it was
    /// read.
    pub async fn post_budget(&self, posting: BudgetPosting) -> Result<AllowanceBudget, Fault> {
        let budget = self.record(posting.change).await?;
        let entry = AllowanceBudgetEntry {
            id: self.new_id(),
            budget_id: budget.id,
            movement: posting.movement,
            actor: self.actor().to_string(),
            at: self.now(),
        };
        self.add(&entry).await?;
        Ok(budget)
    }

    /// Up to `most` parked gestures behind `after` that fall under `budget` and that it has the money for, the one that
    /// was asked for first before the others.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn parked_under(
        &self,
        budget: &AllowanceBudget,
        after: Option<GestureId>,
        most: u64,
    ) -> Result<Vec<Gesture>, Fault> {
        use gesture::Column as C;
        let select = gesture::Entity::find()
            .filter(C::State.eq(word(&GestureState::Parked)))
            .filter(C::Currency.eq(budget.currency.to_string()))
            .filter(C::EstimateMinor.lte(budget.available_minor.get()))
            .filter(C::Id.gt(after.map_or(Uuid::nil(), Uuid::from)))
            .apply_if(budget.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
            .apply_if(budget.team_id, |all, id| all.filter(C::TeamId.eq(Uuid::from(id))))
            .order_by_asc(C::Id)
            .limit(most);
        self.all(select).await
    }
}
