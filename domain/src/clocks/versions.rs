//! Versions of policies: for which complaints their targets count, and what the targets are. A published version is
//! never changed.

use super::{
    MOST_SLA_POLICIES, SLA_METRIC_REPEATED, SLA_POLICY_MATCHES_NOTHING, SLA_WARNING_BEYOND_TARGET,
    SlaTalk, TOO_MANY_SLA_POLICIES,
};
use crate::{
    change::Change,
    complaints::{
        Complaint, ComplaintDetails, ComplaintKind, ComplaintSource, ComplaintState, Severity,
    },
    ids::{DealerId, SlaPolicyId, SlaVersionId},
    lists::list_of,
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    tenancy::{Dealer, DealerStatus},
    text::Code,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeSet};
use utoipa::ToSchema;

whole_numbers! {
    /// A span of a deadline, in minutes: at most a year.
    SlaMinutes = 1 to 525_600, "A span in minutes: at most a year.", 60;
    /// A share of a target, in hundredths of a percent: some of it, and not all.
    SlaShare = 1 to 9999, "A share of the target, in hundredths of a percent.", 7500;
}

/// What is to be done in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaMetric {
    /// Somebody answers the customer for the first time (`acknowledge`).
    Acknowledge,
    /// The customer has heard our decision, by a message or by word of mouth (`tell`).
    FirstResponse,
    /// It is decided for the first time (`decide`).
    Decision,
    /// It is resolved for the first time (`resolve`); reopening does not begin it anew.
    FirstResolution,
    /// It is resolved; when it is reopened, the time runs on, and what lay between does not count.
    TotalResolution,
    /// The customer is answered whenever they have said something (a message `from_customer`): by a message to them, the
    /// decision, or the resolution. Each time is a round of its own.
    NextResponse,
    /// The customer hears from us, from its arrival on and after each time they have, until it is resolved. Each time is
    /// a round of its own.
    PeriodicUpdate,
}

impl SlaMetric {
    /// Whether `complaint`, as it is now, has what is to be done; in rounds, what is to be done since `since`.
    pub(super) fn is_met_by(self, complaint: &Complaint, talk: SlaTalk, since: Timestamp) -> bool {
        match self {
            Self::Acknowledge => complaint.first_answer_at.is_some(),
            Self::FirstResponse => complaint.told_at.is_some(),
            Self::Decision => complaint.decision.is_some(),
            Self::FirstResolution | Self::TotalResolution => complaint.state.is_settled(),
            Self::NextResponse => talk.is_answered(complaint, since),
            Self::PeriodicUpdate => !complaint.state.is_open() || talk.is_heard(complaint, since),
        }
    }

    /// Whether it cannot be done any more, or need not be: a customer who is content closes it without having been told,
    /// and a complaint that was set aside owes nothing.
    pub(super) fn is_void_for(self, complaint: &Complaint) -> bool {
        if complaint.state.is_set_aside() {
            return true;
        }
        match self {
            Self::FirstResponse => complaint.state == ComplaintState::Closed,
            // Who says their last word when all is over waits for nothing.
            Self::NextResponse => complaint.is_over(),
            Self::Acknowledge
            | Self::Decision
            | Self::FirstResolution
            | Self::TotalResolution
            | Self::PeriodicUpdate => false,
        }
    }

    /// Whether it may have to be done once more.
    pub(super) fn runs_on(self) -> bool {
        match self {
            Self::TotalResolution => true,
            Self::Acknowledge
            | Self::FirstResponse
            | Self::Decision
            | Self::FirstResolution
            | Self::NextResponse
            | Self::PeriodicUpdate => false,
        }
    }
}

/// What follows when a deadline comes near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaWarningAction {
    /// The next rank answers for the complaint, beside whoever has it.
    Escalate,
    /// Somebody of the next rank takes it over, and whoever had it answers for it no longer.
    Reassign,
}

/// What follows when a deadline is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaBreachAction {
    /// The next rank answers for the complaint, beside whoever has it.
    Escalate,
    /// Somebody of the next rank takes it over, and whoever had it answers for it no longer.
    Reassign,
    /// A finding `deadline_missed` is noticed, and resolved once what was due is done.
    Finding,
}

/// How a complaint goes up because of a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlaAscent {
    /// The next rank answers for it, too.
    Escalate,
    /// The next rank takes it over.
    Reassign,
}

