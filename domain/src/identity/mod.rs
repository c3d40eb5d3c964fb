//! Identity: who calls, what they may do, and for whom they act.

mod issuers;
mod keys;
mod signing;
mod staff;
mod standing;
mod tokens;

pub use issuers::{
    Audiences, ForeignClaims, Issuer, IssuerDetails, IssuerStatus, MOST_ISSUERS, TokenAlgorithm,
};
pub use keys::{ApiKey, ApiKeyDetails, ApiKeyStatus, Grantor, MadeKey};
pub use signing::{
    ANNOUNCED_HOURS, LINGERS_HOURS, SIGNS_DAYS, SigningKeyState, SigningStep, SigningTurn,
    next_step,
};
pub(crate) use staff::TEAM_OF_ANOTHER_DEALER;
pub use staff::{Assignment, Hiring, Leave, Staff, StaffDetails, StaffStatus};
pub use standing::{Origin, STANDING_SECONDS, Standing};
pub use tokens::{
    CLOCK_SKEW_SECONDS, Claims, TOKEN_LIFE_SECONDS, TokenFault, TokenGrant, TokenSubject,
    in_the_name_of, scopes_asked, spoken,
};

use crate::{
    ids::{ApiKeyId, CustomerId, DealerId, StaffId},
    invalid::Invalid,
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// What a person does for a dealer or for the brand, and so what they may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Meets the customer every day.
    Clerk,
    /// Visits the customer; sees their own work only.
    Technician,
    /// Answers questions and complaints.
    SupportAgent,
    /// Answers for a shop.
    Manager,
    /// Answers for a dealer.
    Owner,
    /// Helps the dealers, for the brand.
    BrandSupport,
    /// Answers for the brand.
    BrandAdmin,
    /// Reads everything and changes nothing.
    Auditor,
}

/// A place on the ladder of people; what one may not decide goes up to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Rank(u8);

impl Rank {
    /// Decides nothing.
    pub const NONE: Self = Self(0);
    /// Clerk and technician.
    pub const CLERK: Self = Self(10);
    /// Manager of a shop.
    pub const MANAGER: Self = Self(30);
    /// Owner of a dealer.
    pub const OWNER: Self = Self(40);
    /// The brand itself.
    pub const BRAND: Self = Self(60);

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The lowest rank above.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The rank with this number.
    pub fn from_number(rank: u8) -> Self {
        Self(rank)
    }
}

/// Ranks that answer for what is not done in time, one after the other, and the role that has each.
pub const LADDER: [(Rank, Role); 3] =
    [(Rank::MANAGER, Role::Manager), (Rank::OWNER, Role::Owner), (Rank::BRAND, Role::BrandAdmin)];

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Clerk,
        Self::Technician,
        Self::SupportAgent,
        Self::Manager,
        Self::Owner,
        Self::BrandSupport,
        Self::BrandAdmin,
        Self::Auditor,
    ];

    /// The place on the ladder.
    pub fn rank(self) -> Rank {
        match self {
            Self::Auditor => Rank::NONE,
            Self::Clerk | Self::Technician => Rank::CLERK,
            Self::SupportAgent => Rank(20),
            Self::Manager => Rank::MANAGER,
            Self::Owner => Rank::OWNER,
            Self::BrandSupport => Rank(50),
            Self::BrandAdmin => Rank::BRAND,
        }
    }

    /// Whether the role belongs to the brand and so sees every dealer.
    pub fn is_brand(self) -> bool {
        match self {
            Self::BrandSupport | Self::BrandAdmin | Self::Auditor => true,
            Self::Clerk | Self::Technician | Self::SupportAgent | Self::Manager | Self::Owner => {
                false
            }
        }
    }

    /// Whether people in this role decide about the gestures of others.
    pub fn decides_gestures(self) -> bool {
        Scope::GesturesApprove.is_for(self)
    }

    /// What a person in this role may do.
    pub fn scopes(self) -> BTreeSet<Scope> {
        Scope::ALL.iter().copied().filter(|scope| scope.is_for(self)).collect()
    }
}

