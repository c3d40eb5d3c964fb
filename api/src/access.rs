//! Access: the only way from a request to a tenant.

use crate::{
    identity::Shown,
    problem::{self, Problem},
    request::RequestId,
};
use axum::{
    extract::{FromRef, FromRequestParts, RawPathParams},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use domain::{
    identity::{Actor, Reach, Scope as Permitted},
    ids::TenantId,
    record::{Record, Version},
    refusal::Refusal,
    sandbox::ONLY_IN_SANDBOX,
    tenancy::{BRAND_SUSPENDED, BrandStatus},
    time::Timestamp,
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    marker::PhantomData,
    ops::Deref,
    sync::{Arc, OnceLock},
};
use store::{
    Missing, Scope, Store, Tenant,
    idempotency::{Answer, Keyed, Known},
    secrets::SecretKey,
    table::Table,
};

/// What the router carries. The store is private to this file: a handler that wants rows has to ask
/// for [`Access`].
#[derive(Debug, Clone)]
pub struct Api {
    store: Store,
    secret: Arc<SecretKey>,
}

impl Api {
    /// An API over `store`, which seals what callers carry for it under `secret`.
    pub fn new(store: Store, secret: SecretKey) -> Self {
        Self { store, secret: Arc::new(secret) }
    }

    /// The secret of this service.
    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// Opens a tenant for somebody who carries a link instead of credentials.
    pub(crate) async fn enter_by_link(&self, scope: Scope) -> Result<Tenant, Problem> {
        tracing::Span::current().record("tenant.id", tracing::field::display(scope.tenant));
        Ok(self.store.enter(scope).await?)
    }

    /// The store, for finding out who calls; rows are reached through [`Access`].
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

impl FromRef<Api> for Store {
    fn from_ref(api: &Api) -> Self {
        api.store.clone()
    }
}

/// Who is asking, as their credentials say. Put on the request by whoever checked them.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose rows.
    pub tenant: TenantId,
    /// Who acts.
    pub actor: Actor,
    /// How much of the brand they see.
    pub reach: Reach,
    /// What they may do.
    pub scopes: Arc<BTreeSet<Permitted>>,
    /// Whether the tenant is a sandbox.
    pub is_sandbox: bool,
    /// When their credentials end by themselves.
    pub until: Option<Timestamp>,
}

/// Something a caller may be allowed to do, as a type, so that it can stand in a handler's signature.
pub trait Permission: Send + Sync + 'static {
    /// The scope a caller must have; `None` for what every caller may.
    const SCOPE: Option<Permitted>;
}

/// One type a scope, for handlers' signatures: `Access<may::ComplaintsWrite>`.
pub mod may {
    use super::{Permission, Permitted};

    macro_rules! permissions {
        ($($name:ident)*) => {$(
            #[doc = concat!("[`domain::identity::Scope::", stringify!($name), "`] as a type.")]
            #[derive(Debug)]
            pub struct $name;

            impl Permission for $name {
                const SCOPE: Option<Permitted> = Some(Permitted::$name);
            }
        )*};
    }

    /// To ask about oneself: whoever was recognised may, whatever their scopes.
    #[derive(Debug)]
    pub struct Call;

    impl Permission for Call {
        const SCOPE: Option<Permitted> = None;
    }

    permissions! {
        TenantRead TenantWrite DealersRead DealersWrite StaffRead StaffWrite StaffTokens KeysRead
        KeysWrite IssuersWrite CustomersRead CustomersWrite CatalogueRead CatalogueWrite OrdersRead
        OrdersWrite ImportsRead ImportsWrite SopsRead SopsWrite SopsPublish SopsAcknowledge RunsRead RunsWrite
        AllowancesRead AllowancesWrite GesturesRead GesturesWrite GesturesApprove PlansRead PlansWrite
        EnrolmentsWrite VisitsRead VisitsWrite VisitsCarryOut ComplaintsRead ComplaintsWrite
        SurveysRead SurveysWrite InventoryRead InventoryWrite FindingsRead FindingsWrite AuditRead JobsRead JobsWrite SandboxRead SandboxWrite
    }
}

/// A caller who holds permission `P`.
///
/// A handler cannot reach a row without naming the permission that guards it.
#[derive(Debug)]
pub struct Access<P> {
    caller: Caller,
    headers: Conditions,
    keyed: Option<Keyed>,
    request_id: Option<String>,
    shown: Option<Shown>,
    store: Store,
    granted: PhantomData<P>,
}

/// What the caller knows of a record already.
#[derive(Debug, Clone, Default)]
struct Conditions {
    if_match: Option<IfMatch>,
    if_none_match: Option<String>,
    /// The record that the path names, the innermost one.
    subject: String,
}

