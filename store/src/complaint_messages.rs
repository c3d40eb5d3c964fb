//! Table `complaint_message`: what was said about complaints.

use crate::{
    Failure, Fault, Tenant, complaint_publications::publication_of, documents, listed, table, words,
};
use domain::{
    complaints::{
        Complaint, ComplaintMessage, ComplaintMessageDetails, ComplaintMessageDirection,
        ComplaintPublication, ComplaintState, Conversation, MOST_COMPLAINT_MESSAGES, Redaction,
        Said,
    },
    ids::{ComplaintId, ComplaintMessageId, CustomerId, DealerId},
    text::Prose,
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use uuid::Uuid;

words!(ComplaintMessageDirection);
documents!(Vec<Redaction>);

table! {
    /// Messages about complaints.
    complaint_message = "complaint_message" of ComplaintMessage {
        complaint_id: ComplaintId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        direction: ComplaintMessageDirection,
        written_by: String,
        body: Prose,
        public: bool,
        public_body: Option<String>,
        redactions: Vec<Redaction>,
        created_at: Timestamp,
    } append_only
}

listed! {
    ComplaintMessage = complaint_message [CreatedAt;] usually oldest;
}

/// What was said about a complaint.
pub fn messages_about(complaint: ComplaintId) -> Select<complaint_message::Entity> {
    use complaint_message::Column as Is;
    complaint_message::Entity::find().filter(Is::ComplaintId.eq(Uuid::from(complaint)))
}

/// What the customer has said and was told about a complaint lately, the newest first, at most `most` of it.
pub fn said_lately(complaint: ComplaintId, most: u64) -> Select<complaint_message::Entity> {
    use complaint_message::Column as Is;
    messages_about(complaint)
        .filter(Is::Direction.ne(table::word(&ComplaintMessageDirection::Internal)))
        .order_by_desc(Is::Id)
        .limit(most)
}

/// What counts together with a message of the kind: talk with the customer, or notes among those who answer.
fn said_like(
    direction: ComplaintMessageDirection,
    complaint: ComplaintId,
) -> Select<complaint_message::Entity> {
    use complaint_message::Column as Is;
    let internal = table::word(&ComplaintMessageDirection::Internal);
    messages_about(complaint).filter(match direction {
        ComplaintMessageDirection::Internal => Is::Direction.eq(internal),
        ComplaintMessageDirection::FromCustomer | ComplaintMessageDirection::ToCustomer => {
            Is::Direction.ne(internal)
        }
    })
}

impl Tenant {
    /// Says something about a complaint, which must be held: writes it down, lets the complaint go on where it waited
    /// for the customer, and has the customer told what is said to them. Who says it is who this transaction acts for.
    ///
    /// # Errors
    ///
    /// Those of [`Complaint::say`]; [`Failure`] when the database fails.
    pub async fn say(
        &self,
        complaint: Complaint,
        details: ComplaintMessageDetails,
    ) -> Result<ComplaintMessage, Failure> {
        let mut publication = None;
        if details.public {
            let published = publication_of(complaint.id);
            publication = self.hold_found::<ComplaintPublication>(published).await?;
        }
        // Who answers what we asked does not speak against us.
        let is_unasked = details.direction == ComplaintMessageDirection::FromCustomer
            && !complaint.waits_for_customer();
        let so_far = self.conversation(&complaint, details.direction, publication.as_ref()).await?;
        let who = (self.actor(), self.now());

        let Said { message, complaint: moved } =
            complaint.say(self.new_id(), details, &so_far, who)?;

        let message = self.record(message).await?;
        if let Some(answered) = publication.and_then(|one| one.hear(&message)) {
            self.record(answered).await?;
        }
        let complaint = match moved {
            Some(moved) => self.record_progress(moved).await?,
            None => self.move_clocks(complaint).await?,
        };
        if is_unasked && complaint.state == ComplaintState::Negotiating {
            let superiors = self.superiors_of(&complaint).await?;
            if let Some(opposed) = complaint.oppose(&superiors) {
                self.record(opposed).await?;
            }
        }
        Ok(message)
    }

    /// What has to be known of a complaint before more is said about it.
    async fn conversation(
        &self,
        complaint: &Complaint,
        direction: ComplaintMessageDirection,
        publication: Option<&ComplaintPublication>,
    ) -> Result<Conversation, Failure> {
        let most = u64::from(MOST_COMPLAINT_MESSAGES);
        let said = self.count::<ComplaintMessage>(said_like(direction, complaint.id), most).await?;
        let messages = u32::try_from(said).unwrap_or(u32::MAX);
        let Some(published) = publication.filter(|one| one.is_public()) else {
            return Ok(Conversation { messages, ..Conversation::default() });
        };
        let personal = self.personal_words(published.customer_id).await?;
        Ok(Conversation { messages, is_public: true, personal })
    }

    /// The message about `complaint` that a caller names beside it.
    ///
    /// # Errors
    ///
    /// [`Fault::Dangling`] when the complaint has no such message.
    pub async fn named_message(
        &self,
        complaint: ComplaintId,
        id: Option<ComplaintMessageId>,
    ) -> Result<Option<ComplaintMessage>, Failure> {
        let Some(id) = id else { return Ok(None) };
        match self.message_about(complaint, id).await {
            Ok(message) => Ok(Some(message)),
            Err(Failure::NotFound) => {
                let constraint = "complaint_attachment__message_id".to_owned();
                Err(Fault::Dangling { constraint }.into())
            }
            Err(failure) => Err(failure),
        }
    }

    /// A message about `complaint`.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when the complaint has no such message.
    pub async fn message_about(
        &self,
        complaint: ComplaintId,
        id: ComplaintMessageId,
    ) -> Result<ComplaintMessage, Failure> {
        let message = self.get::<ComplaintMessage>(id).await?;
        if message.complaint_id == complaint { Ok(message) } else { Err(Failure::NotFound) }
    }
}
