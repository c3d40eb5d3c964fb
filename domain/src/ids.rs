//! One type for each kind of identifier, so that a customer is never mistaken for a complaint.
//!
//! Stored as a `UUIDv7`; on the wire a `TypeID`: the kind in front, then 26 characters
//! (<https://github.com/jetify-com/typeid>).

use crate::invalid::Invalid;
use mti::prelude::TypeIdSuffix;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use uuid::Uuid;

/// What all kinds of identifier have in common.
pub trait Identifier:
    Copy + Send + Sync + fmt::Display + From<Uuid> + Into<Uuid> + 'static
{
    /// The kind, as it stands in front of the identifier on the wire.
    const PREFIX: &'static str;
}

/// Writes an identifier the way callers see it.
fn write(prefix: &str, id: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{prefix}_{}", TypeIdSuffix::from(id))
}

/// Reads an identifier of the kind `prefix`.
fn read(prefix: &str, text: &str) -> Result<Uuid, Invalid> {
    let malformed = || {
        let message = format!("expected an identifier such as {prefix}_01h455vb4pex5vsknk084sn02q");
        let chinese = format!("应为标识符，例如 {prefix}_01h455vb4pex5vsknk084sn02q");
        Invalid::new("malformed_id", message).in_chinese(chinese)
    };
    let (kind, suffix) = text.rsplit_once('_').ok_or_else(malformed)?;
    if kind != prefix {
        let message = format!("expected an identifier that begins with {prefix}_, not {kind}_");
        let chinese = format!("标识符应以 {prefix}_ 开头，而不是 {kind}_");
        return Err(Invalid::new("wrong_id_type", message).in_chinese(chinese));
    }
    TypeIdSuffix::from_str(suffix).map(|suffix| suffix.to_uuid()).map_err(|_| malformed())
}

/// An identifier of whatever kind, where any record will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyId(String);

impl AnyId {
    /// An identifier of a known kind, as one of whatever kind.
    pub fn of(id: impl Identifier) -> Self {
        Self(id.to_string())
    }

    /// The identifier as callers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AnyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl FromStr for AnyId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let kind = text.rsplit_once('_').map_or("", |(kind, _)| kind);
        if let Some(known) = PREFIXES.iter().find(|known| **known == kind) {
            return read(known, text).map(|_| Self(text.to_owned()));
        }
        let message = "expected an identifier such as cus_01h455vb4pex5vsknk084sn02q";
        let chinese = "应为标识符，例如 cus_01h455vb4pex5vsknk084sn02q";
        Err(Invalid::new("malformed_id", message).in_chinese(chinese))
    }
}

impl<'de> Deserialize<'de> for AnyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for AnyId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^({})_{SUFFIX}$", PREFIXES.join("|"))))
            .examples(["cmp_01m80t7jx3e9vbq2f4c6d8g0hk"])
            .description(Some("An identifier of whatever kind."))
            .into()
    }
}

impl ToSchema for AnyId {
    fn name() -> Cow<'static, str> {
        "AnyId".into()
    }
}

/// What stands behind the kind of an identifier, as a regular expression.
const SUFFIX: &str = "[0-7][0-9a-hjkmnp-tv-z]{25}";

