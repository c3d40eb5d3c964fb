//! Table `complaint_attachment`: photos and documents that belong to complaints.

use crate::{Failure, Fault, Store, Tenant, files::sha256, listed, table, words};
use domain::{
    complaints::{
        AttachmentFile, AttachmentType, Complaint, ComplaintAttachment, MOST_ATTACHMENTS,
    },
    ids::{ComplaintAttachmentId, ComplaintId, ComplaintMessageId, CustomerId, DealerId, TenantId},
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};
use uuid::Uuid;

words!(AttachmentType);

table! {
    /// Attachments of complaints.
    complaint_attachment = "complaint_attachment" of ComplaintAttachment {
        complaint_id: ComplaintId,
        message_id: Option<ComplaintMessageId>,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        content_type: AttachmentType,
        size_bytes: u32,
        sha256: String,
        attached_by: String,
        created_at: Timestamp,
    } append_only
}

listed! {
    ComplaintAttachment = complaint_attachment [CreatedAt;] usually oldest;
}

/// What is attached to a complaint.
pub fn attachments_of(complaint: ComplaintId) -> Select<complaint_attachment::Entity> {
    use complaint_attachment::Column as Is;
    complaint_attachment::Entity::find().filter(Is::ComplaintId.eq(Uuid::from(complaint)))
}

impl Store {
    /// Looks at the photos that a customer sends with the complaint they file and writes them down, at most five,
    /// before there is a complaint to attach them to ([`Tenant::attach_photos`]) and while no transaction is open.
    /// What is not attached after all is taken away by [`Store::forget_photos`], or in one of the next nights.
    ///
    /// # Errors
    ///
    /// Those of [`AttachmentType::recognise_photos`]; [`Fault::Files`] when one cannot be written.
    pub async fn keep_photos(
        &self,
        tenant: TenantId,
        photos: Vec<Vec<u8>>,
    ) -> Result<Vec<AttachmentFile>, Failure> {
        let looked_at: Vec<_> = photos.iter().map(Vec::as_slice).collect();
        let types = AttachmentType::recognise_photos(&looked_at)?;
        let mut kept = Vec::new();
        for (content_type, bytes) in types.into_iter().zip(photos) {
            let id: ComplaintAttachmentId = self.chance().id();
            let size_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let file = AttachmentFile { id, content_type, size_bytes, sha256: sha256(&bytes) };
            self.files().keep(tenant, id.into(), bytes).await?;
            kept.push(file);
        }
        Ok(kept)
    }

    /// Takes photos away that were not attached after all.
    pub async fn forget_photos(&self, tenant: TenantId, photos: &[AttachmentFile]) {
        for photo in photos {
            if let Err(fault) = self.files().forget(tenant, photo.id.into()).await {
                tracing::warn!(error = fault.plainly(), "a file that nothing names was left");
            }
        }
    }
}

impl Tenant {
    /// Attaches photos that were kept ([`Store::keep_photos`]) to a complaint that is being filed, or is held. Who
    /// attaches them is who this transaction acts for.
    ///
    /// # Errors
    ///
    /// Those of [`Complaint::attach`]; [`Failure`] when the database fails.
    pub async fn attach_photos(
        &self,
        complaint: &Complaint,
        photos: Vec<AttachmentFile>,
    ) -> Result<Vec<ComplaintAttachment>, Failure> {
        let mut attached = Vec::new();
        for photo in photos {
            let count = self.count_attachments(complaint.id).await?;
            let change = complaint.attach(count, photo, None, (self.actor(), self.now()))?;
            attached.push(self.record(change).await?);
        }
        Ok(attached)
    }

    /// How many files are attached to a complaint; no more than there can be are counted.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn count_attachments(&self, complaint: ComplaintId) -> Result<u32, Fault> {
        let most = u64::from(MOST_ATTACHMENTS);
        let counted = self.count::<ComplaintAttachment>(attachments_of(complaint), most).await?;
        Ok(u32::try_from(counted).unwrap_or(u32::MAX))
    }

    /// A file of `complaint`.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when the complaint has no such file.
    pub async fn attachment_of(
        &self,
        complaint: ComplaintId,
        id: ComplaintAttachmentId,
    ) -> Result<ComplaintAttachment, Failure> {
        let attachment = self.get::<ComplaintAttachment>(id).await?;
        if attachment.complaint_id == complaint { Ok(attachment) } else { Err(Failure::NotFound) }
    }
}
