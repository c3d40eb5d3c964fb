//! Table `finding`.

use crate::{Failure, Fault, Tenant, documents, listed, table, words};
use domain::{
    change::Change,
    findings::{
        Finding, FindingDetails, FindingEvidence, FindingKind, FindingPeriod, FindingState,
    },
    ids::{AnyId, DealerId},
    text::{Code, Line},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QueryTrait as _, Select, sea_query::OnConflict,
};
use uuid::Uuid;

words!(FindingKind, FindingState, FindingPeriod);
documents!(FindingEvidence);

table! {
    /// What the service noticed.
    finding = "finding" of Finding {
        [details: FindingDetails {
            kind: FindingKind,
            subject: AnyId,
            dealer_id: Option<DealerId>,
            topic: Option<Line>,
            period: FindingPeriod,
            evidence: FindingEvidence,
        }],
        state: FindingState,
        reason: Option<Line>,
        settled_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

listed! {
    Finding = finding [CreatedAt;] usually newest;
}

/// Which findings are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct FindingsWanted<'a> {
    /// Those of one kind.
    pub kind: Option<FindingKind>,
    /// Those in one state.
    pub state: Option<FindingState>,
    /// Those about one record.
    pub subject: Option<&'a AnyId>,
    /// Those of one dealer.
    pub dealer: Option<DealerId>,
}

/// Findings as `wanted`.
pub fn findings(wanted: FindingsWanted<'_>) -> Select<finding::Entity> {
    use finding::Column as Is;
    finding::Entity::find()
        .apply_if(wanted.kind, |all, kind| all.filter(Is::Kind.eq(table::word(&kind))))
        .apply_if(wanted.state, |all, state| all.filter(Is::State.eq(table::word(&state))))
        .apply_if(wanted.subject, |all, subject| all.filter(Is::Subject.eq(subject.as_str())))
        .apply_if(wanted.dealer, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
}

/// The findings of these kinds about any of these records that are not settled, or are of one period.
pub fn at_hand(
    kinds: &[FindingKind],
    subjects: &[AnyId],
    period: &FindingPeriod,
) -> Select<finding::Entity> {
    use finding::Column as Is;
    let is_at_hand =
        Condition::any().add(Is::SettledAt.is_null()).add(Is::Period.eq(period.to_string()));
    finding::Entity::find()
        .filter(Is::Kind.is_in(kinds.iter().map(table::word)))
        .filter(Is::Subject.is_in(subjects.iter().map(AnyId::as_str)))
        .filter(is_at_hand)
        .order_by_asc(Is::Id)
}

/// Findings of one kind that are neither resolved nor dismissed, about one topic or about any.
pub fn unsettled(kind: FindingKind, topic: Option<&Line>) -> Select<finding::Entity> {
    use finding::Column as Is;
    findings(FindingsWanted { kind: Some(kind), ..FindingsWanted::default() })
        .filter(Is::SettledAt.is_null())
        .apply_if(topic, |all, topic| all.filter(Is::Topic.eq(&**topic)))
}

/// Findings of one kind about one record that are neither resolved nor dismissed, about one topic of it or about any.
pub(crate) fn unsettled_about(
    kind: FindingKind,
    subject: &AnyId,
    topic: Option<&Line>,
) -> Select<finding::Entity> {
    unsettled(kind, topic).filter(finding::Column::Subject.eq(subject.as_str()))
}

/// Findings of one kind that were resolved or dismissed from an instant on.
pub(crate) fn settled_since(kind: FindingKind, since: Timestamp) -> Select<finding::Entity> {
    use finding::Column as Is;
    findings(FindingsWanted { kind: Some(kind), ..FindingsWanted::default() })
        .filter(Is::SettledAt.gte(chrono::DateTime::<chrono::Utc>::from(since)))
}

impl Tenant {
    /// Lets those who look at the same plan wait for each other, so that two of its versions that come into force at
    /// once are noticed once.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn look_at_plan_alone(&self, code: &Code) -> Result<(), Fault> {
        self.push_alone("plan", "", code).await
    }

    /// Settles what was noticed about a record, or one topic of it, now that nothing needs to be done any more.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn settle_findings(
        &self,
        kind: FindingKind,
        subject: &AnyId,
        topic: Option<&Line>,
    ) -> Result<(), Failure> {
        for finding in self.hold_all::<Finding>(unsettled_about(kind, subject, topic)).await? {
            self.record(finding.resolve(self.now())?).await?;
        }
        Ok(())
    }

    /// Writes down what was noticed, with its line in the timeline; answers whether it is new. What was noticed
    /// before about the same topic of the same record of the same dealer in the same period stays as it is, whatever
    /// became of it.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a reference dangles.
    pub async fn raise(&self, details: FindingDetails) -> Result<bool, Fault> {
        use finding::Column as Is;
        let Change { record, action, facts, .. } =
            Finding::notice(self.new_id(), details, self.now());
        let known = [Is::TenantId, Is::Kind, Is::Subject, Is::DealerId, Is::Period, Is::Topic];
        let known = OnConflict::columns(known).do_nothing().to_owned();
        let insert =
            <Finding as table::Table>::Entity::insert(self.row(&record)).on_conflict(known);
        let written = self.work().execute_raw(insert.build(DbBackend::Postgres)).await?;
        let is_new = written.rows_affected() == 1;
        if is_new {
            self.note(&record, action, facts.into()).await?;
        }
        Ok(is_new)
    }
}
