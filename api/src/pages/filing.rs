//! `/c/new/{token}`: where a customer files a complaint. Looking writes nothing; a form files one complaint, however
//! often it is sent, and leads to its page.

use super::{
    complaint::office,
    complaint_words::{
        ASSET_NOT_OFFERED, CHOOSE_A_KIND, FILING, FilingWords, KINDS, NOT_POSSIBLE,
        SAY_WHAT_HAPPENED, SENT_BEFORE, TOO_MANY_OPEN, WISH_UNREADABLE,
    },
    form::{Field, Form, MistakeShown, OptionShown, prose},
    photos::{self, Taken},
    show,
    visit::{Ending, Sheet, Visitor, end, sheet},
};
use crate::{access::Api, complaints, problem::Problem};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    response::Response,
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    catalogue::{Asset, Product},
    complaints::{AttachmentFile, Complaint, ComplaintAttachment, ComplaintKind, SOMEBODY_ELSES},
    customers::Customer,
    filing::{FiledForm, Filing, FilingLink, TOO_MANY_OPEN_FILED},
    ids::ProductId,
    text::{Bilingual, Line, Locale, Name},
};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{
    Failure, Tenant,
    catalogue::{assets_by_id, in_use, products_by_id},
    complaint_attachments::attachments_of,
    filing::filed,
};

/// Random bytes that tell a form from others: as many as in a token, so that no two are alike.
const FORM_BYTES: usize = 16;
/// The characters of them.
const FORM_CHARS: usize = 22;

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/c/new/{token}", get(show_form).post(file_complaint))
        .layer(DefaultBodyLimit::disable())
}

/// The page on which a complaint is filed.
#[derive(Debug, Serialize)]
struct FilingPage<'a> {
    words: FilingWords,
    brand: &'a str,
    office: Option<String>,
    form: &'a str,
    kinds: Vec<OptionShown<'static>>,
    about: Option<&'a str>,
    assets: Vec<OptionShown<'a>>,
    description: &'a str,
    wish: &'a str,
    photos_again: bool,
    mistake: Option<MistakeShown>,
}

/// Something wrong with the form, beside its field.
type Mistaken = (Field, Bilingual);

/// How the page is shown: for the first time, or once more and why.
struct Again<'a> {
    status: StatusCode,
    /// What tells the form from others.
    form: &'a str,
    mistake: Option<Mistaken>,
    /// Whether photos came with it, which have to be chosen again.
    had_photos: bool,
}

/// A form that came, as far as it could be read, and the photos that came with it and are kept.
struct Sent<'a> {
    form: &'a Form,
    said: Option<FiledForm>,
    photos: &'a [AttachmentFile],
    had_photos: bool,
}

/// A link with what is offered behind it.
struct Offer {
    tenant: Tenant,
    link: FilingLink,
    brand: Name,
    /// The customer's things, by their identifiers; the one that the link is about, where it is about one.
    things: BTreeMap<String, String>,
}

async fn show_form(visitor: Visitor) -> Response {
    end(visitor.locale, visitor.is_asked().await)
}

async fn file_complaint(visitor: Visitor, request: Request) -> Response {
    let filed = match sheet(request).await {
        Ok(sheet) => visitor.files(sheet).await,
        Err(ending) => Err(ending),
    };
    end(visitor.locale, filed)
}

impl Visitor {
    async fn is_asked(&self) -> Result<Response, Ending> {
        let (tenant, link) = self.enter::<FilingLink>().await?;
        let offer = Offer::of(tenant, link).await?;
        let fresh = offer.new_form()?;
        let first =
            Again { status: StatusCode::OK, form: &fresh, mistake: None, had_photos: false };
        offer.page(self.locale, &Form::new(), first).await
    }

    async fn files(&self, Sheet { form, photos }: Sheet) -> Result<Response, Ending> {
        let nonce = form.get("form").filter(|nonce| is_form(nonce));
        nonce.ok_or(Ending::NotAForm(StatusCode::BAD_REQUEST))?;
        if photos.is_empty() {
            return Ok(self.takes(&form, &[], None).await?.page);
        }
        if let Some(wrong) = photos::look(&photos) {
            return Ok(self.takes(&form, &[], Some(wrong)).await?.page);
        }
        let kept = self.keep::<FilingLink>(photos).await?;
        let taken = self.takes(&form, &kept.photos, None).await;
        self.settle(kept, taken).await
    }

