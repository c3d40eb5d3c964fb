//! Lists: `limit`, `cursor`, `sort`, `total`, and the filters an operation knows. Unknown parameters are
//! refused, so that a typing error is not silently a list of everything.

use crate::{
    access::{Api, Caller, Reading},
    expand::{self, Expand, Expands},
    problem::Problem,
    reading::{self, Mistake},
};
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderValue, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{invalid::Invalid, refusal::Refusal};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use std::{borrow::Cow, marker::PhantomData};
use store::{
    Fault,
    page::{INVALID_CURSOR, Listed, MOST_LIMIT, Order, Page, Query, USUAL_LIMIT},
    secrets::{SecretKey, fingerprint},
};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Required, Schema, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

/// A list with `total=true` counts so far and no further: what a person reads as a number, and the database
/// counts while they wait.
const MOST_COUNTED: u64 = 10_000;

/// Parameters of every list, of records of the kind `R`.
#[derive(Debug)]
pub struct Paging<R>(PhantomData<R>);

impl<R: Listed> IntoParams for Paging<R> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MOST_LIMIT))
            .default(Some(USUAL_LIMIT.into()));
        let cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(1000));
        let sort = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(R::orders().into_iter().map(|(name, _)| name)))
            .default(Some(R::usual_name().into()));
        let total = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into()));
        vec![
            optional("limit", "At most so many records, 1 to 200.", limit),
            optional("cursor", "Where to go on: the `next_cursor` of the page before.", cursor),
            optional(
                "sort",
                "What the list is sorted by; a `-` in front begins with the last.",
                sort,
            ),
            optional("total", "Whether the answer says how many records there are.", total),
        ]
    }
}

/// A parameter in the query that may be left out.
pub(crate) fn optional(name: &str, says: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(says))
        .schema(Some(schema))
        .build()
}

/// The filters of a list that knows none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilters {}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListOf<T> {
    /// The records, in the order of the list.
    pub data: Vec<T>,
    /// Whether there are more behind these.
    pub has_more: bool,
    /// Pass it as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// How many records there are on all pages; only with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ListTotal, required = false)]
    pub total: Option<ListTotal>,
}

/// How many records a list has on all its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"count": 128, "is_exact": true})))]
pub struct ListTotal {
    /// The records that were counted; no more than 10 000 are.
    #[schema(minimum = 0, maximum = 10000)]
    count: u64,
    /// Whether these are all; otherwise there are more than `count`.
    is_exact: bool,
}

/// How a page ends.
#[derive(Debug)]
pub(crate) struct End {
    /// Where to go on, when there is more.
    next: Option<String>,
    total: Option<ListTotal>,
}

/// A number of records, 1 to 200, for lists that are not paged.
#[derive(Debug, Clone, Copy)]
pub struct AtMost(pub u16);

impl<'de> Deserialize<'de> for AtMost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        limit(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A request for a page of a list of `R`, filtered by `F`.
#[derive(Debug)]
pub struct List<R: Listed, F = NoFilters> {
    /// What the operation knows to filter by.
    pub filters: F,
    page: Page,
    order: Order<R::Entity>,
    counts: bool,
    uri: Uri,
    seal: Seal,
}

/// What every list takes.
#[derive(Debug, Deserialize)]
struct Asked {
    limit: Option<AtMost>,
    cursor: Option<String>,
    sort: Option<String>,
    #[serde(default)]
    total: bool,
}

/// The names of what every list takes.
const ASKED: [&str; 4] = ["limit", "cursor", "sort", "total"];

/// Seals the cursors of one list for one caller's tenant, so that nobody reads, alters or moves them.
#[derive(Debug, Clone)]
struct Seal {
    secret: SecretKey,
    label: String,
}

impl Seal {
    /// The list is its address and its filters; its order is in the cursor itself, and how much of it is wanted does
    /// not matter.
    fn of(parts: &Parts, api: &Api, filters: &[(String, String)]) -> Self {
        let tenant = parts.extensions.get::<Caller>().map(|caller| caller.tenant.to_string());
        let mut filters = filters.to_vec();
        filters.sort_unstable();
        let filters = serde_urlencoded::to_string(filters).unwrap_or_default();
        let list = format!("{} {}?{filters}", tenant.unwrap_or_default(), address(parts).path());
        let digest = URL_SAFE_NO_PAD.encode(fingerprint(&list));
        Self { secret: api.secret().clone(), label: format!("cursor/{digest}") }
    }

    fn close(&self, cursor: &str) -> Result<String, Fault> {
        let sealed = self.secret.seal(&self.label, cursor.as_bytes()).map_err(Fault::from)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, text: &str) -> Result<String, Problem> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok();
        let plain = sealed.and_then(|sealed| self.secret.open(&self.label, &sealed).ok());
        let cursor = plain.and_then(|plain| String::from_utf8(plain).ok());
        cursor.ok_or_else(|| Refusal::new(&INVALID_CURSOR).at("cursor").into())
    }
}

