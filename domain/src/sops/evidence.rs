//! Evidence: photos and signatures that show how a step was done.

use super::{SopChecklist, SopEvidenceKind, SopRunStep};
use crate::{
    change::Change,
    identity::Actor,
    ids::{CustomerId, DealerId, SopEvidenceId, SopRunId, SopRunStepId},
    record::Record,
    refusal::{Kind, Refusal, Rule, illegal},
    text::Bilingual,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The largest file in bytes, 10 MiB: what a telephone's camera makes.
pub const MOST_EVIDENCE_BYTES: usize = 10 * 1024 * 1024;

/// The most files of one attempt at a step.
pub const MOST_EVIDENCE: u32 = 10;

/// How long a link to a file can be followed: long enough to look at it, too short to be passed on.
pub const EVIDENCE_LINK_MINUTES: i64 = 10;

/// A file is not what its kind of evidence is made of.
pub(super) static EVIDENCE_WRONG_TYPE: Rule = Rule {
    code: "evidence_wrong_type",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not that kind of file", zh: "文件类型不符" },
    detail: Bilingual {
        en: "The file is of the type {found}; as {evidence} only these are taken: {allowed}.",
        zh: "文件类型为 {found}；{evidence} 只接受：{allowed}。",
    },
    advice: Bilingual {
        en: "Send a file of one of the types in `allowed`. What counts is the file itself, not Content-Type or a name.",
        zh: "请上传 `allowed` 所列类型的文件。以文件内容为准，与 Content-Type 和文件名无关。",
    },
};

/// A file is too large.
pub static EVIDENCE_TOO_LARGE: Rule = Rule {
    code: "evidence_too_large",
    kind: Kind::Protocol(413),
    title: Bilingual { en: "File too large", zh: "文件过大" },
    detail: Bilingual {
        en: "The file is larger than {most_bytes} bytes.",
        zh: "文件超过 {most_bytes} 字节。",
    },
    advice: Bilingual {
        en: "Let the camera take a smaller picture, or make it smaller before sending.",
        zh: "请降低拍摄分辨率，或压缩后再上传。",
    },
};

/// A step has as many files as it can have.
pub(super) static TOO_MUCH_EVIDENCE: Rule = Rule {
    code: "too_much_evidence",
    kind: Kind::Conflict,
    title: Bilingual { en: "Enough is shown", zh: "文件已达上限" },
    detail: Bilingual {
        en: "Step {position} has {most} files, and takes no more.",
        zh: "第 {position} 步已有 {most} 个文件，不能再添加。",
    },
    advice: Bilingual {
        en: "Choose the pictures that show it best.",
        zh: "请挑选最能说明问题的照片。",
    },
};

/// The link to a file was good once.
pub static EVIDENCE_LINK_EXPIRED: Rule = Rule {
    code: "evidence_link_expired",
    kind: Kind::Protocol(410),
    title: Bilingual { en: "The link is over", zh: "链接已失效" },
    detail: Bilingual {
        en: "The link could be followed until {expires_at}.",
        zh: "该链接的有效期至 {expires_at}。",
    },
    advice: Bilingual {
        en: "Read the evidence again (`GET /v1/sop-evidence/…`): it says a new link.",
        zh: "请重新读取该凭证（`GET /v1/sop-evidence/…`），即可获得新的链接。",
    },
};

impl SopEvidenceKind {
    /// The types of file that it is made of.
    fn allowed(self) -> &'static [SopEvidenceType] {
        use SopEvidenceType::{Heic, Jpeg, Png, Webp};
        match self {
            Self::Photo | Self::Reading => &[Jpeg, Png, Webp, Heic],
            // Drawn on a screen, not taken with a camera; and no drawing that can hold a script.
            Self::Signature => &[Png],
        }
    }
}

/// What a file is, as its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum SopEvidenceType {
    /// A photo of most cameras.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A picture without loss.
    #[serde(rename = "image/png")]
    Png,
    /// A picture of the web.
    #[serde(rename = "image/webp")]
    Webp,
    /// A photo of some telephones.
    #[serde(rename = "image/heic")]
    Heic,
}

impl SopEvidenceType {
    const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Heic];

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
        }
    }

    /// How names of such files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Heic => "heic",
        }
    }
}

/// The media type of a file by what it begins with; `nothing` for an empty one.
pub(crate) fn media_type_of(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() {
        return "nothing";
    }
    let found = infer::get(bytes).map_or("application/octet-stream", |found| found.mime_type());
    // The crate calls it by the name of the family, of which telephones make one.
    if found == "image/heif" { "image/heic" } else { found }
}

/// What bytes are by what they begin with: one of our types, or the media type of something else.
fn sniff(bytes: &[u8]) -> Result<SopEvidenceType, &'static str> {
    let found = media_type_of(bytes);
    SopEvidenceType::ALL.into_iter().find(|one| one.media_type() == found).ok_or(found)
}

