//! Self-audits: what is an obligation, what a service, and what could be better.

use super::{
    items::ServiceItem,
    lines::{AuditLineDetails, InventoryLine},
    rules::{AUDIT_CLOSED, AUDIT_PERIOD_REVERSED, AUDIT_TOO_LONG},
};
use crate::{
    change::Change,
    ids::{InventoryAuditId, InventoryLineId},
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::Name,
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most lines of one audit: more things than any brand does for its customers, and few enough to add up at once.
pub const MOST_LINES: usize = 1_000;

/// A look of the brand at its own service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "iva_01m80t7jx3e9vbq2f4c6d8g0hk", "title": "Fourth quarter", "from_on": "2026-10-01",
    "to_on": "2026-12-31", "state": "open", "closed_at": null,
    "created_at": "2026-11-22T09:30:00Z", "version": 1,
})))]
pub struct InventoryAudit {
    /// Its identifier.
    pub id: InventoryAuditId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: InventoryAuditDetails,
    /// Whether lines are still written.
    pub state: AuditState,
    /// When it was closed; null while it is open.
    pub closed_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand says about a self-audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"title": "Fourth quarter", "from_on": "2026-10-01", "to_on": "2026-12-31"})))]
pub struct InventoryAuditDetails {
    /// What it is called.
    pub title: Name,
    /// The first day of the period it looks at.
    pub from_on: CivilDate,
    /// The last day of it.
    pub to_on: CivilDate,
}

/// How a self-audit is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "title": "Fourth quarter", "from_on": "2026-10-01", "to_on": "2026-12-31", "prefill": true,
})))]
pub struct InventoryAuditOpening {
    /// What it is called.
    pub title: Name,
    /// The first day of the period it looks at.
    pub from_on: CivilDate,
    /// The last day of it.
    pub to_on: CivilDate,
    /// Whether it begins with a line for each active service item; false when left out.
    #[serde(default)]
    pub prefill: bool,
}

/// Where a self-audit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditState {
    /// Lines are written and changed.
    Open,
    /// It stays as it is; what could be better is still settled.
    Closed,
}

impl InventoryAudit {
    /// Opens an audit.
    ///
    /// # Errors
    ///
    /// `audit_period_reversed` when it ends before it begins.
    pub fn open(
        id: InventoryAuditId,
        details: InventoryAuditDetails,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        details.check().map_err(|refusal| refusal.at("/to_on"))?;
        let (state, closed_at, version) = (AuditState::Open, None, Version::FIRST);
        Ok(Change::created(Self { id, details, state, closed_at, created_at: now, version }))
    }

    /// Changes its title or its period.
    ///
    /// # Errors
    ///
    /// `audit_closed`, and those of [`Self::open`].
    pub fn change(self, details: InventoryAuditDetails) -> Result<Change<Self>, Refusal> {
        self.must_be_open()?;
        let is_new_end = details.to_on != self.details.to_on;
        let place = if is_new_end { "/to_on" } else { "/from_on" };
        details.check().map_err(|refusal| refusal.at(place))?;
        Ok(Change::edit("change", &self, |it| it.details = details))
    }

    /// Closes it: what was found stays.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is closed already.
    pub fn close(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        match self.state {
            AuditState::Open => {
                let closed = Self { state: AuditState::Closed, closed_at: Some(now), ..self };
                Ok(Change::new("close", closed).moved(AuditState::Open, AuditState::Closed))
            }
            AuditState::Closed => Err(illegal(self.state, &[])),
        }
    }

    /// Writes a line, beside the `count` that it has.
    ///
    /// # Errors
    ///
    /// `audit_closed`, `audit_line_subject`, `audit_too_long` beyond 1000 lines.
    pub fn write(
        &self,
        id: InventoryLineId,
        details: AuditLineDetails,
        count: usize,
        now: Timestamp,
    ) -> Result<Change<InventoryLine>, Refusal> {
        self.must_be_open()?;
        must_have_room(count.saturating_add(1))?;
        details.check().map_err(|refusal| refusal.at("/subject"))?;
        Ok(Change::created(InventoryLine::new(id, self.id, details, now)))
    }

