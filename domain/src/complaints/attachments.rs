//! Attachments: photos and documents that belong to a complaint.

use super::{Complaint, ComplaintMessage};
use crate::{
    change::Change,
    identity::Actor,
    ids::{ComplaintAttachmentId, ComplaintId, ComplaintMessageId, CustomerId, DealerId},
    record::Record,
    refusal::{Kind, Refusal, Rule},
    sops::media_type_of,
    text::Bilingual,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The largest file in bytes, 10 MiB: what a telephone's camera makes.
pub const MOST_ATTACHMENT_BYTES: usize = 10 * 1024 * 1024;

/// Files of one complaint, at most: more than anybody looks through.
pub const MOST_ATTACHMENTS: u32 = 20;

/// Photos that a customer sends together with their complaint, at most.
pub const MOST_FILED_PHOTOS: usize = 5;

/// A caller who says this of a file says nothing of it.
const UNSAID: &str = "application/octet-stream";

/// A file is nothing that is attached to complaints.
pub(super) static ATTACHMENT_WRONG_TYPE: Rule = Rule {
    code: "attachment_wrong_type",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not that kind of file", zh: "文件类型不支持" },
    detail: Bilingual {
        en: "The file is of the type {found}; only these are taken: {allowed}.",
        zh: "文件类型为 {found}，只接受：{allowed}。",
    },
    advice: Bilingual {
        en: "Send a photo or a PDF. What counts is the file itself, not Content-Type or a name.",
        zh: "请上传照片或 PDF。以文件内容为准，与 Content-Type 和文件名无关。",
    },
};

/// A file is another thing than it says.
pub(super) static ATTACHMENT_MISNAMED: Rule = Rule {
    code: "attachment_not_what_it_says",
    kind: Kind::Unfit,
    title: Bilingual { en: "The file is not what it says", zh: "文件内容与声明不符" },
    detail: Bilingual {
        en: "The file is called {said}, and is {found}.",
        zh: "文件声明为 {said}，实际为 {found}。",
    },
    advice: Bilingual {
        en: "Look whether it is the right file, and send it under the type it has.",
        zh: "请确认文件是否正确，并按其实际类型上传。",
    },
};

/// A file is too large.
pub static ATTACHMENT_TOO_LARGE: Rule = Rule {
    code: "attachment_too_large",
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

/// A complaint has as many files as it can have.
pub static TOO_MANY_ATTACHMENTS: Rule = Rule {
    code: "too_many_attachments",
    kind: Kind::Conflict,
    title: Bilingual { en: "Enough files", zh: "附件已达上限" },
    detail: Bilingual {
        en: "The complaint {number} has {attachments} files; at most {most} are possible.",
        zh: "投诉 {number} 已有 {attachments} 个附件，最多 {most} 个。",
    },
    advice: Bilingual {
        en: "Choose the pictures that show it best.",
        zh: "请挑选最能说明问题的照片。",
    },
};

/// Somebody sends more photos at once than are taken with a complaint.
pub static TOO_MANY_PHOTOS: Rule = Rule {
    code: "too_many_photos",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many photos at once", zh: "一次上传的照片过多" },
    detail: Bilingual {
        en: "{photos} photos were sent with the complaint; at most {most} are taken.",
        zh: "随投诉上传了 {photos} 张照片，最多 {most} 张。",
    },
    advice: Bilingual {
        en: "Choose the pictures that show it best; others can follow.",
        zh: "请挑选最能说明问题的照片，其余可稍后补充。",
    },
};

/// What an attached file is, as its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum AttachmentType {
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
    /// A document.
    #[serde(rename = "application/pdf")]
    Pdf,
}

impl AttachmentType {
    const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::Webp, Self::Heic, Self::Pdf];

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Pdf => "application/pdf",
        }
    }

    /// How names of such files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Heic => "heic",
            Self::Pdf => "pdf",
        }
    }

    /// Whether a camera makes it.
    pub fn is_photo(self) -> bool {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Heic => true,
            Self::Pdf => false,
        }
    }

    /// Looks what a file is that is `said` to be of a media type; null and `application/octet-stream` say nothing.
    ///
    /// # Errors
    ///
    /// `attachment_too_large` above 10 MiB; `attachment_wrong_type` when it is neither a photo nor a PDF;
    /// `attachment_not_what_it_says` when it is another than it is said to be.
    pub fn recognise(said: Option<&str>, bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MOST_ATTACHMENT_BYTES {
            let refusal = Refusal::new(&ATTACHMENT_TOO_LARGE);
            return Err(refusal.with("most_bytes", MOST_ATTACHMENT_BYTES));
        }
        let found = media_type_of(bytes);
        let Some(kind) = Self::ALL.into_iter().find(|one| one.media_type() == found) else {
            let refusal = Refusal::new(&ATTACHMENT_WRONG_TYPE).with("found", found);
            return Err(refusal.with("allowed", Self::ALL));
        };
        let said = said.and_then(|said| said.split(';').next()).map(str::trim);
        match said.filter(|said| !said.eq_ignore_ascii_case(UNSAID)) {
            Some(said) if !said.eq_ignore_ascii_case(found) => {
                Err(Refusal::new(&ATTACHMENT_MISNAMED).with("said", said).with("found", found))
            }
            Some(_) | None => Ok(kind),
        }
    }

    /// Looks what the photos are that a customer sends together with their complaint.
    ///
    /// # Errors
    ///
    /// `too_many_photos` beyond 5; those of [`AttachmentType::recognise`], and `attachment_wrong_type` when one is no
    /// photo.
    pub fn recognise_photos(photos: &[&[u8]]) -> Result<Vec<Self>, Refusal> {
        if photos.len() > MOST_FILED_PHOTOS {
            let refusal = Refusal::new(&TOO_MANY_PHOTOS).with("photos", photos.len());
            return Err(refusal.with("most", MOST_FILED_PHOTOS));
        }
        let photo = |bytes: &[u8]| {
            let found = Self::recognise(None, bytes)?;
            if found.is_photo() {
                return Ok(found);
            }
            let allowed = Self::ALL.into_iter().filter(|one| one.is_photo());
            let refusal = Refusal::new(&ATTACHMENT_WRONG_TYPE).with("found", found);
            Err(refusal.with("allowed", allowed.collect::<Vec<_>>()))
        };
        photos.iter().copied().map(photo).collect()
    }
}

