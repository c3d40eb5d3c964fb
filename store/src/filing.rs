//! Tables `filing_link`, `filing` and `complaint_link`: how customers file complaints, and how they follow them.

use crate::{Failure, Fault, Missing, Tenant, complaints::open_states, table};
use domain::{
    catalogue::Asset,
    complaints::Complaint,
    filing::{ComplaintLink, Filing, FilingLink, FilingLinkDetails},
    ids::{AssetId, ComplaintId, CustomerId, DealerId, FilingLinkId, WorkOrderId},
    maintenance::work_orders::WorkOrder,
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, Select};
use uuid::Uuid;

table! {
    /// Links by which customers file complaints.
    filing_link = "filing_link" of FilingLink {
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        asset_id: Option<AssetId>,
        work_order_id: Option<WorkOrderId>,
        expires_at: Timestamp,
        created_at: Timestamp,
    } append_only
}

table! {
    /// Forms that were sent.
    filing = "filing" of Filing {
        filing_link_id: FilingLinkId,
        form: String,
        complaint_id: ComplaintId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        created_at: Timestamp,
    } append_only
}

table! {
    /// Links to complaints.
    complaint_link = "complaint_link" of ComplaintLink {
        complaint_id: ComplaintId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        ended_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

/// What was filed with a form of a link.
pub fn filed(link: FilingLinkId, form: &str) -> Select<filing::Entity> {
    filing::Entity::find()
        .filter(filing::Column::FilingLinkId.eq(Uuid::from(link)))
        .filter(filing::Column::Form.eq(form))
}

/// The link to a complaint that counts.
fn link_of(complaint: ComplaintId) -> Select<complaint_link::Entity> {
    complaint_link::Entity::find()
        .filter(complaint_link::Column::ComplaintId.eq(Uuid::from(complaint)))
        .filter(complaint_link::Column::EndedAt.is_null())
}

impl Tenant {
    /// Whose the things are that a link to file complaints names, by the field that names them.
    ///
    /// # Errors
    ///
    /// [`Fault::Dangling`] when this caller has no such asset or visit.
    pub async fn owners_of(
        &self,
        details: &FilingLinkDetails,
    ) -> Result<Vec<(&'static str, CustomerId)>, Fault> {
        let mut owners = Vec::new();
        if let Some(id) = details.asset_id {
            let asset = self.get::<Asset>(id).await.map_err(|none| dangling("asset_id", none))?;
            owners.push(("asset_id", asset.details.customer_id));
        }
        if let Some(id) = details.work_order_id {
            let visit = self.get::<WorkOrder>(id).await;
            let visit = visit.map_err(|none| dangling("work_order_id", none))?;
            owners.push(("work_order_id", visit.details.customer_id));
        }
        Ok(owners)
    }

    /// How many of the complaints that were filed by a link are open. The customer must be held, so that
    /// nobody files another one meanwhile.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn open_filed(&self, link: FilingLinkId) -> Result<u32, Fault> {
        let sql = "SELECT count(*) AS open FROM filing f
                   JOIN complaint c ON c.tenant_id = f.tenant_id AND c.id = f.complaint_id
                   WHERE f.tenant_id = ac.tenant() AND f.filing_link_id = $1 AND c.state = ANY ($2)";
        let values = [Uuid::from(link).into(), open_states().into()];
        let row = self.work().query_one_raw(self.statement(sql, values)).await?;
        let open: i64 = row.map_or(Ok(0), |row| row.try_get("", "open"))?;
        Ok(u32::try_from(open).unwrap_or(u32::MAX))
    }

    /// A token of the link to a complaint, which is made when there is none. The complaint must be held, so that nobody
    /// makes another one meanwhile.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or there is no randomness.
    pub async fn link_to(&self, complaint: &Complaint) -> Result<String, Failure> {
        let link = match self.find::<ComplaintLink>(link_of(complaint.id)).await? {
            Some(link) => link,
            None => self.begin_link(complaint).await?,
        };
        Ok(self.make_link(&link).await?)
    }

    /// Ends the link to a complaint, which must be held, with all its tokens, and makes a new one; answers its token.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or there is no randomness.
    pub async fn renew_link(&self, complaint: &Complaint) -> Result<String, Failure> {
        if let Some(link) = self.find::<ComplaintLink>(link_of(complaint.id)).await? {
            self.record(link.end(self.now())).await?;
        }
        let link = self.begin_link(complaint).await?;
        Ok(self.make_link(&link).await?)
    }

    async fn begin_link(&self, complaint: &Complaint) -> Result<ComplaintLink, Fault> {
        self.record(ComplaintLink::make(self.new_id(), complaint, self.now())).await
    }
}

fn dangling(column: &str, none: Missing) -> Fault {
    match none {
        Missing::NotFound => Fault::Dangling { constraint: format!("filing_link__{column}") },
        Missing::Fault(fault) => fault,
    }
}