/// What an edit is based on.
#[derive(Debug, Clone)]
enum IfMatch {
    /// Whatever is there.
    Any,
    /// One of these versions.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Reads the header. Weak tags are none of ours, and match nothing (RFC 9110, 13.1.1).
    fn read(text: &str) -> Result<Self, Problem> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let tags: Vec<_> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let is_tag = |tag: &String| {
            let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            inner.is_some_and(|inner| !inner.contains('"'))
        };
        if tags.iter().all(is_tag) {
            return Ok(Self::Tags(tags));
        }
        Err(Problem::new(&problem::MATCH_MALFORMED).with("if_match", text))
    }

    fn holds(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&tag(version)),
        }
    }
}

impl<P> Access<P> {
    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Opens the caller's tenant for reading.
    ///
    /// # Errors
    ///
    /// `unavailable` when the database cannot be reached.
    pub async fn read(self) -> Result<Reading, Problem> {
        let tenant = self.store.read(self.scope()).await?;
        Ok(Reading { tenant, conditions: self.headers })
    }

    /// Opens the caller's tenant for a change. Called after the body has been read, so that a slow
    /// caller holds no transaction open. A request whose key was answered before ends here, with the
    /// same answer.
    ///
    /// # Errors
    ///
    /// `request_still_running`, `idempotency_key_reused`, `unavailable`.
    pub async fn write(self) -> Result<Work, Early> {
        let tenant = match &self.keyed {
            None => self.store.enter(self.scope()).await.map_err(Problem::from)?,
            Some(keyed) => enter_first(&self.store, self.scope(), keyed).await?,
        };
        let (keyed, conditions) = (self.keyed, self.headers);
        Ok(Work { tenant, keyed, conditions, stale: OnceLock::new() })
    }

    /// Like [`Access::write`], for operations that move money or messages: the caller must have made
    /// up an Idempotency-Key.
    ///
    /// # Errors
    ///
    /// `idempotency_key_required`, and those of [`Access::write`].
    pub async fn write_once(self) -> Result<Work, Early> {
        if self.keyed.is_none() {
            return Err(Problem::new(&problem::KEY_REQUIRED).into());
        }
        self.write().await
    }

    /// Ends here, with the same answer, when the request was answered before; for a handler that has to look before it
    /// can open a change, and whose look could say no to what it said yes to the first time.
    ///
    /// # Errors
    ///
    /// Those of [`Access::write`].
    pub async fn recall(&mut self) -> Result<(), Early> {
        let Some(keyed) = &self.keyed else { return Ok(()) };
        let first = enter_first(&self.store, self.scope(), keyed).await?;
        Ok(first.undo().await.map_err(Problem::from)?)
    }

    /// Leaves the Idempotency-Key aside: for an operation whose answer is a secret, which must not be kept, and
    /// which does no harm when it is repeated.
    #[must_use]
    pub fn unkeyed(self) -> Self {
        Self { keyed: None, ..self }
    }

    fn scope(&self) -> Scope {
        Scope {
            tenant: self.caller.tenant,
            actor: self.caller.actor,
            reach: self.caller.reach,
            paced: self.caller.is_sandbox,
            request_id: self.request_id.clone(),
        }
    }
}

impl<P: Permission> Access<P> {
    /// Opens the caller's tenant for one more look of an answer that goes on for long, if they are still
    /// welcome: a key may have been revoked since, or a role changed.
    ///
    /// # Errors
    ///
    /// `unauthorized`, `forbidden`, and those of [`Access::read`].
    pub(crate) async fn look(&mut self) -> Result<Reading, Problem> {
        if let Some(shown) = &self.shown {
            self.caller = shown.again().await?;
            permit::<P>(&self.caller)?;
        }
        let tenant = self.store.read(self.scope()).await?;
        Ok(Reading { tenant, conditions: Conditions::default() })
    }
}

impl Caller {
    /// Refuses callers who lack `scope`.
    pub(crate) fn must_have(&self, scope: Permitted) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Problem::new(&problem::FORBIDDEN).with("required_scope", scope))
    }
}

/// Opens the tenant for a request that nobody has sent before under its key.
async fn enter_first(store: &Store, scope: Scope, keyed: &Keyed) -> Result<Tenant, Early> {
    let entered = store.enter_keyed(scope, keyed).await;
    let (tenant, known) = entered.map_err(Problem::from)?;
    let early = match known {
        Known::Nothing => return Ok(tenant),
        Known::Running => Problem::new(&problem::STILL_RUNNING).retry_after(1).into(),
        Known::Other => Problem::new(&problem::KEY_REUSED).into(),
        Known::Answered(answer) => Early::Replay(answer),
    };
    // The key is free before the caller hears of it, and may use it again.
    tenant.undo().await.map_err(Problem::from)?;
    Err(early)
}