    /// A line for each of `items`, as they are classed now, for nobody to have looked at yet.
    ///
    /// # Errors
    ///
    /// `audit_too_long` beyond 1000 items.
    pub fn prefill(
        &self,
        items: &[ServiceItem],
        mut new_id: impl FnMut() -> InventoryLineId,
        now: Timestamp,
    ) -> Result<Vec<InventoryLine>, Refusal> {
        must_have_room(items.len())?;
        let line = |item: &ServiceItem| {
            let details = AuditLineDetails {
                service_item_id: Some(item.id),
                subject: None,
                class: item.details.class,
                quality: None,
                can_improve: false,
                backlog_note: None,
                owner_id: None,
            };
            InventoryLine::new(new_id(), self.id, details, now)
        };
        Ok(items.iter().map(line).collect())
    }

    pub(super) fn must_be_open(&self) -> Result<(), Refusal> {
        match self.state {
            AuditState::Open => Ok(()),
            AuditState::Closed => Err(Refusal::new(&AUDIT_CLOSED)),
        }
    }
}

/// Refuses more lines than an audit can have.
fn must_have_room(count: usize) -> Result<(), Refusal> {
    if count <= MOST_LINES {
        return Ok(());
    }
    Err(Refusal::new(&AUDIT_TOO_LONG).with("count", count).with("most", MOST_LINES))
}

impl InventoryAuditOpening {
    /// What is said about the audit itself.
    pub fn details(&self) -> InventoryAuditDetails {
        let Self { title, from_on, to_on, prefill: _ } = self.clone();
        InventoryAuditDetails { title, from_on, to_on }
    }
}

impl InventoryAuditDetails {
    fn check(&self) -> Result<(), Refusal> {
        if self.from_on <= self.to_on {
            return Ok(());
        }
        Err(Refusal::new(&AUDIT_PERIOD_REVERSED)
            .with("from_on", self.from_on)
            .with("to_on", self.to_on))
    }
}

impl Record for InventoryAudit {
    type Id = InventoryAuditId;

