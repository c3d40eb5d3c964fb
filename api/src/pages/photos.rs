//! Photos that come with a form: looked at and written while nothing is open, and taken away when nothing names them.

use super::{
    complaint_words::{NOT_A_PHOTO, PHOTO_TOO_LARGE, TOO_MANY_FILES, TOO_MANY_PHOTOS_SENT},
    form::Field,
    visit::{Ending, Visitor},
};
use axum::response::Response;
use domain::{
    complaints::{
        ATTACHMENT_TOO_LARGE, AttachmentFile, AttachmentType, ComplaintAttachment,
        TOO_MANY_ATTACHMENTS, TOO_MANY_PHOTOS,
    },
    ids::TenantId,
    refusal::Refusal,
    text::Bilingual,
};
use store::pages::Linked;

/// Photos that are written down, and named by nothing yet.
pub(super) struct Kept {
    tenant: TenantId,
    pub(super) photos: Vec<AttachmentFile>,
}

/// The answer to a form with photos.
pub(super) struct Taken {
    /// The page that is answered.
    pub(super) page: Response,
    /// Photos that nothing names.
    pub(super) unnamed: Vec<AttachmentFile>,
}

/// What is wrong with photos, if anything is.
pub(super) fn look(photos: &[Vec<u8>]) -> Option<(Field, Bilingual)> {
    let looked_at: Vec<_> = photos.iter().map(Vec::as_slice).collect();
    AttachmentType::recognise_photos(&looked_at).err().map(|refusal| wrong(&refusal))
}

/// What somebody is told whose photos are refused.
fn wrong(refusal: &Refusal) -> (Field, Bilingual) {
    (Field::Photos, about_complaint(refusal).unwrap_or(NOT_A_PHOTO))
}

/// What somebody is told whose photos are too many or too large; nothing when another rule refuses.
pub(super) fn about_complaint(refusal: &Refusal) -> Option<Bilingual> {
    let told = [
        (&TOO_MANY_PHOTOS, TOO_MANY_PHOTOS_SENT),
        (&TOO_MANY_ATTACHMENTS, TOO_MANY_FILES),
        (&ATTACHMENT_TOO_LARGE, PHOTO_TOO_LARGE),
    ];
    told.into_iter().find(|(rule, _)| refusal.rule == *rule).map(|(_, says)| says)
}

/// Photos that are attached already, and those that are not: a form may come twice.
pub(super) fn part(
    photos: &[AttachmentFile],
    attached: &[ComplaintAttachment],
) -> (Vec<AttachmentFile>, Vec<AttachmentFile>) {
    let is_attached =
        |photo: &AttachmentFile| attached.iter().any(|one| one.sha256 == photo.sha256);
    photos.iter().cloned().partition(is_attached)
}

impl Visitor {
    /// Writes photos down for whoever carries a link, before anything names them and while no transaction is open.
    pub(super) async fn keep<R: Linked>(&self, photos: Vec<Vec<u8>>) -> Result<Kept, Ending> {
        let (doorway, _) = self.enter::<R>().await?;
        let tenant = doorway.id();
        doorway.undo().await?;
        let photos = self.api.store().keep_photos(tenant, photos).await?;
        Ok(Kept { tenant, photos })
    }

    /// Takes away what nothing names. Where a commit may have gone through after all, the night looks.
    pub(super) async fn settle(
        &self,
        kept: Kept,
        taken: Result<Taken, Ending>,
    ) -> Result<Response, Ending> {
        let unnamed = match &taken {
            Ok(taken) => taken.unnamed.as_slice(),
            Err(Ending::Problem(problem)) if !problem.status().is_client_error() => &[],
            Err(_) => kept.photos.as_slice(),
        };
        self.api.store().forget_photos(kept.tenant, unnamed).await;
        taken.map(|taken| taken.page)
    }
}