    /// Takes a form with photos that are kept; or shows what is `wrong` with them.
    async fn takes(
        &self,
        form: &Form,
        photos: &[AttachmentFile],
        wrong: Option<Mistaken>,
    ) -> Result<Taken, Ending> {
        let nonce = form.get("form").map_or("", String::as_str);
        let (tenant, link) = self.enter_to_write::<FilingLink>().await?;
        // Whoever sends the same form at the same time waits here, and finds what was filed.
        tenant.hold::<Customer>(link.customer_id).await?;
        let offer = Offer::of(tenant, link).await?;
        let read = offer.read(form).and_then(|said| wrong.map_or(Ok(said), Err));
        let filing = offer.tenant.find::<Filing>(filed(offer.link.id, nonce)).await?;
        let unnamed = photos.to_vec();
        let had_photos = wrong.is_some() || !photos.is_empty();
        match (filing, read) {
            (Some(filing), read) => {
                let sent = Sent { form, said: read.ok(), photos, had_photos };
                self.was_filed(offer, filing, sent).await
            }
            (None, Ok(said)) => self.is_filed(offer, form, said, photos).await,
            (None, Err(mistake)) => {
                let (status, mistake) = (StatusCode::UNPROCESSABLE_ENTITY, Some(mistake));
                let again = Again { status, form: nonce, mistake, had_photos };
                Ok(Taken { page: offer.page(self.locale, form, again).await?, unnamed })
            }
        }
    }