/// Refuses callers who lack the permission.
fn permit<P: Permission>(caller: &Caller) -> Result<(), Problem> {
    P::SCOPE.map_or(Ok(()), |scope| caller.must_have(scope))
}

impl<P: Permission> FromRequestParts<Api> for Access<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Problem::new(&problem::UNAUTHORIZED))?;
        let brand = parts.extensions.get::<BrandStatus>();
        let only_reads = P::SCOPE.is_none_or(Permitted::only_reads);
        if brand == Some(&BrandStatus::Suspended) && !only_reads {
            return Err(Problem::new(&BRAND_SUSPENDED));
        }
        permit::<P>(&caller)?;
        if P::SCOPE.is_some_and(Permitted::is_the_brands) {
            caller.reach.must_be_whole()?;
        }
        if P::SCOPE.is_some_and(Permitted::is_for_trying_out) && !caller.is_sandbox {
            return Err(Refusal::new(&ONLY_IN_SANDBOX).into());
        }
        let header = |name: HeaderName| {
            parts.headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
        };
        let if_match = header(header::IF_MATCH).map(|text| IfMatch::read(&text)).transpose()?;
        let if_none_match = header(header::IF_NONE_MATCH);
        let path = RawPathParams::from_request_parts(parts, api).await.ok();
        let subject = path.as_ref().and_then(|path| path.iter().last());
        let subject = subject.map(|(_, text)| text.to_owned()).unwrap_or_default();
        Ok(Self {
            caller,
            headers: Conditions { if_match, if_none_match, subject },
            keyed: parts.extensions.get::<Keyed>().cloned(),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
            shown: parts.extensions.get::<Shown>().cloned(),
            store: api.store.clone(),
            granted: PhantomData,
        })
    }
}

/// A tenant opened for reading.
#[derive(Debug)]
pub struct Reading {
    tenant: Tenant,
    conditions: Conditions,
}

impl Deref for Reading {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.tenant
    }
}

impl Reading {
    /// Shows a record with its `ETag`; 304 when the caller has it already.
    pub fn show<R: Record + Serialize>(&self, record: &R) -> Response {
        let tag = tag(record.version());
        let known = self.conditions.if_none_match.as_deref();
        let is_known = |one: &str| one.trim().trim_start_matches("W/") == tag;
        if known.is_some_and(|known| known.trim() == "*" || known.split(',').any(is_known)) {
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
        }
        ([(header::ETAG, tag)], axum::Json(record)).into_response()
    }
}

/// Shows a record at `version` with more than its own, whatever the caller has already.
pub(crate) fn show_whole<T: Serialize>(version: Version, body: &T) -> Response {
    ([(header::ETAG, tag(version))], axum::Json(body)).into_response()
}

/// A tenant opened for a change. The only way to an answer is through its commit.
#[derive(Debug)]
pub struct Work {
    tenant: Tenant,
    keyed: Option<Keyed>,
    conditions: Conditions,
    /// The version of a record that is not the one the caller's change is based on.
    stale: OnceLock<Version>,
}

impl Deref for Work {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.tenant
    }
}

impl Work {
    /// Makes sure the caller edits what is there now.
    ///
    /// # Errors
    ///
    /// `if_match_required` when the caller does not say what the edit is based on, `stale_version`
    /// when the record has changed since.
    pub fn expect_current<R: Record>(&self, record: &R) -> Result<(), Problem> {
        let Some(wanted) = &self.conditions.if_match else {
            return Err(Problem::new(&problem::MATCH_REQUIRED));
        };
        if wanted.holds(record.version()) {
            return Ok(());
        }
        Err(Problem::new(&problem::STALE).with("current_version", record.version()))
    }

    /// Finds a record in order to change it, like [`Tenant::hold`]. If the path names the record and the
    /// caller says what the change is based on, it has to be that, or nothing is committed.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`] when this caller has no such record.
    pub async fn hold<R: Table>(&self, id: R::Id) -> Result<R, Missing> {
        let record: R = self.tenant.hold(id).await?;
        if record.id().to_string() == self.conditions.subject {
            self.heed(&record);
        }
        Ok(record)
    }

    /// Heeds what the caller says that a change of `record`, as it was read, is based on.
    pub fn heed<R: Record>(&self, record: &R) {
        let version = record.version();
        if self.conditions.if_match.as_ref().is_some_and(|wanted| !wanted.holds(version)) {
            // The first that does not fit is the one that is told; a second one changes nothing.
            self.stale.get_or_init(|| version);
        }
    }