    fn id(&self) -> InventoryAuditId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            items::{
                ServiceClass,
                samples::{NOW, item},
            },
            lines::{AuditLineResolution, AuditSummary},
        },
        *,
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn period(from_on: &str, to_on: &str) -> InventoryAuditDetails {
        let details = json!({ "title": "Fourth quarter", "from_on": from_on, "to_on": to_on });
        serde_json::from_value(details).unwrap()
    }

    fn audit() -> InventoryAudit {
        let period = period("2026-10-01", "2026-12-31");
        InventoryAudit::open(Uuid::from_u128(1).into(), period, now()).unwrap().record
    }

    fn found(more: &Value) -> AuditLineDetails {
        let mut found = json!({ "subject": "A call after a week", "class": "service" });
        found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(found).unwrap()
    }

    fn line(more: &Value) -> InventoryLine {
        audit().write(Uuid::from_u128(2).into(), found(more), 0, now()).unwrap().record
    }

    #[test]
    fn a_period_may_be_one_day_and_does_not_end_before_it_begins() {
        let open =
            |to_on| InventoryAudit::open(Uuid::nil().into(), period("2026-10-02", to_on), now());
        assert!(open("2026-10-02").is_ok());
        let refusal = open("2026-10-01").unwrap_err();
        assert_eq!(refusal.rule.code, "audit_period_reversed");
        let place = |from_on, to_on| audit().change(period(from_on, to_on)).unwrap_err().place;
        assert_eq!(place("2026-10-01", "2026-09-30").as_deref(), Some("/to_on"));
        assert_eq!(place("2027-01-01", "2026-12-31").as_deref(), Some("/from_on"));
    }

    #[test]
    fn a_line_is_about_an_item_or_about_words() {
        let id = Uuid::from_u128(2).into();
        let item = item(&json!({})).id;
        for (more, fits) in [
            (json!({}), true),
            (json!({ "subject": null, "service_item_id": item }), true),
            (json!({ "service_item_id": item }), false),
            (json!({ "subject": null }), false),
        ] {
            let written = audit().write(id, found(&more), 0, now());
            let refused = written.err().map(|refusal| refusal.rule.code);
            assert_eq!(refused, (!fits).then_some("audit_line_subject"), "{more}");
        }
        let both = found(&json!({ "service_item_id": item }));
        let refusal = line(&json!({})).change(&audit(), both).unwrap_err();
        assert_eq!(refusal.place.as_deref(), Some("/service_item_id"));
    }

    #[test]
    fn an_audit_has_a_thousand_lines_at_most() {
        let id = Uuid::from_u128(2).into();
        let nth = |count| audit().write(id, found(&json!({})), count, now());
        assert!(nth(999).is_ok());
        assert_eq!(nth(1_000).unwrap_err().rule.code, "audit_too_long");
        let many = |count| {
            let items = vec![item(&json!({})); count];
            audit().prefill(&items, || Uuid::nil().into(), now()).map(|lines| lines.len())
        };
        assert_eq!(many(1_000), Ok(1_000));
        assert_eq!(many(1_001).unwrap_err().facts["count"], 1_001);
    }

    #[test]
    fn an_audit_begins_with_the_items_as_they_are_classed() {
        let items = [item(&json!({ "class": "obligation" })), item(&json!({}))];
        let lines = audit().prefill(&items, || Uuid::nil().into(), now()).unwrap();
        let classes: Vec<_> = lines.iter().map(|line| line.details.class).collect();
        assert_eq!(classes, [ServiceClass::Obligation, ServiceClass::Service]);
        assert_eq!(AuditSummary::of(&lines).not_rated, 2);
    }

    #[test]
    fn a_closed_audit_stays_as_it_is() {
        let closed = audit().close(now()).unwrap().record;
        let code = |refusal: Refusal| refusal.rule.code;
        let id = Uuid::from_u128(2).into();
        let written = closed.write(id, found(&json!({})), 0, now());
        assert_eq!(code(written.unwrap_err()), "audit_closed");
        let changed = line(&json!({})).change(&closed, found(&json!({ "quality": 5 })));
        assert_eq!(code(changed.unwrap_err()), "audit_closed");
        let renamed = closed.clone().change(period("2026-10-01", "2026-10-02"));
        assert_eq!(code(renamed.unwrap_err()), "audit_closed");
        assert_eq!(code(closed.close(now()).unwrap_err()), "illegal_transition");
    }

    #[test]
    fn what_could_be_better_is_resolved_once() {
        let done = || AuditLineResolution { resolution: "Done.".parse().unwrap() };
        let resolved = line(&json!({ "can_improve": true })).resolve(done(), now()).unwrap().record;
        assert_eq!(resolved.resolved_at, Some(now()));
        assert_eq!(resolved.resolve(done(), now()).unwrap_err().rule.code, "nothing_to_improve");
        let fine = line(&json!({})).resolve(done(), now());
        assert_eq!(fine.unwrap_err().rule.code, "nothing_to_improve");
    }

    #[test]
    fn what_is_worse_again_is_on_the_backlog_again() {
        let done = || AuditLineResolution { resolution: "Done.".parse().unwrap() };
        let bad = json!({ "can_improve": true, "quality": 2 });
        let resolved = line(&bad).resolve(done(), now()).unwrap().record;
        let changed = |line: &InventoryLine, more| {
            line.clone().change(&audit(), found(&more)).unwrap().record
        };
        for (more, stays) in [
            (json!({ "can_improve": true, "quality": 2, "subject": "A card" }), true),
            (json!({ "can_improve": true, "quality": 3 }), true),
            (json!({ "can_improve": false, "quality": 1 }), true),
            (json!({ "can_improve": true, "quality": 1 }), false),
        ] {
            let changed = changed(&resolved, more.clone());
            assert_eq!(changed.resolution.is_some(), stays, "{more}");
            assert_eq!(changed.resolved_at.is_some(), stays, "{more}");
        }
        let good = changed(&resolved, json!({ "can_improve": false, "quality": 5 }));
        let again = changed(&good, json!({ "can_improve": true, "quality": 5 }));
        assert_eq!(again.resolution, None);
        assert!(again.resolve(done(), now()).is_ok());
    }

    #[test]
    fn an_audit_is_added_up() {
        let done = AuditLineResolution { resolution: "Done.".parse().unwrap() };
        let resolved = || line(&json!({ "can_improve": true })).resolve(done.clone(), now());
        // It was made better, and then found to be as good as can be.
        let fine = found(&json!({ "quality": 5 }));
        let fine = resolved().unwrap().record.change(&audit(), fine).unwrap().record;
        let better = json!({ "can_improve": true, "quality": 2 });
        let lines = [
            line(&json!({ "class": "obligation", "quality": 5 })),
            line(&better),
            resolved().unwrap().record,
            fine,
        ];
        let sum = AuditSummary {
            lines: 4,
            obligations: 1,
            services: 3,
            can_improve: 2,
            resolved: 1,
            not_rated: 1,
        };
        assert_eq!(AuditSummary::of(&lines), sum);
    }
}