impl<R: Listed, F: DeserializeOwned> FromRequestParts<Api> for List<R, F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let mut rest = pairs(&parts.uri)?;
        // What stands beside each record does not matter for the list: `Expand` reads that.
        rest.retain(|(name, _)| name != expand::PARAMETER);
        let asked;
        (asked, rest) = rest.into_iter().partition(|(name, _)| ASKED.contains(&name.as_str()));
        let Asked { limit, cursor, sort, total } = read(&asked)?;
        let filters = read(&rest)?;
        let order = sort.map_or_else(|| Ok(R::usual()), |sort| order::<R>(&sort))?;
        let seal = Seal::of(parts, api, &rest);
        let cursor = cursor.map(|cursor| seal.open(&cursor)).transpose()?;
        let page = Page { limit: limit.map_or(USUAL_LIMIT, |AtMost(limit)| limit), cursor };
        Ok(Self { filters, page, order, counts: total, uri: address(parts).clone(), seal })
    }
}

/// The order with this name.
fn order<R: Listed>(name: &str) -> Result<Order<R::Entity>, Problem> {
    let mut orders = R::orders();
    if let Some(known) = orders.iter().position(|(known, _)| known == name) {
        return Ok(orders.swap_remove(known).1);
    }
    let known = orders.into_iter().map(|(name, _)| name);
    Err(Problem::parameter("sort", Invalid::unknown_value(known)))
}

impl<R: Listed, F: Send + Sync> List<R, F> {
    /// Answers with a page of the records that `select` describes, and the way to the next one.
    pub async fn answer(&self, reading: &Reading, select: Query<R>) -> Result<Response, Problem>
    where
        R: Serialize,
    {
        let (records, end) = self.find(reading, select).await?;
        self.tell(records, end)
    }

    /// Answers with a page of the records that `select` describes, with what was asked for beside each.
    pub(crate) async fn answer_with(
        &self,
        reading: &Reading,
        expand: &Expand<R>,
        select: Query<R>,
    ) -> Result<Response, Problem>
    where
        R: Expands,
    {
        let (records, end) = self.find(reading, select).await?;
        self.tell(expand.beside(reading, records).await?, end)
    }

    /// A page of the records that `select` describes.
    pub(crate) async fn find(
        &self,
        reading: &Reading,
        select: Query<R>,
    ) -> Result<(Vec<R>, End), Problem> {
        let total = if self.counts {
            let counted =
                reading.count::<R>(select.clone(), MOST_COUNTED.saturating_add(1)).await?;
            let is_exact = counted <= MOST_COUNTED;
            Some(ListTotal { count: counted.min(MOST_COUNTED), is_exact })
        } else {
            None
        };
        let slice = reading.page::<R>(select, self.order, &self.page).await?;
        Ok((slice.items, End { next: slice.next, total }))
    }

    /// Answers with records that were found.
    pub(crate) fn tell<T: Serialize>(&self, data: Vec<T>, end: End) -> Result<Response, Problem> {
        let next = end.next.map(|cursor| self.seal.close(&cursor)).transpose()?;
        let link = next.as_ref().and_then(|cursor| self.link(cursor));
        let body = ListOf { has_more: next.is_some(), next_cursor: next, data, total: end.total };
        let mut response = axum::Json(body).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }

    fn link(&self, cursor: &str) -> Option<HeaderValue> {
        let pairs = pairs(&self.uri).ok()?;
        let kept: Vec<_> = pairs.iter().filter(|(name, _)| name != "cursor").collect();
        let mut query = serde_urlencoded::to_string(kept).ok()?;
        if !query.is_empty() {
            query.push('&');
        }
        let link = format!("<{}?{query}cursor={cursor}>; rel=\"next\"", self.uri.path());
        HeaderValue::from_str(&link).ok()
    }
}

/// Parameters of an operation that is not a list.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self(read(&pairs(&parts.uri)?)?))
    }
}

/// The address as the caller wrote it; the router takes `/v1` off before a handler sees it.
fn address(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri)
}

/// The parameters of an address.
pub(crate) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    reading::pairs(uri.query()).map_err(parameter)
}

fn limit(value: &str) -> Result<u16, Invalid> {
    let limit = value.parse().ok().filter(|limit| (1..=MOST_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        Invalid::new("out_of_range", format!("expected a number from 1 to {MOST_LIMIT}"))
            .in_chinese(format!("应为 1 至 {MOST_LIMIT} 之间的整数"))
    })
}

fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    reading::from_pairs(pairs).map_err(parameter)
}

fn parameter(mistake: Mistake) -> Problem {
    let name = mistake.parameter().to_owned();
    Problem::parameter(&name, mistake.invalid)
}
