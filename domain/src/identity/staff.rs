//! The people who work for a dealer or for the brand.

use super::{Actor, Rank, Reach, Role};
use crate::{
    change::Change,
    event::Event,
    ids::{DealerId, IssuerId, SiteId, StaffId, TeamId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule, illegal},
    tenancy::{Site, Team},
    text::{Bilingual, ExternalId, Name},
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Whether somebody works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StaffStatus {
    /// They do.
    Active,
    /// They do no longer; they are not let in, what they did stays.
    Left,
}

/// Days on which somebody does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"from_on": "2026-12-24", "to_on": "2026-12-31"})))]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// The first day off.
    pub from_on: CivilDate,
    /// The last day off; not before the first.
    pub to_on: CivilDate,
}

/// Whose something is from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk" })))]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Whose: somebody who works at the dealer whom it is about, or for the brand, and is no auditor.
    pub staff_id: StaffId,
}

impl Leave {
    /// Whether `day` is a day off.
    pub fn covers(self, day: CivilDate) -> bool {
        (self.from_on..=self.to_on).contains(&day)
    }
}

/// What is said about somebody who works here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "external_id": "hr-1042", "name": "王伟", "role": "technician", "site_ids": ["sit_01m80t7jx3e9vbq2f4c6d8g0hk"], "issuer_id": "iss_01m80t7jx3e9vbq2f4c6d8g0hk", "subject": "u-1042", "on_leave": null, "deputy_id": null, "team_id": null})))]
#[serde(deny_unknown_fields)]
pub struct StaffDetails {
    /// The dealer they work for; absent for the brand's own people.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// What the brand's own system calls them; unique within the brand.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// Their name.
    pub name: Name,
    /// What they do, and so what they may do here.
    pub role: Role,
    /// The sites they work at; all of their dealer's when empty.
    #[serde(default)]
    pub site_ids: BTreeSet<SiteId>,
    /// Where they sign in; absent for somebody who does not.
    #[serde(default)]
    pub issuer_id: Option<IssuerId>,
    /// What that place calls them: the `sub` of its tokens. Nobody else there has the same.
    #[serde(default)]
    pub subject: Option<ExternalId>,
    /// Days on which no visit is planned for them, and on which their deputy decides.
    #[serde(default)]
    pub on_leave: Option<Leave>,
    /// Who decides about gestures in their place while they are on leave: somebody of the same dealer who may decide
    /// about gestures.
    #[serde(default)]
    pub deputy_id: Option<StaffId>,
    /// The team of their dealer whose budget they spend.
    #[serde(default)]
    pub team_id: Option<TeamId>,
}

/// Somebody who works for a dealer or for the brand.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "status": "active", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "external_id": "hr-1042", "name": "王伟", "role": "technician", "site_ids": ["sit_01m80t7jx3e9vbq2f4c6d8g0hk"], "issuer_id": "iss_01m80t7jx3e9vbq2f4c6d8g0hk", "subject": "u-1042", "on_leave": null, "deputy_id": null, "team_id": null, "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct Staff {
    /// Their identifier.
    pub id: StaffId,
    /// Whether they work here.
    pub status: StaffStatus,
    /// What is said about them.
    #[serde(flatten)]
    pub details: StaffDetails,
    /// How often this was changed.
    pub version: Version,
    /// When they were entered.
    pub created_at: Timestamp,
}

/// A role of a dealer without a dealer.
pub(super) static ROLE_NEEDS_DEALER: Rule = Rule {
    code: "role_needs_dealer",
    kind: Kind::Unfit,
    title: Bilingual { en: "This role belongs to a dealer", zh: "该角色必须属于经销商" },
    detail: Bilingual {
        en: "A {role} works for a dealer, but none is named.",
        zh: "{role} 须隶属于经销商，但未指定经销商。",
    },
    advice: Bilingual {
        en: "Name the dealer in `dealer_id`, or choose a role of the brand.",
        zh: "请在 `dealer_id` 中指定经销商，或选择品牌方角色。",
    },
};

/// A role of the brand at a dealer.
pub(super) static ROLE_IS_THE_BRANDS: Rule = Rule {
    code: "role_is_the_brands",
    kind: Kind::Unfit,
    title: Bilingual { en: "This role belongs to the brand", zh: "该角色属于品牌方" },
    detail: Bilingual {
        en: "A {role} sees every dealer and so cannot work for one of them.",
        zh: "{role} 可查看所有经销商，因此不能隶属于某一经销商。",
    },
    advice: Bilingual {
        en: "Leave `dealer_id` and `site_ids` out, or choose a role of a dealer.",
        zh: "请勿填写 `dealer_id` 和 `site_ids`，或选择经销商角色。",
    },
};

