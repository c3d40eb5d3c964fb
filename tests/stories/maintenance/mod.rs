//! A purifier is delivered, its plan makes dates of that, the dates become visits, and nobody is
//! booked twice.

mod calendar;
mod expand;
mod given_back;
mod plans;
mod races;
mod visits;

use crate::{
    house::{Client, House},
    trade::Trade,
};
use domain::{
    identity::Role,
    ids::{DealerId, StaffId, TenantId},
};
use serde_json::{Value, json};
use std::ops::Deref;

/// A house in which a brand goes about its trade.
pub(super) struct Service {
    pub(super) house: House,
    tenant: TenantId,
    trade: Trade,
}

impl Service {
    /// Opens the house and enters everybody.
    pub(super) async fn opens() -> Self {
        let house = House::opens().await;
        let tenant = house.brand("clearwater").await.live;
        let trade = Trade::begins(house.brand_key(tenant)).await;
        Self { house, tenant, trade }
    }

    /// Whose house it is.
    pub(super) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Hires somebody who visits customers.
    pub(super) async fn hires_technician(&self) -> String {
        self.hires("technician").await
    }

    /// Calls as somebody of the dealer's staff.
    pub(super) fn person(&self, role: Role, staff: &str) -> Client {
        let staff: StaffId = staff.parse().unwrap();
        let dealer: DealerId = self.dealer.parse().unwrap();
        self.house.person(self.tenant, role, staff, Some(dealer))
    }
}

impl Deref for Service {
    type Target = Trade;

    fn deref(&self) -> &Trade {
        &self.trade
    }
}

/// Every two months, a week either way, arranged a week before.
pub(crate) fn filter() -> Value {
    json!({
        "code": "filter", "title": "Change the filters",
        "trigger": {"kind": "every_months", "months": 2},
    })
}

/// Members of each record, for comparing.
pub(crate) fn told(records: &[Value], members: &[&str]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let tell = |record: &Value| {
        members.iter().map(|member| text(&record[*member])).collect::<Vec<_>>().join(" ")
    };
    records.iter().map(tell).collect()
}
