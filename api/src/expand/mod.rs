//! `expand`: the records that a record names, beside it.
//!
//! Identifiers stay what they are, and what was asked for stands in a member of its own, `expanded`. A member
//! has one type, whether something was asked for or not, so that clients made from the document read it
//! without a case distinction. Each kind is one question for a whole page, behind the walls of whoever asks.

pub(crate) mod kinds;

use crate::{
    access::{Api, Caller, Reading, show_whole},
    list::{optional, pairs},
    problem::{self, Problem},
};
use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use domain::{identity::Scope, invalid::Invalid, record::Record};
use serde::Serialize;
use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
};
use store::{Fault, Tenant, table::Table};
use utoipa::{
    IntoParams,
    openapi::{
        ArrayBuilder, ObjectBuilder, Type,
        path::{Parameter, ParameterIn, ParameterStyle},
    },
};
use uuid::Uuid;

/// The parameter that says what is wanted.
pub(crate) const PARAMETER: &str = "expand";

/// A kind of record that may stand beside another.
pub(crate) trait Companion: Table {
    /// What a caller must be allowed to read.
    const NEEDS: Scope;
}

/// A record that others may stand beside.
pub(crate) trait Expands: Serialize + Sized + Send + Sync + 'static {
    /// What stands beside it.
    type Expanded: Serialize + Send;

    /// What may be asked for, and what a caller must be allowed to read for that.
    const KINDS: &'static [(&'static str, Scope)];

    /// For visits: whether it is one that its technician makes or has made. `None` for everything else.
    const CARRIED_OUT: Option<fn(&Self) -> bool> = None;

    /// What stands beside each of `records`, in their order.
    fn expanded(
        records: &[Self],
        asked: &Asked,
        shelf: &mut Shelf<'_>,
    ) -> impl Future<Output = Result<Vec<Self::Expanded>, Fault>> + Send;
}

/// What is wanted beside records.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    names: Vec<&'static str>,
    /// What is shown only because the caller carries the visit out.
    only_of_visits: Vec<&'static str>,
}

impl Asked {
    /// Whether it is wanted at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    /// Whether it is wanted and may be shown beside `record`.
    pub(crate) fn has_beside<R: Expands>(&self, name: &str, record: &R) -> bool {
        !self.only_of_visits.contains(&name) || R::CARRIED_OUT.is_some_and(|is| is(record))
    }
}

/// The parameter `expand` of an operation that shows `R`.
pub(crate) struct Expanding<R>(PhantomData<R>);

impl<R: Expands> IntoParams for Expanding<R> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = R::KINDS.iter().map(|(name, _)| *name);
        let kind = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        let kinds = ArrayBuilder::new()
            .items(kind)
            .min_items(Some(1))
            .max_items(Some(R::KINDS.len()))
            .unique_items(true);
        let needs: Vec<_> =
            R::KINDS.iter().map(|(name, scope)| format!("`{name}` (`{scope}`)")).collect();
        let says = format!(
            "The records to show in `expanded`, each with the scope that it needs: {}.",
            needs.join(", ")
        );
        let mut parameter = optional(PARAMETER, &says, kinds);
        parameter.style = Some(ParameterStyle::Form);
        parameter.explode = Some(false);
        vec![parameter]
    }
}

/// What is wanted beside each `R` of an answer; a caller who may not read it is refused before anything is
/// looked up.
pub(crate) struct Expand<R> {
    asked: Asked,
    of: PhantomData<R>,
}

impl<R> fmt::Debug for Expand<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked.fmt(f)
    }
}

impl<R: Expands> FromRequestParts<Api> for Expand<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let mut asked = Asked::default();
        let pairs = pairs(&parts.uri)?;
        let wanted = pairs.iter().find(|(name, _)| name == PARAMETER);
        for word in wanted.into_iter().flat_map(|(_, words)| words.split(',')) {
            let known = R::KINDS.iter().find(|(name, _)| *name == word);
            let Some((name, scope)) = known else {
                let known = R::KINDS.iter().map(|(name, _)| *name);
                return Err(Problem::parameter(PARAMETER, Invalid::unknown_value(known)));
            };
            if asked.has(name) {
                let mistake = Invalid::new("repeated_value", "expected each of them only once")
                    .in_chinese("每项应只出现一次");
                return Err(Problem::parameter(PARAMETER, mistake));
            }
            let caller = parts.extensions.get::<Caller>();
            let caller = caller.ok_or_else(|| Problem::new(&problem::UNAUTHORIZED))?;
            if let Err(forbidden) = caller.must_have(*scope) {
                let is_visits = R::CARRIED_OUT.is_some()
                    && caller.reach.is_shown_beside_own_visits(*scope, &caller.scopes);
                if !is_visits {
                    return Err(forbidden);
                }
                asked.only_of_visits.push(name);
            }
            asked.names.push(name);
        }
        Ok(Self { asked, of: PhantomData })
    }
}