/// A site that does not belong to the person's dealer.
pub(super) static SITE_OF_ANOTHER_DEALER: Rule = Rule {
    code: "staff_site_of_another_dealer",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not a site of this dealer", zh: "网点不属于该经销商" },
    detail: Bilingual {
        en: "These are not sites of the person's dealer: {site_ids}.",
        zh: "以下网点不属于该人员所在的经销商：{site_ids}。",
    },
    advice: Bilingual {
        en: "List the dealer's sites and name some of them, or none for all of them.",
        zh: "请查询该经销商的网点并从中选择；不填表示全部网点。",
    },
};

/// Somebody would be given more than the giver has.
pub(super) static RANK_BEYOND_YOURS: Rule = Rule {
    code: "rank_beyond_yours",
    kind: Kind::NotYours,
    title: Bilingual { en: "Above your own rank", zh: "超出您的级别" },
    detail: Bilingual {
        en: "It takes rank {required_rank} to decide about a {role}; yours is {your_rank}.",
        zh: "对 {role} 作出变更需要级别 {required_rank}，您的级别为 {your_rank}。",
    },
    advice: Bilingual {
        en: "Ask somebody of the required rank, or of the brand.",
        zh: "请联系具备所需级别的人员或品牌方。",
    },
};

/// A place to sign in without a name there, or a name without a place.
pub(super) static SIGN_IN_INCOMPLETE: Rule = Rule {
    code: "sign_in_incomplete",
    kind: Kind::Unfit,
    title: Bilingual { en: "Sign-in incomplete", zh: "登录信息不完整" },
    detail: Bilingual {
        en: "To sign in, somebody needs both `issuer_id` and `subject`.",
        zh: "登录需要同时填写 `issuer_id` 与 `subject`。",
    },
    advice: Bilingual { en: "Give both, or neither.", zh: "请同时填写或同时省略。" },
};

/// A leave ends before it begins.
pub(super) static LEAVE_ENDS_BEFORE_IT_BEGINS: Rule = Rule {
    code: "leave_ends_before_it_begins",
    kind: Kind::Unfit,
    title: Bilingual { en: "Leave ends before it begins", zh: "休假结束早于开始" },
    detail: Bilingual {
        en: "The leave would begin on {from_on} and end on {to_on}.",
        zh: "休假将于 {from_on} 开始、{to_on} 结束。",
    },
    advice: Bilingual {
        en: "Give a last day that is not before the first; one day off has the same twice.",
        zh: "结束日期不得早于开始日期；休假一天时两者相同。",
    },
};

/// A deputy who could not decide.
pub(super) static DEPUTY_CANNOT_DECIDE: Rule = Rule {
    code: "deputy_cannot_decide",
    kind: Kind::Unfit,
    title: Bilingual { en: "They cannot stand in", zh: "该人员无法代理" },
    detail: Bilingual {
        en: "{deputy_id} cannot decide about gestures in this person's place.",
        zh: "{deputy_id} 无法代替此人审批。",
    },
    advice: Bilingual {
        en: "Name somebody else who works for the same dealer, as a manager or owner, or for the brand as its administrator.",
        zh: "请指定同一经销商的另一位经理或负责人，品牌方人员则指定另一位管理员。",
    },
};

/// A team of another dealer.
pub(crate) static TEAM_OF_ANOTHER_DEALER: Rule = Rule {
    code: "team_of_another_dealer",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not a team of this dealer", zh: "团队不属于该经销商" },
    detail: Bilingual {
        en: "{team_id} is not a team of the person's dealer.",
        zh: "{team_id} 不是该人员所在经销商的团队。",
    },
    advice: Bilingual {
        en: "List the dealer's teams and name one of them, or none.",
        zh: "请查询该经销商的团队并从中选择，或留空。",
    },
};

/// Who decides about somebody, and what they know of those who are named.
#[derive(Debug, Clone, Copy)]
pub struct Hiring<'a> {
    /// Who decides.
    pub by: Actor,
    /// How much they see. Who sees one dealer only is an owner at most, whatever their rank: a key that
    /// the brand made for a dealer does not hire for the brand.
    pub reach: Reach,
    /// Those of the named sites that exist.
    pub sites: &'a [Site],
    /// The deputy that is named.
    pub deputy: Option<&'a Staff>,
    /// The team that is named.
    pub team: Option<&'a Team>,
}

