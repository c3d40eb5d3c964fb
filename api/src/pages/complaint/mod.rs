//! `/c/{token}`: a complaint as its customer sees it, and what they say to it. Looking writes nothing; saying is a
//! button, and leads back to the page.

mod said;
mod shown;

pub(super) use shown::office;

use super::{
    form::Field,
    photos::{self, Taken},
    visit::{Ending, Sheet, Visitor, end, sheet},
};
use crate::access::Api;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    response::Response,
    routing::get,
};
use domain::{
    complaints::{AttachmentFile, Complaint},
    customers::Customer,
    filing::ComplaintLink,
    text::Bilingual,
};
use said::{Said, Unheard};
use shown::{FIRST_LOOK, Followed};
use store::Failure;

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/c/{token}", get(show_complaint).post(hear_customer))
        .layer(DefaultBodyLimit::disable())
}

async fn show_complaint(visitor: Visitor) -> Response {
    end(visitor.locale, visitor.follows().await)
}

async fn hear_customer(visitor: Visitor, request: Request) -> Response {
    let heard = match sheet(request).await {
        Ok(sheet) => visitor.says(sheet).await,
        Err(ending) => Err(ending),
    };
    end(visitor.locale, heard)
}

impl Visitor {
    async fn follows(&self) -> Result<Response, Ending> {
        let (tenant, link) = self.enter::<ComplaintLink>().await?;
        let complaint = tenant.get::<Complaint>(link.complaint_id).await?;
        let followed = Followed::by(&tenant, &link, complaint).await?;
        Ok(followed.page(self.locale, FIRST_LOOK))
    }

    async fn says(&self, Sheet { form, photos }: Sheet) -> Result<Response, Ending> {
        let said = Said::read(&form).ok_or(Ending::NotAForm(StatusCode::BAD_REQUEST))?;
        if photos.is_empty() || !said.takes_photos() {
            return Ok(self.is_heard(&said, &[], None).await?.page);
        }
        if let Some(wrong) = photos::look(&photos) {
            return Ok(self.is_heard(&said, &[], Some(wrong)).await?.page);
        }
        let kept = self.keep::<ComplaintLink>(photos).await?;
        let taken = self.is_heard(&said, &kept.photos, None).await;
        self.settle(kept, taken).await
    }

    /// Hears what was said, with photos that are kept; or shows what is `wrong` with it.
    async fn is_heard(
        &self,
        said: &Said<'_>,
        photos: &[AttachmentFile],
        wrong: Option<(Field, Bilingual)>,
    ) -> Result<Taken, Ending> {
        let (tenant, link) = self.enter_to_write::<ComplaintLink>().await?;
        // Nobody asks the customer anything while they speak.
        tenant.hold::<Customer>(link.customer_id).await?;
        let complaint = tenant.hold::<Complaint>(link.complaint_id).await?;
        let followed = Followed::by(&tenant, &link, complaint).await?;
        let heard = match wrong {
            Some(wrong) => Err(Unheard::Mistake(wrong)),
            None => said.hear(&tenant, &followed, photos).await,
        };
        let shown = match heard {
            Ok(unnamed) => {
                tenant.commit(()).await?;
                return Ok(Taken { page: self.to_page(&format!("/c/{}", self.token))?, unnamed });
            }
            Err(Unheard::Mistake(mistake)) => said.mistaken(mistake),
            Err(Unheard::TooLate) => said.too_late(),
            Err(Unheard::Failure(Failure::Refused(refusal))) => said.refused(&refusal),
            Err(Unheard::Failure(failure)) => return Err(failure.into()),
        };
        Ok(Taken { page: followed.page(self.locale, shown), unnamed: photos.to_vec() })
    }
}