    async fn is_filed(
        &self,
        offer: Offer,
        form: &Form,
        said: FiledForm,
        photos: &[AttachmentFile],
    ) -> Result<Taken, Ending> {
        let nonce = form.get("form").map_or("", String::as_str);
        let open = offer.tenant.open_filed(offer.link.id).await?;
        let details = match offer.link.file(said, open) {
            Ok(details) => details,
            Err(refusal) if refusal.rule == &TOO_MANY_OPEN_FILED => {
                let (status, mistake) = (StatusCode::CONFLICT, Some((Field::Form, TOO_MANY_OPEN)));
                let again = Again { status, form: nonce, mistake, had_photos: !photos.is_empty() };
                let page = offer.page(self.locale, form, again).await?;
                return Ok(Taken { page, unnamed: photos.to_vec() });
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let Offer { tenant, link, brand, .. } = offer;
        let complaint = complaints::open(&tenant, details).await;
        let complaint = complaint.map_err(|problem| not_theirs(problem, brand))?;
        tenant.add(&Filing::note(tenant.new_id(), &link, nonce, &complaint)).await?;
        tenant.attach_photos(&complaint, photos.to_vec()).await?;
        Ok(Taken { page: self.leads_to(tenant, complaint).await?, unnamed: Vec::new() })
    }

    /// The form was sent before: the same leads to the same complaint, with the photos that are new, and what is new is
    /// not lost.
    async fn was_filed(
        &self,
        offer: Offer,
        filing: Filing,
        Sent { form, said, photos, had_photos }: Sent<'_>,
    ) -> Result<Taken, Ending> {
        let complaint = offer.tenant.hold::<Complaint>(filing.complaint_id).await?;
        let is_same = said.is_some_and(|said| said.description == complaint.details.description);
        let mut mistake = (Field::Form, SENT_BEFORE);
        let mut next = offer.new_form()?;
        if is_same {
            match attach_new(&offer.tenant, &complaint, photos).await {
                Ok(unnamed) => {
                    let page = self.leads_to(offer.tenant, complaint).await?;
                    return Ok(Taken { page, unnamed });
                }
                Err(Failure::Refused(refusal)) => {
                    if let Some(says) = photos::about_complaint(&refusal) {
                        mistake = (Field::Photos, says);
                        next = form.get("form").cloned().unwrap_or(next);
                    }
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let (status, mistake) = (StatusCode::CONFLICT, Some(mistake));
        let again = Again { status, form: &next, mistake, had_photos };
        let page = offer.page(self.locale, form, again).await?;
        Ok(Taken { page, unnamed: photos.to_vec() })
    }

    async fn leads_to(&self, tenant: Tenant, complaint: Complaint) -> Result<Response, Ending> {
        let token = tenant.link_to(&complaint).await?;
        tenant.commit(()).await?;
        self.to_page(&format!("/c/{token}"))
    }
}

/// Attaches those photos to a complaint, which is held, that it has not; answers the others.
async fn attach_new(
    tenant: &Tenant,
    complaint: &Complaint,
    photos: &[AttachmentFile],
) -> Result<Vec<AttachmentFile>, Failure> {
    let attached = tenant.all::<ComplaintAttachment>(attachments_of(complaint.id)).await?;
    let (again, new) = photos::part(photos, &attached);
    tenant.attach_photos(complaint, new).await?;
    Ok(again)
}

fn is_form(nonce: &str) -> bool {
    nonce.len() == FORM_CHARS
        && nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// What a link is about may belong to somebody else by now.
fn not_theirs(problem: Problem, brand: Name) -> Ending {
    if problem.code() == SOMEBODY_ELSES.code {
        return Ending::Word(StatusCode::CONFLICT, NOT_POSSIBLE, brand);
    }
    problem.into()
}

impl Offer {
    async fn of(tenant: Tenant, link: FilingLink) -> Result<Self, Ending> {
        if !link.is_open(tenant.now()) {
            return Err(Ending::Unknown);
        }
        let brand = tenant.correspondent(link.customer_id).await?.brand;
        let assets = match link.asset_id {
            Some(asset) => tenant.all::<Asset>(assets_by_id([asset])).await?,
            None => tenant.all::<Asset>(in_use(link.customer_id)).await?,
        };
        let products = assets.iter().map(|asset| asset.details.product_id);
        let products = tenant.all::<Product>(products_by_id(products)).await?;
        let names: BTreeMap<ProductId, Name> =
            products.into_iter().map(|product| (product.id, product.details.name)).collect();
        let thing = |asset: &Asset| {
            let name = names.get(&asset.details.product_id).map_or("", |name| name);
            let serial = asset.details.serial.as_deref();
            (
                asset.id.to_string(),
                serial.map_or(name.to_owned(), |serial| format!("{name} · {serial}")),
            )
        };
        let things = assets.iter().map(thing).collect();
        Ok(Self { tenant, link, brand, things })
    }

    fn new_form(&self) -> Result<String, Ending> {
        Ok(URL_SAFE_NO_PAD.encode(self.tenant.random::<FORM_BYTES>()?))
    }

    /// Reads the form, or says what is wrong with it.
    fn read(&self, form: &Form) -> Result<FiledForm, Mistaken> {
        let said = |name: &str| form.get(name).map_or("", String::as_str);
        let kind = KINDS.iter().map(|(kind, _)| *kind).find(|kind| code(*kind) == said("kind"));
        let kind = kind.ok_or((Field::Kind, CHOOSE_A_KIND))?;
        let description = prose(said("description")).map_err(|says| (Field::Description, says))?;
        let description = description.ok_or((Field::Description, SAY_WHAT_HAPPENED))?;
        let wish = Some(said("wish").trim()).filter(|wish| !wish.is_empty()).map(Line::new);
        let wish = wish.transpose().map_err(|_| (Field::Wish, WISH_UNREADABLE))?;
        let chosen = Some(said("asset")).filter(|asset| !asset.is_empty());
        if chosen.is_some_and(|asset| !self.things.contains_key(asset)) {
            return Err((Field::Asset, ASSET_NOT_OFFERED));
        }
        let asset_id = chosen.map(str::parse).transpose();
        let asset_id = asset_id.map_err(|_| (Field::Asset, ASSET_NOT_OFFERED))?;
        Ok(FiledForm { kind, description, remedy_sought: wish, asset_id })
    }

    async fn page(
        &self,
        locale: Locale,
        form: &Form,
        again: Again<'_>,
    ) -> Result<Response, Ending> {
        let said = |name: &str| form.get(name).map_or("", String::as_str);
        let kinds = KINDS.iter().map(|(kind, says)| {
            let value = code(*kind);
            let chosen = value == said("kind");
            OptionShown { value, text: says.get(locale), chosen }
        });
        let words = FILING.get(locale);
        let is_fixed = self.link.asset_id.is_some();
        let things = self.things.iter().filter(|_| !is_fixed).map(|(id, text)| OptionShown {
            value: id.clone(),
            text,
            chosen: said("asset") == id,
        });
        let page = FilingPage {
            brand: &self.brand,
            office: self.office(locale).await?,
            form: again.form,
            kinds: kinds.collect(),
            about: self.things.values().next().filter(|_| is_fixed).map(String::as_str),
            assets: things.collect(),
            description: said("description"),
            wish: said("wish"),
            photos_again: again.had_photos,
            mistake: again.mistake.map(|(field, says)| MistakeShown::new(field, says, locale)),
            words,
        };
        Ok(show(again.status, locale, "filing.html", &page))
    }

    /// Whether somebody is there who will answer, as far as is known before it is filed.
    async fn office(&self, locale: Locale) -> Result<Option<String>, Ending> {
        let Some(dealer) = self.link.dealer_id else { return Ok(None) };
        let calendar = self.tenant.calendar_of(Some(dealer)).await?;
        let tz = self.tenant.zone_of(Some(dealer)).await?;
        let now = self.tenant.now();
        Ok(calendar.next_stretch(now).map(|stretch| office(stretch, now, tz, locale)))
    }
}

/// What a kind is called in forms.
fn code(kind: ComplaintKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|kind| kind.as_str().map(str::to_owned))
        .unwrap_or_default()
}