macro_rules! scopes {
    ($($name:ident = $text:literal, [$($role:ident)*], $says:literal;)*) => {
        /// Something a caller may be allowed to do, named in tokens and in the API description.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Scope {
            $(#[doc = $says] #[serde(rename = $text)] $name,)*
        }

        impl PartialSchema for Scope {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([$($text),*]))
                    .description(Some("Something a caller may be allowed to do."))
                    .into()
            }
        }

        impl ToSchema for Scope {}

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Whether it allows to read and not to change.
            pub fn only_reads(self) -> bool {
                self.as_str().ends_with(":read")
            }

            /// Whether it allows to write what all dealers share, or to see behind all of them. Who acts for one
            /// dealer does not have it, whatever their key says.
            pub fn is_the_brands(self) -> bool {
                THE_BRANDS.contains(&self)
            }

            /// Whether it allows what there is in a sandbox only.
            pub fn is_for_trying_out(self) -> bool {
                self.as_str().starts_with("sandbox:")
            }

            /// What it allows, in a sentence.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$name => $says),* }
            }

            /// Whether people in `role` have it.
            fn is_for(self, role: Role) -> bool {
                match self { $(Self::$name => [$(Role::$role),*].contains(&role)),* }
            }
        }
    };
}

// The matrix of roles and permissions: one row a permission. API keys are given scopes one by one.
scopes! {
    TenantRead = "tenant:read", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read the brand's settings.";
    TenantWrite = "tenant:write", [BrandAdmin], "Change the brand's settings.";
    DealersRead = "dealers:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read dealers and sites.";
    DealersWrite = "dealers:write", [BrandAdmin], "Create and change dealers and sites.";
    StaffRead = "staff:read", [SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read staff.";
    StaffWrite = "staff:write", [Owner BrandAdmin], "Create and change staff.";
    StaffTokens = "staff:tokens", [], "Issue tokens in a person's name (development and sandbox).";
    KeysRead = "keys:read", [BrandAdmin Auditor], "Read API keys, never their secrets.";
    KeysWrite = "keys:write", [BrandAdmin], "Create and revoke API keys.";
    IssuersWrite = "issuers:write", [BrandAdmin], "Say where the brand's people sign in.";
    CustomersRead = "customers:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read customers.";
    CustomersWrite = "customers:write", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin], "Create and change customers.";
    CatalogueRead = "catalogue:read", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read products and assets.";
    CatalogueWrite = "catalogue:write", [Manager Owner BrandAdmin], "Create and change products and assets.";
    OrdersRead = "orders:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read orders.";
    OrdersWrite = "orders:write", [Manager Owner BrandAdmin], "Push orders.";
    ImportsRead = "imports:read", [Manager Owner BrandSupport BrandAdmin Auditor], "Follow imports and other long operations.";
    ImportsWrite = "imports:write", [BrandAdmin], "Hand in files of records.";
    SopsRead = "sops:read", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read procedures.";
    SopsWrite = "sops:write", [BrandSupport BrandAdmin], "Write procedures.";
    SopsPublish = "sops:publish", [BrandAdmin], "Publish procedures.";
    SopsAcknowledge = "sops:acknowledge", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin], "Acknowledge that one has read a procedure.";
    RunsRead = "sop_runs:read", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read what was done by which procedure.";
    RunsWrite = "sop_runs:write", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin], "Tick off the steps of a procedure.";
    AllowancesRead = "allowances:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read policies, accounts and limits of authority.";
    AllowancesWrite = "allowances:write", [BrandAdmin], "Set policies and limits of authority.";
    GesturesRead = "gestures:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read gestures.";
    GesturesWrite = "gestures:write", [Clerk SupportAgent Manager Owner BrandAdmin], "Ask for and carry out gestures.";
    GesturesApprove = "gestures:approve", [Manager Owner BrandAdmin], "Approve and reject gestures of others.";
    PlansRead = "plans:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read plans, enrolments and due dates.";
    PlansWrite = "plans:write", [BrandAdmin], "Write and publish plans.";
    EnrolmentsWrite = "enrolments:write", [Manager Owner BrandAdmin], "Enrol assets in plans.";
    VisitsRead = "visits:read", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read work orders and appointments.";
    VisitsWrite = "visits:write", [Clerk SupportAgent Manager Owner BrandAdmin], "Create, book and move visits.";
    VisitsCarryOut = "visits:carry_out", [Technician Manager Owner], "Travel to, begin and complete visits.";
    ComplaintsRead = "complaints:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read complaints and their resolution log.";
    ComplaintsWrite = "complaints:write", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin], "Open, answer and settle complaints.";
    SurveysRead = "surveys:read", [Clerk SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read surveys, invitations and answers.";
    SurveysWrite = "surveys:write", [BrandAdmin], "Write surveys.";
    InventoryRead = "inventory:read", [Clerk Technician SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read service items, self-audits and gifts.";
    InventoryWrite = "inventory:write", [BrandSupport BrandAdmin], "Write service items, self-audits and gifts.";
    FindingsRead = "findings:read", [Manager Owner BrandSupport BrandAdmin Auditor], "Read what the service noticed.";
    FindingsWrite = "findings:write", [Manager Owner BrandAdmin], "Acknowledge, resolve and dismiss what the service noticed.";
    AuditRead = "audit:read", [SupportAgent Manager Owner BrandSupport BrandAdmin Auditor], "Read the audit log and the timelines in it, and the resolution log of all complaints.";
    JobsRead = "jobs:read", [BrandSupport BrandAdmin Auditor], "Read the queue and its dead letters.";
    JobsWrite = "jobs:write", [BrandAdmin], "Replay dead letters.";
    SandboxRead = "sandbox:read", [BrandSupport BrandAdmin], "Read the sandbox's clock and outbox.";
    SandboxWrite = "sandbox:write", [BrandAdmin], "Advance the sandbox's clock.";
}

/// Scopes of the whole brand: its settings and issuers, procedures, plans, surveys, policies and limits,
/// the queue behind everybody's work, the one clock of a sandbox. Products are the brand's too, but their
/// scope is also that of assets, so [`Reach::must_be_whole`] guards them.
const THE_BRANDS: &[Scope] = &[
    Scope::TenantWrite,
    Scope::IssuersWrite,
    Scope::SopsWrite,
    Scope::SopsPublish,
    Scope::AllowancesWrite,
    Scope::PlansWrite,
    Scope::SurveysWrite,
    Scope::InventoryWrite,
    Scope::JobsRead,
    Scope::JobsWrite,
    Scope::SandboxWrite,
];

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Scope {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or_else(|| {
            let message = format!("there is no scope {text}");
            Invalid::new("unknown_scope", message).in_chinese(format!("没有权限范围 {text}"))
        })
    }
}