    /// Commits, and answers 200 with the record as it is now.
    pub async fn changed<R: Record + Serialize>(self, record: R) -> Outcome {
        let headers = vec![etag(&record)];
        self.answer(StatusCode::OK, headers, &record).await
    }

    /// Commits, and answers 201 with the new record, which is found below `collection`.
    pub async fn created<R: Record + Serialize>(self, collection: &str, record: R) -> Outcome {
        let headers = vec![etag(&record), location(format!("{collection}/{}", record.id()))];
        self.answer(StatusCode::CREATED, headers, &record).await
    }

    /// Commits, and answers 201 with the new record as `shown`, which is shown this once: a replay of the
    /// request gets the record as `kept`.
    pub async fn created_showing<R: Record, T: Serialize + Sync>(
        self,
        collection: &str,
        record: &R,
        shown: &T,
        kept: &T,
    ) -> Outcome {
        let headers = || vec![etag(record), location(format!("{collection}/{}", record.id()))];
        let shown = answer(StatusCode::CREATED, headers(), shown)?;
        let kept = answer(StatusCode::CREATED, headers(), kept)?;
        self.finish(shown, &kept).await
    }

    /// Commits, and answers 202 with what can be followed at `place`.
    pub async fn accepted<T: Serialize + Sync>(self, place: String, body: &T) -> Outcome {
        self.answer(StatusCode::ACCEPTED, vec![location(place)], body).await
    }

    /// Commits, and answers with `body`.
    ///
    /// # Errors
    ///
    /// `unavailable` and its kin when the commit fails; then nothing has happened.
    pub async fn answer<T: Serialize + Sync>(
        self,
        status: StatusCode,
        headers: Vec<(String, String)>,
        body: &T,
    ) -> Outcome {
        let answer = answer(status, headers, body)?;
        self.finish(answer.clone(), &answer).await
    }

    async fn finish(self, answer: Answer, kept: &Answer) -> Outcome {
        if let Some(version) = self.stale.get() {
            return Err(Problem::new(&problem::STALE).with("current_version", version).into());
        }
        let saved = match &self.keyed {
            Some(keyed) => self.tenant.commit_keyed(keyed, kept, answer).await,
            None => self.tenant.commit(answer).await,
        };
        Ok(Done(saved.map_err(Problem::from)?.into_inner()))
    }
}

fn answer<T: Serialize>(
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: &T,
) -> Result<Answer, Problem> {
    let body =
        serde_json::to_vec(body).map_err(|error| Problem::from(store::Fault::from(error)))?;
    Ok(Answer { status: status.as_u16(), headers, body })
}

fn tag(version: Version) -> String {
    format!("\"{}\"", version.get())
}

fn etag<R: Record>(record: &R) -> (String, String) {
    (header::ETAG.to_string(), tag(record.version()))
}

fn location(place: String) -> (String, String) {
    (header::LOCATION.to_string(), place)
}

/// What a changing handler answers: a body that is on disk. Only [`Work`] makes one.
#[derive(Debug)]
pub struct Done(Answer);

/// What a changing handler returns.
pub type Outcome = Result<Done, Early>;

/// Why a changing handler ends before its time.
#[derive(Debug)]
pub enum Early {
    /// Something is in the way.
    Problem(Problem),
    /// The request was answered before; this is what was said.
    Replay(Answer),
}

impl Early {
    /// Whether it is certain that nothing of the request is on disk: it was refused, or another one was answered in
    /// its place. Behind a fault it may be there, because the answer to a commit can be lost.
    pub(crate) fn is_without_effect(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.status().is_client_error(),
            Self::Replay(_) => true,
        }
    }
}

impl<E: Into<Problem>> From<E> for Early {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

impl IntoResponse for Early {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Replay(answer) => {
                let mut response = Done(answer).into_response();
                let replayed = HeaderName::from_static("idempotency-replayed");
                response.headers_mut().insert(replayed, HeaderValue::from_static("true"));
                response
            }
        }
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let Answer { status, headers, body } = self.0;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                map.insert(name, value);
            }
        }
        map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        (status, map, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_fault_a_request_may_have_had_its_effect() {
        for certain in [&problem::NOT_FOUND, &problem::STILL_RUNNING, &problem::STALE] {
            assert!(Early::from(Problem::new(certain)).is_without_effect(), "{}", certain.code);
        }
        for unknown in [&problem::FAULT, &problem::UNAVAILABLE] {
            assert!(!Early::from(Problem::new(unknown)).is_without_effect(), "{}", unknown.code);
        }
        let answer = Answer { status: 201, headers: Vec::new(), body: Vec::new() };
        assert!(Early::Replay(answer).is_without_effect());
    }
}