/// Looks what a file is, and whether it can be evidence of this kind. Whatever the caller called it does not matter.
///
/// # Errors
///
/// `evidence_too_large` above 10 MiB; `evidence_wrong_type` when it is something else.
pub fn recognise(kind: SopEvidenceKind, bytes: &[u8]) -> Result<SopEvidenceType, Refusal> {
    if bytes.len() > MOST_EVIDENCE_BYTES {
        return Err(Refusal::new(&EVIDENCE_TOO_LARGE).with("most_bytes", MOST_EVIDENCE_BYTES));
    }
    let allowed = kind.allowed();
    let found = match sniff(bytes) {
        Ok(found) if allowed.contains(&found) => return Ok(found),
        Ok(found) => found.media_type(),
        Err(found) => found,
    };
    let refusal = Refusal::new(&EVIDENCE_WRONG_TYPE).with("found", found).with("evidence", kind);
    Err(refusal.with("allowed", allowed))
}

/// A file that shows how a step was done. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "evd_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_run_id": "run_01m80t7jx3e9vbq2f4c6d8g0hk",
    "sop_run_step_id": "rst_01m80t7jx3e9vbq2f4c6d8g0hk", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "attempt": 1, "kind": "photo", "content_type": "image/jpeg", "size_bytes": 184_220,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "attached_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct SopEvidence {
    /// Its identifier.
    pub id: SopEvidenceId,
    /// The run.
    pub sop_run_id: SopRunId,
    /// The step of the run.
    pub sop_run_step_id: SopRunStepId,
    /// The run's dealer.
    pub dealer_id: Option<DealerId>,
    /// The customer the run is for.
    #[serde(skip)]
    pub customer_id: Option<CustomerId>,
    /// Which attempt at the step it shows, from 1: one that failed is done again, and shown anew.
    pub attempt: u32,
    /// What it shows.
    pub kind: SopEvidenceKind,
    /// What the file is, as its first bytes say.
    pub content_type: SopEvidenceType,
    /// How many bytes it has.
    #[schema(minimum = 1, maximum = 10_485_760)]
    pub size_bytes: u32,
    /// Its SHA-256 in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Who attached it: a person or a program of the brand.
    pub attached_by: String,
    /// When it was attached.
    pub created_at: Timestamp,
}

impl Record for SopEvidence {
    type Id = SopEvidenceId;

    fn id(&self) -> SopEvidenceId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// A file that was looked at and written, and is not attached yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SopEvidenceFile {
    /// The name it was written under.
    pub id: SopEvidenceId,
    /// What it shows.
    pub kind: SopEvidenceKind,
    /// What it is.
    pub content_type: SopEvidenceType,
    /// How many bytes it has.
    pub size_bytes: u32,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

impl SopChecklist {
    /// Says no when nothing can be attached to a step any more. `None` when the run has no such step.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when the run is over; `too_much_evidence` when the attempt at the step has `attached` files
    /// and that is all it can have.
    pub fn require_room(
        &self,
        step: SopRunStepId,
        attached: u32,
    ) -> Result<Option<&SopRunStep>, Refusal> {
        let Some(step) = self.steps.iter().find(|one| one.id == step) else { return Ok(None) };
        self.run.require_going_on()?;
        if !step.state.takes_evidence() {
            return Err(illegal(step.state, &[]));
        }
        if attached >= MOST_EVIDENCE {
            let refusal = Refusal::new(&TOO_MUCH_EVIDENCE).with("position", step.position);
            return Err(refusal.with("most", MOST_EVIDENCE));
        }
        Ok(Some(step))
    }

    /// Attaches a file to a step of the run.
    ///
    /// # Errors
    ///
    /// Those of [`SopChecklist::require_room`].
    pub fn attach(
        &self,
        step: SopRunStepId,
        attached: u32,
        file: SopEvidenceFile,
        (by, now): (Actor, Timestamp),
    ) -> Result<Option<Change<SopEvidence>>, Refusal> {
        let Some(step) = self.require_room(step, attached)? else { return Ok(None) };
        let SopEvidenceFile { id, kind, content_type, size_bytes, sha256 } = file;
        let evidence = SopEvidence {
            id,
            sop_run_id: self.run.id,
            sop_run_step_id: step.id,
            dealer_id: self.run.details.dealer_id,
            customer_id: self.run.details.customer_id,
            attempt: step.attempt(),
            kind,
            content_type,
            size_bytes,
            sha256,
            attached_by: by.to_string(),
            created_at: now,
        };
        let change = Change { action: "attach", ..Change::created(evidence) };
        let change = change.with("sop_run_id", self.run.id).with("position", step.position);
        Ok(Some(change.with("kind", kind)))
    }
}
