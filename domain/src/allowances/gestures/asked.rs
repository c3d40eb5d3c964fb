//! Asking: in whose name, for whom, and whether they belong together.

use super::{
    ASKS_FOR_ANOTHER, GestureRequest, Given, NamedItems, OTHER_CUSTOMERS_COMPLAINT,
    OTHER_DEALERS_CUSTOMER, REQUESTER_LEFT, REQUESTER_NOT_NAMED,
};
use crate::{
    identity::{Actor, Role, Staff, StaffStatus},
    ids::{CustomerId, DealerId, GestureId, StaffId, TeamId},
    money::Minor,
    refusal::Refusal,
};

/// What is known when a gesture is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The identifier it gets.
    pub id: GestureId,
    /// What is asked for.
    pub request: GestureRequest,
    /// In whose name.
    pub requester: Requester,
    /// Who asks: the person themselves, or a program in their name.
    pub by: Actor,
    /// The dealer who looks after the customer.
    pub customer_dealer_id: Option<DealerId>,
    /// Whose complaint it is to help with.
    pub complaint_customer_id: Option<CustomerId>,
    /// What it names of the inventory.
    pub items: NamedItems,
}

/// Who asks for a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester {
    /// Which person.
    pub id: StaffId,
    /// In which role.
    pub role: Role,
    /// For whom they work; `None` for the brand.
    pub dealer_id: Option<DealerId>,
    /// Their team.
    pub team_id: Option<TeamId>,
}

impl Requester {
    /// Who asks, when `staff` does.
    ///
    /// # Errors
    ///
    /// `requester_left` when they do not work here any more.
    pub fn of(staff: &Staff) -> Result<Self, Refusal> {
        match staff.status {
            StaffStatus::Active => Ok(Self {
                id: staff.id,
                role: staff.details.role,
                dealer_id: staff.details.dealer_id,
                team_id: staff.details.team_id,
            }),
            StaffStatus::Left => Err(Refusal::new(&REQUESTER_LEFT)
                .with("requester_id", staff.id)
                .at("/requester_id")),
        }
    }
}

/// In whose name `actor` asks for a gesture.
///
/// # Errors
///
/// `requester_not_named` when a program names nobody; `asks_for_another` when a person names somebody
/// else.
pub fn requester(actor: Actor, named: Option<StaffId>) -> Result<StaffId, Refusal> {
    match (actor.staff(), named) {
        (Some(caller), Some(other)) if caller != other => Err(Refusal::new(&ASKS_FOR_ANOTHER)
            .with("caller_id", caller)
            .with("requester_id", other)
            .at("/requester_id")),
        (Some(caller), _) => Ok(caller),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(Refusal::new(&REQUESTER_NOT_NAMED).at("/requester_id")),
    }
}

impl Asked {
    /// Whose people see it: the dealer who looks after the customer, or else the requester's.
    pub fn dealer_id(&self) -> Option<DealerId> {
        self.customer_dealer_id.or(self.requester.dealer_id)
    }

    /// What it would give.
    pub fn given(&self) -> Given {
        self.items.given(self.request.kind)
    }

    /// Whether requester, customer and complaint belong together, and what it names can be given to a customer whose
    /// purchases have earned `margin`.
    pub(super) fn check(&self, margin: Minor) -> Result<(), Refusal> {
        if let (Some(customers), Some(requesters)) =
            (self.customer_dealer_id, self.requester.dealer_id)
            && customers != requesters
        {
            return Err(Refusal::new(&OTHER_DEALERS_CUSTOMER)
                .with("customer_dealer_id", customers)
                .with("requester_dealer_id", requesters)
                .at("/customer_id"));
        }
        if self.complaint_customer_id.is_some_and(|customer| customer != self.request.customer_id) {
            return Err(Refusal::new(&OTHER_CUSTOMERS_COMPLAINT)
                .with("complaint_id", self.request.complaint_id)
                .with("customer_id", self.request.customer_id)
                .at("/complaint_id"));
        }
        self.items.check(&self.request, margin)
    }
}