/// For which complaints a version counts. What is left out or empty does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "kinds": ["quality"], "severity_at_least": 3 })))]
pub struct SlaAppliesTo {
    /// Those of these kinds, at most 6.
    #[serde(default, deserialize_with = "list_of::<0, 6, _, _>")]
    #[schema(max_items = 6)]
    pub kinds: Vec<ComplaintKind>,
    /// Those that reached the brand so, at most 5.
    #[serde(default, deserialize_with = "list_of::<0, 5, _, _>")]
    #[schema(max_items = 5)]
    pub sources: Vec<ComplaintSource>,
    /// Those that are at least so bad.
    #[serde(default)]
    pub severity_at_least: Option<Severity>,
    /// Those of customers of these tiers, at most 20.
    #[serde(default, deserialize_with = "list_of::<0, 20, _, _>")]
    #[schema(max_items = 20)]
    pub tiers: Vec<Code>,
    /// Those that people of these dealers answer, at most 50.
    #[serde(default, deserialize_with = "list_of::<0, 50, _, _>")]
    #[schema(max_items = 50)]
    pub dealer_ids: Vec<DealerId>,
}

impl SlaAppliesTo {
    /// How much it says: the more, the sooner it is picked among policies of one rank.
    pub fn specificity(&self) -> usize {
        let Self { kinds, sources, severity_at_least, tiers, dealer_ids } = self;
        let said = [
            !kinds.is_empty(),
            !sources.is_empty(),
            severity_at_least.is_some(),
            !tiers.is_empty(),
            !dealer_ids.is_empty(),
        ];
        said.into_iter().filter(|is_said| *is_said).count()
    }

    fn fits(&self, matter: &SlaMatter) -> bool {
        let Self { kinds, sources, severity_at_least, tiers, dealer_ids } = self;
        (kinds.is_empty() || kinds.contains(&matter.kind))
            && (sources.is_empty() || sources.contains(&matter.source))
            && severity_at_least.is_none_or(|least| matter.severity >= least)
            && (tiers.is_empty() || matter.tier.as_ref().is_some_and(|tier| tiers.contains(tier)))
            && (dealer_ids.is_empty()
                || matter.dealer_id.is_some_and(|dealer| dealer_ids.contains(&dealer)))
    }
}

/// What of a complaint decides which policy it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaMatter {
    /// What it is about.
    pub kind: ComplaintKind,
    /// How it reached the brand.
    pub source: ComplaintSource,
    /// How bad it is.
    pub severity: Severity,
    /// The tier of the customer.
    pub tier: Option<Code>,
    /// Whose people answer it.
    pub dealer_id: Option<DealerId>,
}

impl SlaMatter {
    /// That of a complaint with these details, by a customer of this tier.
    pub fn of(details: &ComplaintDetails, tier: Option<Code>) -> Self {
        let ComplaintDetails { kind, source, severity, dealer_id, .. } = details;
        Self { kind: *kind, source: *source, severity: *severity, tier, dealer_id: *dealer_id }
    }
}

/// By when something is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "metric": "first_resolution", "within_minutes": 2880, "working_time": true,
    "warn_at_bp": [7500], "warn_before_minutes": [60], "pause_while_waiting": true,
    "at_warning": ["escalate"], "at_breach": ["escalate", "finding"],
})))]
pub struct SlaTarget {
    /// What is to be done.
    pub metric: SlaMetric,
    /// In how many minutes from the complaint on.
    pub within_minutes: SlaMinutes,
    /// Whether only the working time of those who answer counts; otherwise all hours do.
    #[serde(default)]
    pub working_time: bool,
    /// After which shares of the time a warning is given, in hundredths of a percent; at most 5.
    #[serde(default, deserialize_with = "list_of::<0, 5, _, _>")]
    #[schema(max_items = 5)]
    pub warn_at_bp: Vec<SlaShare>,
    /// How many minutes before the deadline a warning is given, counted as the target is; at most 5.
    #[serde(default, deserialize_with = "list_of::<0, 5, _, _>")]
    #[schema(max_items = 5)]
    pub warn_before_minutes: Vec<SlaMinutes>,
    /// Whether the time stands still while we wait for the customer. It never does while we wait for anybody else.
    #[serde(default)]
    pub pause_while_waiting: bool,
    /// What follows from a warning; it stands in the timeline in any case.
    #[serde(default)]
    pub at_warning: BTreeSet<SlaWarningAction>,
    /// What follows when it is not done in time; it stands in the timeline in any case.
    #[serde(default)]
    pub at_breach: BTreeSet<SlaBreachAction>,
}