impl Hiring<'_> {
    fn rank(&self) -> Rank {
        let most = if self.reach.dealer.is_some() { Rank::OWNER } else { Rank::BRAND };
        self.by.rank().min(most)
    }
}

impl Staff {
    /// Enters somebody.
    ///
    /// # Errors
    ///
    /// `rank_beyond_yours` for a role above the rank of who decides, `role_needs_dealer`,
    /// `role_is_the_brands`, `staff_site_of_another_dealer`, `sign_in_incomplete`,
    /// `leave_ends_before_it_begins`, `deputy_cannot_decide` and `team_of_another_dealer`.
    pub fn hire(
        id: StaffId,
        details: StaffDetails,
        hiring: Hiring<'_>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        check(id, &details, hiring)?;
        Ok(Change::created(Self {
            id,
            status: StaffStatus::Active,
            details,
            version: Version::FIRST,
            created_at: now,
        }))
    }

    /// Changes what is said about somebody. A changed role or dealer acts within five seconds.
    ///
    /// # Errors
    ///
    /// Those of [`Staff::hire`]; `rank_beyond_yours` also when the role until now is above the rank of who
    /// decides.
    pub fn change(
        self,
        details: StaffDetails,
        hiring: Hiring<'_>,
    ) -> Result<Change<Self>, Refusal> {
        within_rank(self.details.role, hiring.rank())?;
        check(self.id, &details, hiring)?;
        let (from, to) = (self.details.role, details.role);
        let visits = self.visits_differently(&details);
        let moves = self.details.dealer_id != details.dealer_id;
        let leave_changed = self.details.on_leave != details.on_leave;
        let change = Change::edit("change", &self, |it| it.details = details);
        let change = if from == to { change } else { change.moved(from, to) };
        let change = match (moves, leave_changed) {
            (true, true | false) => change.leaves_work(),
            (false, true) => change.leaves_complaints(),
            (false, false) => change,
        };
        Ok(if visits { change.announced() } else { change })
    }

    /// Records that somebody does not work here any more. Their tokens end within five seconds.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when they left already; `rank_beyond_yours`.
    pub fn leave(self, by: Actor) -> Result<Change<Self>, Refusal> {
        let change = self.turn("leave", by, StaffStatus::Active, StaffStatus::Left)?.leaves_work();
        let visits = change.record.details.role == Role::Technician;
        Ok(if visits { change.announced() } else { change })
    }

    /// Records that somebody works here again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when they have not left; `rank_beyond_yours`.
    pub fn rejoin(self, by: Actor) -> Result<Change<Self>, Refusal> {
        self.turn("rejoin", by, StaffStatus::Left, StaffStatus::Active)
    }

    fn turn(
        self,
        action: &'static str,
        by: Actor,
        from: StaffStatus,
        to: StaffStatus,
    ) -> Result<Change<Self>, Refusal> {
        within_rank(self.details.role, by.rank())?;
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to))
    }

    /// Whether a technician could be kept by `details` from visits that they could make until now.
    fn visits_differently(&self, details: &StaffDetails) -> bool {
        let of = |it: &StaffDetails| (it.role, it.dealer_id, it.site_ids.clone(), it.on_leave);
        self.details.role == Role::Technician && of(&self.details) != of(details)
    }

    /// Whether they can be sent to a customer on `date`.
    pub fn works_on(&self, date: CivilDate) -> bool {
        let is_off =
            self.details.on_leave.is_some_and(|off| off.from_on <= date && date <= off.to_on);
        self.status == StaffStatus::Active && !is_off
    }

    /// Whether they work at this site of their dealer.
    pub fn works_at(&self, site: SiteId) -> bool {
        self.details.site_ids.is_empty() || self.details.site_ids.contains(&site)
    }

    /// Whether work of a dealer may be given to them, or work of the brand when it is no dealer's: they work there or
    /// for the brand, and do more than look on.
    pub fn may_be_given_work_of(&self, dealer: Option<DealerId>) -> bool {
        let role = self.details.role;
        let works_there =
            role.is_brand() || dealer.is_none_or(|dealer| self.details.dealer_id == Some(dealer));
        works_there && self.status == StaffStatus::Active && role != Role::Auditor
    }

    /// Who they are in the audit log.
    pub fn actor(&self) -> Actor {
        Actor::Staff { id: self.id, rank: self.details.role.rank() }
    }

    /// How much of the brand they see.
    pub fn reach(&self) -> Reach {
        let technician = (self.details.role == Role::Technician).then_some(self.id);
        Reach { dealer: self.details.dealer_id, technician }
    }
}