/// A record with what stands beside it, if anything was asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Beside<R, E> {
    #[serde(flatten)]
    record: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<E>,
}

impl<R: Expands> Expand<R> {
    /// Records with what was asked for beside each.
    pub(crate) async fn beside(
        &self,
        reading: &Reading,
        records: Vec<R>,
    ) -> Result<Vec<Beside<R, R::Expanded>>, Problem> {
        if self.asked.names.is_empty() {
            return Ok(records
                .into_iter()
                .map(|record| Beside { record, expanded: None })
                .collect());
        }
        let expanded = R::expanded(&records, &self.asked, &mut Shelf::new(reading)).await?;
        let pairs = records.into_iter().zip(expanded);
        Ok(pairs.map(|(record, expanded)| Beside { record, expanded: Some(expanded) }).collect())
    }

    /// Shows a record, with what was asked for beside it. Then it is always shown: what stands beside it may
    /// have changed while its own version has not.
    pub(crate) async fn show(&self, reading: &Reading, record: R) -> Result<Response, Problem>
    where
        R: Record,
    {
        if self.asked.names.is_empty() {
            return Ok(reading.show(&record));
        }
        let version = record.version();
        let mut beside = self.beside(reading, vec![record]).await?;
        Ok(show_whole(version, &beside.pop()))
    }
}

/// What was looked up for one answer, so that no record is asked for twice.
pub(crate) struct Shelf<'a> {
    tenant: &'a Tenant,
    /// By the kind of record, a map from identifiers to what was found.
    kinds: BTreeMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl<'a> Shelf<'a> {
    fn new(tenant: &'a Tenant) -> Self {
        Self { tenant, kinds: BTreeMap::new() }
    }

    /// The records with these identifiers that the caller sees, each at the place of its identifier.
    async fn placed<R: Table>(&mut self, ids: &[Option<R::Id>]) -> Result<Vec<Option<R>>, Fault> {
        let kind = TypeId::of::<R>();
        let known = self.kinds.remove(&kind).and_then(|known| known.downcast().ok());
        let mut known: Box<BTreeMap<Uuid, Option<R>>> = known.unwrap_or_default();
        let wanted = ids.iter().flatten().copied().map(Into::<Uuid>::into);
        let missing: BTreeSet<Uuid> = wanted.filter(|id| !known.contains_key(id)).collect();
        let mut found = self.tenant.named::<R>(&missing).await?;
        known.extend(missing.into_iter().map(|id| (id, found.remove(&id))));
        let place = |id: &Option<R::Id>| {
            let id: Uuid = (*id)?.into();
            known.get(&id)?.clone()
        };
        let placed = ids.iter().map(place).collect();
        self.kinds.insert(kind, known);
        Ok(placed)
    }
}

/// Says what may stand beside a kind of record, and which identifier it is found by; `through` another record
/// where that one names it.
macro_rules! expands {
    ($(
        $record:ident as $expanded:ident $(, visits ($carried:expr))? {$(
            $(#[$doc:meta])*
            $name:ident: $kind:ident = |$it:ident| $id:expr
                $(, through $hop:ident |$via:ident| $next:expr)*;
        )*}
    )*) => {$(
        /// What `expand` asked for; null where there is no such record, or none that you see.
        #[derive(Debug, Serialize, ToSchema)]
        pub(crate) struct $expanded {$(
            $(#[$doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(value_type = Option<$kind>, required = false)]
            $name: Option<Option<$kind>>,
        )*}

        impl Expands for $record {
            type Expanded = $expanded;

            const KINDS: &'static [(&'static str, Scope)] =
                &[$((stringify!($name), <$kind as Companion>::NEEDS)),*];

            $(const CARRIED_OUT: Option<fn(&Self) -> bool> = Some($carried);)?

            async fn expanded(
                records: &[Self],
                asked: &Asked,
                shelf: &mut Shelf<'_>,
            ) -> Result<Vec<$expanded>, Fault> {
                $(let mut $name = None;
                if asked.has(stringify!($name)) {
                    let id = |$it: &Self| $id;
                    let may = |record: &Self| asked.has_beside(stringify!($name), record);
                    let ids = records.iter().map(|one| may(one).then(|| id(one)).flatten());
                    let ids: Vec<_> = ids.collect();
                    $(let hops = shelf.placed::<$hop>(&ids).await?.into_iter();
                    let next = |$via: $hop| $next;
                    let ids: Vec<_> = hops.map(|hop| hop.and_then(next)).collect();)*
                    $name = Some(shelf.placed::<$kind>(&ids).await?.into_iter());
                })*
                let beside = records.iter().map(|_| $expanded {
                    $($name: $name.as_mut().map(|found| found.next().flatten()),)*
                });
                Ok(beside.collect())
            }
        }
    )*};
}

use expands;
