//! `/c/new/{token}`: where a customer files a complaint. Looking writes nothing; a form files one complaint, however
//! often it is sent, and leads to its page.

use super::{
    complaint::office,
    complaint_words::{
        ASSET_NOT_OFFERED, CHOOSE_A_KIND, FILING, FilingWords, KINDS, NOT_POSSIBLE,
        SAY_WHAT_HAPPENED, SENT_BEFORE, TOO_MANY_OPEN, WISH_UNREADABLE,
    },
    form::{Field, Form, MistakeShown, OptionShown, prose},
    show,
    visit::{Ending, Visitor, end, form},
};
use crate::{access::Api, complaints, problem::Problem};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    catalogue::{Asset, Product},
    complaints::{Complaint, SOMEBODY_ELSES},
    customers::Customer,
    filing::{FiledForm, Filing, FilingLink, TOO_MANY_OPEN_FILED},
    ids::ProductId,
    refusal::Refusal,
    text::{Bilingual, Line, Locale, Name},
};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{
    Tenant,
    catalogue::{assets_by_id, in_use, products_by_id},
    filing::filed,
};

/// Random bytes that tell a form from others: as many as in a token, so that no two are alike.
const FORM_BYTES: usize = 16;
/// The characters of them.
const FORM_CHARS: usize = 22;

/// The routes of this file.
pub(super) fn router() -> Router<Api> {
    Router::new().route("/c/new/{token}", get(show_form).post(file_complaint))
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
    mistake: Option<MistakeShown>,
}

/// Something wrong with the form, beside its field.
type Mistaken = (Field, Bilingual);

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

async fn file_complaint(visitor: Visitor, headers: HeaderMap, body: Bytes) -> Response {
    let filed = match form(&headers, &body) {
        Ok(form) => visitor.files(&form).await,
        Err(ending) => Err(ending),
    };
    end(visitor.locale, filed)
}

impl Visitor {
    async fn is_asked(&self) -> Result<Response, Ending> {
        let (tenant, link) = self.enter::<FilingLink>().await?;
        let offer = Offer::of(tenant, link).await?;
        let fresh = offer.new_form()?;
        offer.page(self.locale, (StatusCode::OK, &fresh), &Form::new(), None).await
    }

    async fn files(&self, form: &Form) -> Result<Response, Ending> {
        let nonce = form.get("form").filter(|nonce| is_form(nonce));
        let nonce = nonce.ok_or(Ending::NotAForm(StatusCode::BAD_REQUEST))?;
        let (tenant, link) = self.enter_to_write::<FilingLink>().await?;
        // Whoever sends the same form at the same time waits here, and finds what was filed.
        tenant.hold::<Customer>(link.customer_id).await?;
        let offer = Offer::of(tenant, link).await?;
        let read = offer.read(form);
        if let Some(filing) = offer.tenant.find::<Filing>(filed(offer.link.id, nonce)).await? {
            return self.was_filed(offer, filing, form, read.ok()).await;
        }
        let unfit = StatusCode::UNPROCESSABLE_ENTITY;
        match read {
            Ok(said) => self.is_filed(offer, nonce, form, said).await,
            Err(mistake) => offer.page(self.locale, (unfit, nonce), form, Some(mistake)).await,
        }
    }

    async fn is_filed(
        &self,
        offer: Offer,
        nonce: &str,
        form: &Form,
        said: FiledForm,
    ) -> Result<Response, Ending> {
        let open = offer.tenant.open_filed(offer.link.id).await?;
        let details = match offer.link.file(said, open) {
            Ok(details) => details,
            Err(refusal) => return offer.refuses(self.locale, nonce, form, refusal).await,
        };
        let Offer { tenant, link, brand, .. } = offer;
        let complaint = complaints::open(&tenant, details).await;
        let complaint = complaint.map_err(|problem| not_theirs(problem, brand))?;
        tenant.add(&Filing::note(tenant.new_id(), &link, nonce, &complaint)).await?;
        self.leads_to(tenant, complaint).await
    }

    /// The form was sent before: the same leads to the same complaint, and what is new is not lost.
    async fn was_filed(
        &self,
        offer: Offer,
        filing: Filing,
        form: &Form,
        said: Option<FiledForm>,
    ) -> Result<Response, Ending> {
        let complaint = offer.tenant.hold::<Complaint>(filing.complaint_id).await?;
        if said.is_some_and(|said| said.description == complaint.details.description) {
            return self.leads_to(offer.tenant, complaint).await;
        }
        let fresh = offer.new_form()?;
        let shown = (StatusCode::CONFLICT, fresh.as_str());
        offer.page(self.locale, shown, form, Some((Field::Form, SENT_BEFORE))).await
    }

    async fn leads_to(&self, tenant: Tenant, complaint: Complaint) -> Result<Response, Ending> {
        let token = tenant.link_to(&complaint).await?;
        tenant.commit(()).await?;
        self.to_page(&format!("/c/{token}"))
    }
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
        let kind = KINDS.iter().map(|(kind, _)| *kind).find(|kind| code(kind) == said("kind"));
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

    async fn refuses(
        &self,
        locale: Locale,
        nonce: &str,
        form: &Form,
        refusal: Refusal,
    ) -> Result<Response, Ending> {
        if refusal.rule != &TOO_MANY_OPEN_FILED {
            return Err(refusal.into());
        }
        let shown = (StatusCode::CONFLICT, nonce);
        self.page(locale, shown, form, Some((Field::Form, TOO_MANY_OPEN))).await
    }

    async fn page(
        &self,
        locale: Locale,
        (status, fresh): (StatusCode, &str),
        form: &Form,
        mistake: Option<Mistaken>,
    ) -> Result<Response, Ending> {
        let said = |name: &str| form.get(name).map_or("", String::as_str);
        let kinds = KINDS.iter().map(|(kind, says)| {
            let value = code(kind);
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
            form: fresh,
            kinds: kinds.collect(),
            about: self.things.values().next().filter(|_| is_fixed).map(String::as_str),
            assets: things.collect(),
            description: said("description"),
            wish: said("wish"),
            mistake: mistake.map(|(field, says)| MistakeShown::new(field, says, locale)),
            words,
        };
        Ok(show(status, locale, "filing.html", &page))
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
fn code(kind: &domain::complaints::ComplaintKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|kind| kind.as_str().map(str::to_owned))
        .unwrap_or_default()
}