impl Change<Staff> {
    /// Lets the steps of procedures be looked after that they were to do, and the complaints they answered for.
    fn leaves_work(self) -> Self {
        let staff = Some(self.record.id);
        self.emits(Event::StepsLeftBehind { staff, after: None }).leaves_complaints()
    }

    /// Lets the complaints be looked after that they answer for.
    fn leaves_complaints(self) -> Self {
        let staff = Some(self.record.id);
        self.emits(Event::ComplaintsLeftBehind { staff, after: None })
    }

    /// Lets the visits be looked after that they were to make.
    fn announced(self) -> Self {
        let staff = self.record.id;
        self.emits(Event::TechnicianChanged { staff, after: None })
    }
}

impl StaffStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["leave"],
            Self::Left => &["rejoin"],
        }
    }
}

fn check(id: StaffId, details: &StaffDetails, hiring: Hiring<'_>) -> Result<(), Refusal> {
    let role = details.role;
    within_rank(role, hiring.rank())?;
    match details.dealer_id {
        None if !role.is_brand() => {
            return Err(Refusal::new(&ROLE_NEEDS_DEALER).with("role", role).at("/dealer_id"));
        }
        Some(_) if role.is_brand() => {
            return Err(Refusal::new(&ROLE_IS_THE_BRANDS).with("role", role).at("/dealer_id"));
        }
        None | Some(_) => {}
    }
    own_sites(details, hiring.sites)?;
    own_deputy(id, details, hiring.deputy)?;
    own_team(details, hiring.team)?;
    if details.issuer_id.is_some() != details.subject.is_some() {
        return Err(Refusal::new(&SIGN_IN_INCOMPLETE));
    }
    match details.on_leave {
        Some(Leave { from_on, to_on }) if to_on < from_on => {
            Err(Refusal::new(&LEAVE_ENDS_BEFORE_IT_BEGINS)
                .with("from_on", from_on)
                .with("to_on", to_on)
                .at("/on_leave/to_on"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Nobody gives a role above their own; the brand's roles are given by the brand.
fn within_rank(role: Role, own: Rank) -> Result<(), Refusal> {
    let required = if role.is_brand() { Rank::BRAND } else { role.rank() };
    if own >= required {
        return Ok(());
    }
    Err(Refusal::new(&RANK_BEYOND_YOURS)
        .with("role", role)
        .with("required_rank", required)
        .with("your_rank", own)
        .at("/role"))
}

fn own_sites(details: &StaffDetails, sites: &[Site]) -> Result<(), Refusal> {
    let is_own = |id: &SiteId| {
        sites.iter().any(|site| site.id == *id && Some(site.dealer_id) == details.dealer_id)
    };
    let foreign: Vec<_> = details.site_ids.iter().filter(|id| !is_own(id)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(&SITE_OF_ANOTHER_DEALER).with("site_ids", foreign).at("/site_ids"))
}

fn own_deputy(id: StaffId, details: &StaffDetails, deputy: Option<&Staff>) -> Result<(), Refusal> {
    let decides = |deputy: &Staff| {
        deputy.id != id
            && deputy.status == StaffStatus::Active
            && deputy.details.dealer_id == details.dealer_id
            && deputy.details.role.decides_gestures()
    };
    if details.deputy_id.is_none() || deputy.is_some_and(decides) {
        return Ok(());
    }
    Err(Refusal::new(&DEPUTY_CANNOT_DECIDE).with("deputy_id", details.deputy_id).at("/deputy_id"))
}

fn own_team(details: &StaffDetails, team: Option<&Team>) -> Result<(), Refusal> {
    let is_own = |team: &Team| Some(team.dealer_id) == details.dealer_id;
    if details.team_id.is_none() || team.is_some_and(is_own) {
        return Ok(());
    }
    Err(Refusal::new(&TEAM_OF_ANOTHER_DEALER).with("team_id", details.team_id).at("/team_id"))
}

impl Record for Staff {
    type Id = StaffId;

    fn id(&self) -> StaffId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_in_result, reason = "helpers hand the rule's own answer on")]
mod tests {
    use super::*;
    use uuid::Uuid;

    const BRAND: Actor = Actor::Operator;

    fn dealer(n: u128) -> DealerId {
        Uuid::from_u128(n).into()
    }

    fn in_role(role: Role, dealer_id: Option<DealerId>) -> StaffDetails {
        StaffDetails {
            dealer_id,
            external_id: None,
            name: Name::new("李娜").unwrap(),
            role,
            site_ids: BTreeSet::new(),
            issuer_id: None,
            subject: None,
            on_leave: None,
            deputy_id: None,
            team_id: None,
        }
    }

    fn hires(by: Actor, details: StaffDetails, sites: &[Site]) -> Result<Change<Staff>, Refusal> {
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let hiring = Hiring { by, reach: Reach::default(), sites, deputy: None, team: None };
        Staff::hire(Uuid::from_u128(9).into(), details, hiring, now)
    }

    fn of_rank(rank: Rank) -> Actor {
        Actor::Staff { id: Uuid::from_u128(1).into(), rank }
    }

    fn code(result: Result<Change<Staff>, Refusal>) -> &'static str {
        result.unwrap_err().rule.code
    }

    #[test]
    fn a_role_stands_where_it_belongs() {
        assert!(hires(BRAND, in_role(Role::Clerk, Some(dealer(1))), &[]).is_ok());
        assert_eq!(code(hires(BRAND, in_role(Role::Clerk, None), &[])), "role_needs_dealer");
        assert!(hires(BRAND, in_role(Role::BrandSupport, None), &[]).is_ok());
        let at_dealer = in_role(Role::BrandSupport, Some(dealer(1)));
        assert_eq!(code(hires(BRAND, at_dealer, &[])), "role_is_the_brands");
    }

    #[test]
    fn an_owner_hires_up_to_owners_and_nobody_of_the_brand() {
        let owner = of_rank(Rank::OWNER);
        assert!(hires(owner, in_role(Role::Owner, Some(dealer(1))), &[]).is_ok());
        let refusal = hires(owner, in_role(Role::BrandSupport, None), &[]).unwrap_err();
        assert_eq!(refusal.rule.code, "rank_beyond_yours");
        assert_eq!(refusal.facts["required_rank"], 60);
        assert_eq!(refusal.facts["your_rank"], 40);
        assert_eq!(code(hires(owner, in_role(Role::Auditor, None), &[])), "rank_beyond_yours");
    }

    #[test]
    fn a_key_for_one_dealer_hires_like_its_owner() {
        let key = Actor::Key(Uuid::from_u128(4).into());
        let reach = Reach { dealer: Some(dealer(1)), technician: None };
        let hiring = Hiring { by: key, reach, sites: &[], deputy: None, team: None };
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let id = Uuid::from_u128(9).into();
        assert!(Staff::hire(id, in_role(Role::Owner, Some(dealer(1))), hiring, now).is_ok());
        let admin = Staff::hire(id, in_role(Role::BrandAdmin, None), hiring, now);
        assert_eq!(code(admin), "rank_beyond_yours");
    }

    #[test]
    fn a_manager_decides_nothing_about_an_owner() {
        let owner = hires(BRAND, in_role(Role::Owner, Some(dealer(1))), &[]).unwrap().record;
        let manager = of_rank(Rank::MANAGER);
        let demoted = in_role(Role::Clerk, Some(dealer(1)));
        let hiring =
            Hiring { by: manager, reach: Reach::default(), sites: &[], deputy: None, team: None };
        assert_eq!(code(owner.clone().change(demoted, hiring)), "rank_beyond_yours");
        assert_eq!(code(owner.leave(manager)), "rank_beyond_yours");
    }

    #[test]
    fn a_person_works_at_sites_of_their_own_dealer() {
        let hours = serde_json::from_str(
            r#"{"code": "west-lake", "name": "西湖店", "tz": "Asia/Shanghai"}"#,
        );
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let site_id: SiteId = Uuid::from_u128(5).into();
        let site = Site::open(site_id, dealer(1), hours.unwrap(), None, now).unwrap().record;
        let mut details = in_role(Role::Technician, Some(dealer(1)));
        details.site_ids.insert(site_id);
        let hired = hires(BRAND, details.clone(), std::slice::from_ref(&site)).unwrap().record;
        assert!(hired.works_at(site_id));
        assert!(!hired.works_at(Uuid::from_u128(6).into()));
        details.dealer_id = Some(dealer(2));
        let refusal = hires(BRAND, details.clone(), &[site]).unwrap_err();
        assert_eq!(refusal.rule.code, "staff_site_of_another_dealer");
        assert_eq!(refusal.facts["site_ids"], serde_json::json!([site_id]));
        assert_eq!(code(hires(BRAND, details, &[])), "staff_site_of_another_dealer");
    }

    #[test]
    fn who_signs_in_has_a_place_and_a_name_there() {
        let mut details = in_role(Role::Clerk, Some(dealer(1)));
        details.issuer_id = Some(Uuid::from_u128(3).into());
        assert_eq!(code(hires(BRAND, details.clone(), &[])), "sign_in_incomplete");
        details.subject = Some("u-1".parse().unwrap());
        assert!(hires(BRAND, details.clone(), &[]).is_ok());
        details.issuer_id = None;
        assert_eq!(code(hires(BRAND, details, &[])), "sign_in_incomplete");
    }

    #[test]
    fn a_leave_lasts_at_least_a_day() {
        let on = |day: &str| day.parse().unwrap();
        let off = |from: &str, to: &str| StaffDetails {
            on_leave: Some(Leave { from_on: on(from), to_on: on(to) }),
            ..in_role(Role::Technician, Some(dealer(1)))
        };
        let hired = hires(BRAND, off("2026-12-01", "2026-12-01"), &[]).unwrap().record;
        assert!(hired.works_on(on("2026-11-30")));
        assert!(!hired.works_on(on("2026-12-01")));
        assert!(hired.works_on(on("2026-12-02")));
        let backwards = hires(BRAND, off("2026-12-01", "2026-11-30"), &[]);
        assert_eq!(code(backwards), "leave_ends_before_it_begins");
    }

    #[test]
    fn who_left_can_only_rejoin() {
        let hired = hires(BRAND, in_role(Role::Clerk, Some(dealer(1))), &[]).unwrap().record;
        assert_eq!(code(hired.clone().rejoin(BRAND)), "illegal_transition");
        let left = hired.leave(BRAND).unwrap().record;
        assert!(!left.works_on("2026-11-23".parse().unwrap()));
        assert_eq!(code(left.clone().leave(BRAND)), "illegal_transition");
        assert_eq!(left.rejoin(BRAND).unwrap().record.status, StaffStatus::Active);
    }

    #[test]
    fn visits_are_looked_after_when_a_technician_leaves_or_goes_on_leave() {
        let hired = |role| hires(BRAND, in_role(role, Some(dealer(1))), &[]).unwrap().record;
        let told =
            (Event::TechnicianChanged { staff: Uuid::from_u128(9).into(), after: None }, None);
        let staff = Some(Uuid::from_u128(9).into());
        let left_behind = (Event::StepsLeftBehind { staff, after: None }, None);
        let left = hired(Role::Technician).leave(BRAND).unwrap();
        let complaints = (Event::ComplaintsLeftBehind { staff, after: None }, None);
        assert_eq!(left.events, [left_behind.clone(), complaints.clone(), told.clone()]);
        let told_of = [left_behind, complaints.clone()];
        assert_eq!(hired(Role::Clerk).leave(BRAND).unwrap().events, told_of);
        let hiring =
            Hiring { by: BRAND, reach: Reach::default(), sites: &[], deputy: None, team: None };
        let on = |day: &str| day.parse().unwrap();
        let on_leave = Some(Leave { from_on: on("2026-12-01"), to_on: on("2026-12-02") });
        let away = StaffDetails { on_leave, ..in_role(Role::Technician, Some(dealer(1))) };
        let events = hired(Role::Technician).change(away, hiring).unwrap().events;
        assert_eq!(events, [complaints, told]);
        let moved = in_role(Role::Clerk, Some(dealer(2)));
        assert_eq!(hired(Role::Clerk).change(moved, hiring).unwrap().events, told_of);
        let name = Name::new("王伟").unwrap();
        let renamed = StaffDetails { name, ..in_role(Role::Technician, Some(dealer(1))) };
        assert_eq!(hired(Role::Technician).change(renamed, hiring).unwrap().events, []);
    }

    #[test]
    fn a_technician_sees_their_own_work_and_a_clerk_their_dealer() {
        let technician = in_role(Role::Technician, Some(dealer(1)));
        let technician = hires(BRAND, technician, &[]).unwrap().record;
        let sees = technician.reach();
        assert_eq!((sees.dealer, sees.technician), (Some(dealer(1)), Some(technician.id)));
        let clerk = hires(BRAND, in_role(Role::Clerk, Some(dealer(1))), &[]).unwrap().record;
        assert_eq!(clerk.reach(), Reach { dealer: Some(dealer(1)), technician: None });
        let admin = hires(BRAND, in_role(Role::BrandAdmin, None), &[]).unwrap().record;
        assert_eq!(admin.reach(), Reach::default());
    }
}