/// The schema of an identifier of the kind `prefix`.
fn schema(prefix: &str) -> RefOr<Schema> {
    let example = format!("{prefix}_01m80t7jx3e9vbq2f4c6d8g0hk");
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^{prefix}_{SUFFIX}$")))
        .examples([example])
        .description(Some(format!("An identifier that begins with `{prefix}_`.")))
        .into()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(Uuid);

            impl Identifier for $name {
                const PREFIX: &'static str = $prefix;
            }

            impl From<Uuid> for $name {
                fn from(id: Uuid) -> Self {
                    Self(id)
                }
            }

            impl From<$name> for Uuid {
                fn from(id: $name) -> Self {
                    id.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write($prefix, self.0, f)
                }
            }

            impl FromStr for $name {
                type Err = Invalid;

                fn from_str(text: &str) -> Result<Self, Invalid> {
                    read($prefix, text).map(Self)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(D::Error::custom)
                }
            }

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    schema($prefix)
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*

        /// Every kind of identifier, by its prefix.
        pub const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

ids! {
    /// A brand, or its sandbox twin: the unit of isolation.
    TenantId = "ten"
    /// Somebody who acts for the brand.
    DealerId = "dlr"
    /// Where a dealer works.
    SiteId = "sit"
    /// A person who works for a dealer or for the brand.
    StaffId = "stf"
    /// A key with which a brand's programs call.
    ApiKeyId = "key"
    /// A key with which tokens are signed.
    SigningKeyId = "sgn"
    /// Where a brand's people sign in.
    IssuerId = "iss"
    /// A customer of a brand.
    CustomerId = "cus"
    /// What a brand sells.
    ProductId = "prd"
    /// One sold thing, at one customer's.
    AssetId = "ast"
    /// A sale.
    OrderId = "ord"
    /// One line of a sale.
    OrderLineId = "orl"
    /// A standard operating procedure.
    SopId = "sop"
    /// One version of a procedure.
    SopVersionId = "sov"
    /// That somebody has read a version of a procedure.
    SopAcknowledgementId = "ack"
    /// One execution of a procedure.
    SopRunId = "run"
    /// One step of one execution.
    SopRunStepId = "rst"
    /// How allowances are earned.
    AllowancePolicyId = "alp"
    /// Money set aside for service to one customer.
    AllowanceAccountId = "acc"
    /// One accrual, with its dates.
    AllowanceLotId = "lot"
    /// One line of an account.
    AllowanceEntryId = "ent"
    /// How much a rank or a person may grant alone.
    AuthorityLimitId = "lim"
    /// What the brand says about gestures in one currency.
    GestureRulesId = "gru"
    /// What a team, a dealer or the brand may spend on gestures.
    AllowanceBudgetId = "bud"
    /// One line of a budget.
    AllowanceBudgetEntryId = "ben"
    /// What a sale that was given back had paid for already.
    AllowanceShortfallId = "sho"
    /// People of a dealer who share a budget.
    TeamId = "tea"
    /// A personal service or gift.
    GestureId = "ges"
    /// A higher rank's word on a gesture.
    ApprovalId = "apr"
    /// Designed services over time.
    PlanTemplateId = "pla"
    /// A customer's asset in a plan.
    EnrolmentId = "enr"
    /// One due date of a plan.
    OccurrenceId = "occ"
    /// What is to be done at a customer's.
    WorkOrderId = "wor"
    /// When it is to be done, and by whom.
    AppointmentId = "apt"
    /// A customer's dissatisfaction.
    ComplaintId = "cmp"
    /// What puts a complaint right.
    RemedyId = "rem"
    /// One line of the resolution log.
    ResolutionId = "res"
    /// What a customer said of a resolution.
    CustomerWordId = "wrd"
    /// An entry of the resolution log, whatever it tells: a resolution or a customer's word, by the same digits.
    LogEntryId = "log"
    /// A set of questions.
    SurveyId = "sur"
    /// One asking.
    InvitationId = "inv"
    /// One answer.
    ResponseId = "rsp"
    /// Something told to a customer.
    MessageId = "msg"
    /// A long piece of work that was accepted and goes on by itself.
    OperationId = "opr"
    /// A file of records.
    ImportId = "imp"
    /// What is wrong with a row of a file.
    RowErrorId = "rer"
    /// A piece of work in the queue.
    JobId = "job"
    /// One line of the audit log.
    AuditEntryId = "aud"
    /// The clock of a sandbox.
    ClockId = "clk"
    /// One thing that may be done for a customer.
    ServiceItemId = "svc"
    /// How many peers offer the same.
    ServiceBenchmarkId = "bmk"
    /// A change of a service item's class.
    ItemClassChangeId = "icc"
    /// A look of the brand at its own service.
    InventoryAuditId = "iva"
    /// One line of it.
    InventoryLineId = "ivl"
    /// Something small that a customer may be given.
    GiftItemId = "gft"
    /// Gifts that are given together.
    GiftBundleId = "gfb"
    /// Something the service noticed.
    FindingId = "fnd"
    /// A file that shows how a step was done.
    SopEvidenceId = "evd"
    /// When a procedure begins by itself.
    SopTriggerId = "trg"
    /// Something a customer did, as the brand told it.
    CustomerEventId = "evn"
    /// When somebody works.
    CalendarId = "cal"
    /// A day that is not like its weekday.
    CalendarExceptionId = "cex"
    /// What is promised to those who complain.
    SlaPolicyId = "slp"
    /// One version of such a policy.
    SlaVersionId = "slv"
    /// How far a complaint has come towards one target.
    SlaClockId = "slc"
    /// One line of the log of such a clock.
    SlaEventId = "sle"
    /// How a remedy is carried out where goods are concerned.
    RmaId = "rma"
    /// What is done so that something does not go wrong again.
    CorrectiveActionId = "cor"
    /// A customer does not want what they have paid for.
    CancellationId = "can"
    /// A link to file complaints.
    FilingLinkId = "fll"
    /// That a form of such a link was sent.
    FilingId = "fil"
    /// A link to a complaint.
    ComplaintLinkId = "cml"
    /// Something that was said about a complaint.
    ComplaintMessageId = "cmm"
    /// A photo or a document that belongs to a complaint.
    ComplaintAttachmentId = "cma"
    /// A complaint as others read it.
    ComplaintPublicationId = "cpb"
    /// What others read of a dealer's complaints.
    ComplaintBoardId = "cbd"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_says_its_kind_and_reads_back() {
        let id = CustomerId::from(Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0001));
        let text = id.to_string();
        assert!(text.starts_with("cus_"), "{text}");
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn another_kind_is_refused_by_name() {
        let id = DealerId::from(Uuid::from_u128(7)).to_string();
        let mistake = id.parse::<CustomerId>().unwrap_err();
        assert_eq!(mistake.code, "wrong_id_type");
        assert_eq!("cus_short".parse::<CustomerId>().unwrap_err().code, "malformed_id");
        assert_eq!("nonsense".parse::<CustomerId>().unwrap_err().code, "malformed_id");
    }

    #[test]
    fn any_identifier_is_still_an_identifier() {
        let id = CustomerId::from(Uuid::from_u128(7)).to_string();
        assert_eq!(id.parse::<AnyId>().unwrap().as_str(), id);
        for text in ["", "cus_short", "a\0b", "xyz_01h455vb4pex5vsknk084sn02q"] {
            assert_eq!(text.parse::<AnyId>().unwrap_err().code, "malformed_id", "{text:?}");
        }
    }

    #[test]
    fn no_two_kinds_share_a_prefix() {
        let distinct: std::collections::BTreeSet<_> = PREFIXES.iter().collect();
        assert_eq!(distinct.len(), PREFIXES.len());
    }
}