/// Who does something, as the audit log remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person who works for a dealer or the brand.
    Staff {
        /// Which person.
        id: StaffId,
        /// Their place on the ladder, at the time.
        rank: Rank,
    },
    /// A program of the brand.
    Key(ApiKeyId),
    /// A customer, through a link.
    Customer(CustomerId),
    /// Aftercare itself, in the background.
    Worker,
    /// Who runs Aftercare, on the command line.
    Operator,
}

impl Actor {
    /// The person, if it is one of the staff.
    pub fn staff(self) -> Option<StaffId> {
        match self {
            Self::Staff { id, .. } => Some(id),
            Self::Key(_) | Self::Customer(_) | Self::Worker | Self::Operator => None,
        }
    }

    /// The place on the ladder. A brand's own program acts for the brand.
    pub fn rank(self) -> Rank {
        match self {
            Self::Staff { rank, .. } => rank,
            Self::Key(_) | Self::Worker | Self::Operator => Rank::BRAND,
            Self::Customer(_) => Rank::NONE,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff { id, .. } => id.fmt(f),
            Self::Key(id) => id.fmt(f),
            Self::Customer(id) => id.fmt(f),
            Self::Worker => f.write_str("worker"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// How much of a brand a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Only what belongs to this dealer; everything when absent.
    pub dealer: Option<DealerId>,
    /// Of visits and checklists, only this technician's own; all when absent.
    pub technician: Option<StaffId>,
}

/// What somebody speaks of is not there for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfReach;

impl Reach {
    /// The dealer a record belongs to that somebody with this reach tells of: as they say, and their own
    /// where they see one dealer only and say nothing.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`] when they name another dealer than the one they see.
    pub fn dealer_of(self, told: Option<DealerId>) -> Result<Option<DealerId>, OutOfReach> {
        match (self.dealer, told) {
            (Some(own), Some(told)) if own != told => Err(OutOfReach),
            (own, told) => Ok(told.or(own)),
        }
    }

    /// Whether somebody with this reach and these `scopes` is shown beside a visit what `scope` guards
    /// elsewhere. Who sees their own visits only, and carries them out, has to know whom they visit and what
    /// they look at there, although they may not search customers.
    pub fn is_shown_beside_own_visits(self, scope: Scope, scopes: &BTreeSet<Scope>) -> bool {
        let needed = [Scope::CustomersRead, Scope::CatalogueRead].contains(&scope);
        needed && self.technician.is_some() && scopes.contains(&Scope::VisitsCarryOut)
    }

    /// Makes sure that it is the whole brand: what all dealers share is written by nobody who acts for one
    /// of them.
    ///
    /// # Errors
    ///
    /// `shared_by_all_dealers`.
    pub fn must_be_whole(self) -> Result<(), Refusal> {
        match self.dealer {
            Some(own) => Err(Refusal::new(&SHARED_BY_ALL_DEALERS).with("your_dealer_id", own)),
            None => Ok(()),
        }
    }
}

/// Somebody who acts for one dealer reaches for what all dealers share.
static SHARED_BY_ALL_DEALERS: Rule = Rule {
    code: "shared_by_all_dealers",
    kind: Kind::NotYours,
    title: Bilingual { en: "All dealers share it", zh: "该内容由全体经销商共用" },
    detail: Bilingual {
        en: "It belongs to the whole brand, and you act for the dealer {your_dealer_id} only.",
        zh: "该内容属于整个品牌，而您仅代表经销商 {your_dealer_id}。",
    },
    advice: Bilingual {
        en: "Have it done with credentials of the brand that are not narrowed to a dealer.",
        zh: "请使用未限定经销商的品牌方凭证进行操作。",
    },
};

/// The rules of this capability that can say no.
pub static RULES: &[&Rule] = &[
    &staff::ROLE_NEEDS_DEALER,
    &staff::ROLE_IS_THE_BRANDS,
    &staff::SITE_OF_ANOTHER_DEALER,
    &staff::RANK_BEYOND_YOURS,
    &staff::SIGN_IN_INCOMPLETE,
    &staff::LEAVE_ENDS_BEFORE_IT_BEGINS,
    &staff::DEPUTY_CANNOT_DECIDE,
    &TEAM_OF_ANOTHER_DEALER,
    &keys::NO_SCOPES,
    &keys::SCOPES_BEYOND_YOURS,
    &keys::DEALER_BEYOND_YOURS,
    &keys::SCOPES_ARE_THE_BRANDS,
    &keys::ALREADY_EXPIRED,
    &tokens::SCOPE_NOT_GRANTED,
    &tokens::STAFF_TOKENS_ARE_FOR_TRYING_OUT,
    &issuers::TOO_MANY_ISSUERS,
    &issuers::ADDRESS_NOT_PUBLIC,
    &SHARED_BY_ALL_DEALERS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clerk_asks_and_a_manager_approves() {
        assert!(Role::Clerk.scopes().contains(&Scope::GesturesWrite));
        assert!(!Role::Clerk.scopes().contains(&Scope::GesturesApprove));
        assert!(Role::Manager.scopes().contains(&Scope::GesturesApprove));
    }

    #[test]
    fn who_sees_one_dealer_tells_of_that_dealer_only() {
        let [own, other] = [1, 2].map(|number| DealerId::from(uuid::Uuid::from_u128(number)));
        let narrow = Reach { dealer: Some(own), technician: None };
        assert_eq!(narrow.dealer_of(None), Ok(Some(own)));
        assert_eq!(narrow.dealer_of(Some(own)), Ok(Some(own)));
        assert_eq!(narrow.dealer_of(Some(other)), Err(OutOfReach));
        assert_eq!(Reach::default().dealer_of(Some(other)), Ok(Some(other)));
        assert_eq!(Reach::default().dealer_of(None), Ok(None));
    }

    #[test]
    fn a_technician_is_shown_whom_they_visit_and_nobody_else_is() {
        let own = Reach { dealer: None, technician: Some(uuid::Uuid::from_u128(1).into()) };
        let scopes = Role::Technician.scopes();
        assert!(!scopes.contains(&Scope::CustomersRead));
        assert!(own.is_shown_beside_own_visits(Scope::CustomersRead, &scopes));
        assert!(own.is_shown_beside_own_visits(Scope::CatalogueRead, &scopes));
        assert!(!own.is_shown_beside_own_visits(Scope::StaffRead, &scopes));
        // Whoever sees the visits of others too is shown what their scopes say.
        assert!(!Reach::default().is_shown_beside_own_visits(Scope::CustomersRead, &scopes));
        let reads = BTreeSet::from([Scope::VisitsRead]);
        assert!(!own.is_shown_beside_own_visits(Scope::CustomersRead, &reads));
    }

    #[test]
    fn an_auditor_changes_nothing() {
        assert!(Role::Auditor.scopes().iter().all(|scope| scope.only_reads()));
    }

    #[test]
    fn nobody_of_a_dealer_has_what_is_the_brand_s() {
        for role in Role::ALL.into_iter().filter(|role| !role.is_brand()) {
            assert!(!role.scopes().iter().any(|scope| scope.is_the_brands()), "{role:?}");
        }
        let dealer = uuid::Uuid::from_u128(7).into();
        let narrow = Reach { dealer: Some(dealer), technician: None };
        let refusal = narrow.must_be_whole().unwrap_err();
        assert_eq!(refusal.rule.code, "shared_by_all_dealers");
        assert_eq!(Reach::default().must_be_whole(), Ok(()));
    }

    #[test]
    fn only_keys_issue_tokens_for_people() {
        for role in Role::ALL {
            assert!(!role.scopes().contains(&Scope::StaffTokens), "{role:?}");
        }
    }
}
