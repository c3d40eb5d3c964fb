//! Table `rma`: goods that come back, and what is done for it.

use crate::{Failure, Tenant, documents, listed, table, table::word, words};
use domain::{
    complaints::{Remedy, RemedyKind},
    ids::{ComplaintId, CustomerId, DealerId, RemedyId, RmaId},
    returns::{Rma, RmaLine, RmaMode, RmaState},
    text::Line,
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, Select};
use uuid::Uuid;

words!(RmaMode, RmaState);
documents!(Vec<RmaLine>);

table! {
    /// Returns.
    rma = "rma" of Rma {
        complaint_id: ComplaintId,
        remedy_id: RemedyId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        remedy_kind: RemedyKind,
        mandatory: bool,
        mode: RmaMode,
        replacement_item: Option<Line>,
        lines: Vec<RmaLine>,
        state: RmaState,
        authorised_at: Option<Timestamp>,
        authorised_by: Option<String>,
        return_due_at: Option<Timestamp>,
        replacement_sent_at: Option<Timestamp>,
        received_at: Option<Timestamp>,
        inspected_at: Option<Timestamp>,
        inspected_by: Option<String>,
        rejected_by: Option<String>,
        rejection_reason: Option<Line>,
        settled_at: Option<Timestamp>,
        closed_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

listed! {
    Rma = rma [CreatedAt;] usually newest;
}

/// Which returns are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct RmasWanted {
    /// Those that stand here.
    pub state: Option<RmaState>,
    /// Those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Those this dealer's people carry out.
    pub dealer_id: Option<DealerId>,
    /// Those of this complaint.
    pub complaint_id: Option<ComplaintId>,
    /// Those of this remedy.
    pub remedy_id: Option<RemedyId>,
}

/// Returns as `wanted`.
pub fn rmas(wanted: RmasWanted) -> Select<rma::Entity> {
    use rma::Column as Is;
    rma::Entity::find()
        .apply_if(wanted.state, |all, state| all.filter(Is::State.eq(word(&state))))
        .apply_if(wanted.customer_id, |all, id| all.filter(Is::CustomerId.eq(Uuid::from(id))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.complaint_id, |all, id| all.filter(Is::ComplaintId.eq(Uuid::from(id))))
        .apply_if(wanted.remedy_id, |all, id| all.filter(Is::RemedyId.eq(Uuid::from(id))))
}

/// The return of a remedy that is not over.
pub fn open_of(remedy: RemedyId) -> Select<rma::Entity> {
    rmas(RmasWanted { remedy_id: Some(remedy), ..RmasWanted::default() })
        .filter(rma::Column::State.is_in(RmaState::OPEN.map(|state| word(&state))))
}

/// The returns of a remedy that were rejected.
pub fn rejected_of(remedy: RemedyId) -> Select<rma::Entity> {
    rmas(RmasWanted {
        remedy_id: Some(remedy),
        state: Some(RmaState::Rejected),
        ..RmasWanted::default()
    })
}

impl Tenant {
    /// Finds the remedy of a return in order to change it; it is held before the return, as everybody does.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when this caller has no such return.
    pub async fn hold_remedy_of(&self, id: RmaId) -> Result<Remedy, Failure> {
        let rma: Rma = self.get(id).await?;
        Ok(self.hold(rma.remedy_id).await?)
    }
}