/// A file that was looked at and written, and is not attached yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFile {
    /// The name it was written under.
    pub id: ComplaintAttachmentId,
    /// What it is.
    pub content_type: AttachmentType,
    /// How many bytes it has.
    pub size_bytes: u32,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// A photo or a document that belongs to a complaint. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "cma_01m80t7jx3e9vbq2f4c6d8g0hk", "complaint_id": "cmp_01m80t7jx3e9vbq2f4c6d8g0hk",
    "message_id": null, "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "content_type": "image/jpeg", "size_bytes": 184_220,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "attached_by": "stf_01m80t7jx3e9vbq2f4c6d8g0hk", "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct ComplaintAttachment {
    /// Its identifier.
    pub id: ComplaintAttachmentId,
    /// The complaint.
    pub complaint_id: ComplaintId,
    /// The message it was sent with.
    pub message_id: Option<ComplaintMessageId>,
    /// Who complained.
    #[serde(skip)]
    pub customer_id: CustomerId,
    /// Whose people answer.
    pub dealer_id: Option<DealerId>,
    /// What the file is, as its first bytes say.
    pub content_type: AttachmentType,
    /// How many bytes it has.
    #[schema(minimum = 1, maximum = 10_485_760)]
    pub size_bytes: u32,
    /// Its SHA-256 in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Who attached it, as the audit log names them.
    pub attached_by: String,
    /// When it was attached.
    pub created_at: Timestamp,
}

impl Record for ComplaintAttachment {
    type Id = ComplaintAttachmentId;