impl SlaTarget {
    /// How the complaint goes up at a warning.
    pub fn ascent_at_warning(&self) -> Option<SlaAscent> {
        let does = |action| self.at_warning.contains(&action);
        if does(SlaWarningAction::Reassign) {
            return Some(SlaAscent::Reassign);
        }
        does(SlaWarningAction::Escalate).then_some(SlaAscent::Escalate)
    }

    /// How the complaint goes up when the deadline has passed.
    pub fn ascent_at_breach(&self) -> Option<SlaAscent> {
        let does = |action| self.at_breach.contains(&action);
        if does(SlaBreachAction::Reassign) {
            return Some(SlaAscent::Reassign);
        }
        does(SlaBreachAction::Escalate).then_some(SlaAscent::Escalate)
    }

    /// How many seconds count until it must be done.
    pub fn seconds(&self) -> i64 {
        i64::from(self.within_minutes.get()).saturating_mul(SECONDS_A_MINUTE)
    }

    /// After how many seconds that count warnings are given. Two at the same time are one.
    pub fn warnings(&self) -> BTreeSet<i64> {
        let whole = self.seconds();
        let shares = self
            .warn_at_bp
            .iter()
            .map(|share| whole.saturating_mul(i64::from(share.get())).div_euclid(BASIS_POINTS));
        let leads = self.warn_before_minutes.iter().map(|lead| {
            whole.saturating_sub(i64::from(lead.get()).saturating_mul(SECONDS_A_MINUTE))
        });
        shares.chain(leads).filter(|after| *after < whole).collect()
    }
}

const SECONDS_A_MINUTE: i64 = 60;
const BASIS_POINTS: i64 = 10_000;

/// What a version says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "applies_to": { "severity_at_least": 3 },
    "targets": [
        { "metric": "acknowledge", "within_minutes": 60, "working_time": true,
          "warn_before_minutes": [15], "at_breach": ["escalate"] },
        { "metric": "first_resolution", "within_minutes": 2880, "working_time": true,
          "warn_at_bp": [7500], "pause_while_waiting": true, "at_breach": ["escalate", "finding"] },
    ],
})))]
pub struct SlaVersionDetails {
    /// For which complaints it counts; for all when nothing is said.
    #[serde(default)]
    pub applies_to: SlaAppliesTo,
    /// By when what is to be done, 1 to 10 targets, each metric once.
    #[serde(deserialize_with = "list_of::<1, 10, _, _>")]
    #[schema(min_items = 1, max_items = 10)]
    pub targets: Vec<SlaTarget>,
}

impl SlaVersionDetails {
    /// Makes sure that its targets can be kept.
    ///
    /// # Errors
    ///
    /// `sla_metric_repeated`, `sla_warning_beyond_target`.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for (place, target) in self.targets.iter().enumerate() {
            if !seen.insert(target.metric) {
                return Err(Refusal::new(&SLA_METRIC_REPEATED)
                    .with("metric", target.metric)
                    .at(format!("/targets/{place}/metric")));
            }
            let early =
                target.warn_before_minutes.iter().position(|lead| *lead >= target.within_minutes);
            if let Some((at, lead)) =
                early.and_then(|at| Some((at, target.warn_before_minutes.get(at)?)))
            {
                return Err(Refusal::new(&SLA_WARNING_BEYOND_TARGET)
                    .with("metric", target.metric)
                    .with("within_minutes", target.within_minutes)
                    .with("warn_before_minutes", lead)
                    .at(format!("/targets/{place}/warn_before_minutes/{at}")));
            }
        }
        Ok(())
    }
}

/// Where a version of a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaVersionState {
    /// It is being written.
    Draft,
    /// It counts for complaints that arrive, and cannot be changed.
    Published,
    /// A newer one took its place, or the brand withdrew it; clocks that began under it go on.
    Retired,
}

impl SlaVersionState {
    fn ways_on(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["change", "publish"],
            Self::Published => &["retire"],
            Self::Retired => &[],
        }
    }
}