    fn id(&self) -> ComplaintAttachmentId {
        self.id
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

impl Complaint {
    /// Expects that a file can be attached, where `attached` are already.
    ///
    /// # Errors
    ///
    /// `complaint_talk_over` when it is at an end; `too_many_attachments` from the 21st on.
    pub fn require_room(&self, attached: u32) -> Result<(), Refusal> {
        self.require_talk()?;
        if attached < MOST_ATTACHMENTS {
            return Ok(());
        }
        Err(Refusal::new(&TOO_MANY_ATTACHMENTS)
            .with("number", &self.number)
            .with("attachments", attached)
            .with("most", MOST_ATTACHMENTS))
    }

    /// Attaches a file, perhaps to a message about it.
    ///
    /// # Errors
    ///
    /// Those of [`Complaint::require_room`].
    pub fn attach(
        &self,
        attached: u32,
        file: AttachmentFile,
        message: Option<&ComplaintMessage>,
        (by, now): (Actor, Timestamp),
    ) -> Result<Change<ComplaintAttachment>, Refusal> {
        self.require_room(attached)?;
        let AttachmentFile { id, content_type, size_bytes, sha256 } = file;
        let message_id = message.map(|message| message.id);
        let attachment = ComplaintAttachment {
            id,
            complaint_id: self.id,
            message_id,
            customer_id: self.details.customer_id,
            dealer_id: self.details.dealer_id,
            content_type,
            size_bytes,
            sha256,
            attached_by: by.to_string(),
            created_at: now,
        };
        let change = Change { action: "attach", ..Change::created(attachment) };
        Ok(change.with("complaint_id", self.id).with("content_type", content_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    const PDF: &[u8] = b"%PDF-1.7\n";

    fn refused(said: Option<&str>, bytes: &[u8]) -> Refusal {
        AttachmentType::recognise(said, bytes).unwrap_err()
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        for said in [None, Some("image/png"), Some("IMAGE/PNG; x=1"), Some(UNSAID)] {
            assert_eq!(AttachmentType::recognise(said, PNG), Ok(AttachmentType::Png), "{said:?}");
        }
        assert_eq!(
            AttachmentType::recognise(Some("application/pdf"), PDF),
            Ok(AttachmentType::Pdf)
        );
    }

    #[test]
    fn a_file_that_is_not_what_it_says_is_refused() {
        let refusal = refused(Some("image/jpeg"), PDF);
        assert_eq!(refusal.rule, &ATTACHMENT_MISNAMED);
        assert_eq!(
            (&refusal.facts["said"], &refusal.facts["found"]),
            (&"image/jpeg".into(), &"application/pdf".into())
        );
        for (bytes, found) in [
            (b"MZ\x90\0".as_slice(), "application/vnd.microsoft.portable-executable"),
            (b"".as_slice(), "nothing"),
            (b"hello".as_slice(), UNSAID),
        ] {
            let refusal = refused(Some("image/png"), bytes);
            assert_eq!(refusal.rule, &ATTACHMENT_WRONG_TYPE);
            assert_eq!(refusal.facts["found"], found);
        }
    }

    #[test]
    fn a_file_has_at_most_ten_mebibytes() {
        let mut bytes = PNG.to_vec();
        bytes.resize(MOST_ATTACHMENT_BYTES, 0);
        assert!(AttachmentType::recognise(None, &bytes).is_ok());
        bytes.push(0);
        assert_eq!(refused(None, &bytes).rule, &ATTACHMENT_TOO_LARGE);
    }

    #[test]
    fn five_photos_come_with_a_complaint_and_nothing_else() {
        let five = [PNG; MOST_FILED_PHOTOS];
        assert_eq!(
            AttachmentType::recognise_photos(&five),
            Ok(vec![AttachmentType::Png; MOST_FILED_PHOTOS])
        );
        let six = AttachmentType::recognise_photos(&[PNG; 6]).unwrap_err();
        assert_eq!(six.rule, &TOO_MANY_PHOTOS);
        let document = AttachmentType::recognise_photos(&[PNG, PDF]).unwrap_err();
        assert_eq!(document.rule, &ATTACHMENT_WRONG_TYPE);
    }
}