/// One version of a policy. A published version is never changed; what is to be different becomes a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "slv_01m80t7jx3e9vbq2f4c6d8g0hk", "sla_policy_id": "slp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "number": 1, "state": "published",
    "applies_to": { "kinds": [], "sources": [], "severity_at_least": 3, "tiers": [], "dealer_ids": [] },
    "targets": [{ "metric": "acknowledge", "within_minutes": 60, "working_time": true, "warn_at_bp": [],
        "warn_before_minutes": [15], "pause_while_waiting": false, "at_warning": [], "at_breach": ["escalate"] }],
    "published_at": "2026-11-22T09:30:00Z", "retired_at": null, "version": 2,
    "created_at": "2026-11-22T09:00:00Z",
})))]
pub struct SlaVersion {
    /// Its identifier.
    pub id: SlaVersionId,
    /// The policy it is a version of.
    pub sla_policy_id: SlaPolicyId,
    /// Which version, from 1.
    pub number: u32,
    /// Where it stands.
    pub state: SlaVersionState,
    /// What it says.
    #[serde(flatten)]
    pub details: SlaVersionDetails,
    /// When it came into force.
    pub published_at: Option<Timestamp>,
    /// When it ceased to be in force.
    pub retired_at: Option<Timestamp>,
    /// How often the record was changed.
    pub version: Version,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Record for SlaVersion {
    type Id = SlaVersionId;

    fn id(&self) -> SlaVersionId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// A version that came into force, and the one whose place it took.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a publication that is not recorded has not happened"]
pub struct SlaPublication {
    /// The version that is no longer in force; recorded first, because only one can be.
    pub retired: Option<Change<SlaVersion>>,
    /// The version that is in force.
    pub published: Change<SlaVersion>,
}

impl SlaVersion {
    /// Writes a draft anew.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not a draft, and those of [`SlaVersionDetails::check`].
    pub fn change(self, details: SlaVersionDetails) -> Result<Change<Self>, Refusal> {
        self.require(SlaVersionState::Draft)?;
        details.check()?;
        Ok(Change::edit("change", &self, |it| it.details = details))
    }

    /// Makes sure that somebody can answer the complaints it is for. `named` are the dealers it names.
    ///
    /// # Errors
    ///
    /// `sla_policy_matches_nothing` when it names dealers and all of them are closed.
    pub fn require_match(&self, named: &[Dealer]) -> Result<(), Refusal> {
        let ids = &self.details.applies_to.dealer_ids;
        let works = |dealer: &Dealer| dealer.status == DealerStatus::Active;
        if ids.is_empty() || named.iter().any(works) {
            return Ok(());
        }
        Err(Refusal::new(&SLA_POLICY_MATCHES_NOTHING).with("dealer_ids", ids))
    }

    /// Brings a draft into force, in place of `in_force`; `others` policies have a version in force.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not a draft; `too_many_sla_policies`.
    pub fn publish(
        self,
        in_force: Option<Self>,
        others: u32,
        now: Timestamp,
    ) -> Result<SlaPublication, Refusal> {
        self.require(SlaVersionState::Draft)?;
        if others >= MOST_SLA_POLICIES {
            return Err(Refusal::new(&TOO_MANY_SLA_POLICIES).with("most", MOST_SLA_POLICIES));
        }
        let retired = in_force.map(|older| older.retire(now)).transpose()?;
        let published = Self { published_at: Some(now), ..self };
        let published = published.move_to("publish", SlaVersionState::Published);
        Ok(SlaPublication { retired, published })
    }

    /// Takes a version out of force; clocks that began under it go on.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is not published.
    pub fn retire(self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.require(SlaVersionState::Published)?;
        let retired = Self { retired_at: Some(now), ..self };
        Ok(retired.move_to("retire", SlaVersionState::Retired))
    }

    fn require(&self, state: SlaVersionState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        Err(illegal(self.state, self.state.ways_on()))
    }

    fn move_to(self, action: &'static str, to: SlaVersionState) -> Change<Self> {
        let (from, number) = (self.state, self.number);
        Change::new(action, Self { state: to, ..self }).moved(from, to).with("number", number)
    }
}

/// A version in force, as it is looked at for a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaCandidate {
    /// Its policy.
    pub sla_policy_id: SlaPolicyId,
    /// The version.
    pub sla_version_id: SlaVersionId,
    /// The rank of the policy.
    pub rank: u32,
    /// What the version says.
    pub details: SlaVersionDetails,
}

impl SlaCandidate {
    /// The one that a complaint follows: of those that fit the one with the highest rank, then the one that says
    /// most, then the oldest policy. `None` when none fits.
    pub fn pick<'c>(candidates: &'c [Self], matter: &SlaMatter) -> Option<&'c Self> {
        let fitting = candidates.iter().filter(|one| one.details.applies_to.fits(matter));
        fitting.min_by_key(|one| {
            let specificity = one.details.applies_to.specificity();
            (Reverse(one.rank), Reverse(specificity), one.sla_policy_id)
        })
    }
}
