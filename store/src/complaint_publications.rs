//! Tables `complaint_publication` and `complaint_board`: what others read of complaints.

use crate::{
    Failure, Fault, Tenant,
    clocks::{ClocksWanted, sla_clocks},
    complaint_messages::complaint_message,
    numbers, table,
    table::{Col, Table as _, word},
    words,
};
use domain::{
    clocks::{SlaClock, SlaHours, SlaMetric},
    complaints::{
        BOARD_DAYS, BOARD_PAGE, BoardEntry, BoardFigure, Complaint, ComplaintBoard,
        ComplaintBoardShown, ComplaintMessage, ComplaintPublication, FirstAnswer, MOST_ADDRESSES,
        MOST_BOARD_ANSWERS, PersonalWords, PublicationState, Redaction, Virality,
    },
    ids::{ComplaintId, CustomerId, DealerId},
    text::{Line, Name, Phone, Prose},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};
use std::collections::BTreeSet;
use uuid::Uuid;

words!(PublicationState);
numbers!(Virality);

table! {
    /// Complaints as others read them.
    complaint_publication = "complaint_publication" of ComplaintPublication {
        complaint_id: ComplaintId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        state: PublicationState,
        public_ref: Option<Line>,
        title: Line,
        text: Prose,
        public_title: String,
        public_text: String,
        redactions: Vec<Redaction>,
        virality: Virality,
        published_at: Timestamp,
        first_answer_due_at: Timestamp,
        first_answer_at: Option<Timestamp>,
        first_answer: FirstAnswer,
        withdrawn_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Boards of dealers.
    complaint_board = "complaint_board" of ComplaintBoard {
        dealer_id: DealerId,
        link_number: u32,
        created_at: Timestamp,
    } versioned
}

/// What others read of a complaint.
pub fn publication_of(complaint: ComplaintId) -> Select<complaint_publication::Entity> {
    use complaint_publication::Column as Is;
    complaint_publication::Entity::find().filter(Is::ComplaintId.eq(Uuid::from(complaint)))
}

/// The board of a dealer.
pub fn board_of(dealer: DealerId) -> Select<complaint_board::Entity> {
    complaint_board::Entity::find().filter(complaint_board::Column::DealerId.eq(Uuid::from(dealer)))
}

/// A page of what stands on a dealer's board, with one complaint more where there is another page.
fn on_board(dealer: DealerId, page: u32) -> Select<complaint_publication::Entity> {
    use complaint_publication::Column as Is;
    let before = page.saturating_sub(1).saturating_mul(BOARD_PAGE);
    complaint_publication::Entity::find()
        .filter(Is::DealerId.eq(Uuid::from(dealer)))
        .filter(Is::State.eq(word(&PublicationState::Published)))
        .order_by_desc(Is::PublishedAt)
        .order_by_desc(Is::Id)
        .offset(u64::from(before))
        .limit(u64::from(BOARD_PAGE.saturating_add(1)))
}

impl Tenant {
    /// What others read of a complaint, in order to change it.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when it was never published.
    pub async fn hold_publication(
        &self,
        complaint: ComplaintId,
    ) -> Result<ComplaintPublication, Failure> {
        let found = self.hold_found::<ComplaintPublication>(publication_of(complaint)).await?;
        found.ok_or(Failure::NotFound)
    }

    /// What nobody else should read of a customer: their name, their telephone number, and the addresses of what they
    /// own, at whichever dealer of the brand. It is for masking, and not to be shown.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when the brand has no such customer.
    pub async fn personal_words(&self, customer: CustomerId) -> Result<PersonalWords, Failure> {
        let sql =
            format!("SELECT name, phone, addresses FROM ac.personal_words($1, {MOST_ADDRESSES})");
        let statement = self.statement(&sql, [Uuid::from(customer).into()]);
        let found = self.work().query_one_raw(statement).await.map_err(Fault::from)?;
        let row = found.ok_or(Failure::NotFound)?;
        let name = row.try_get::<Col<Name>>("", "name").map_err(Fault::from)?.0;
        let phone = row.try_get::<Col<Option<Phone>>>("", "phone").map_err(Fault::from)?.0;
        let addresses: Vec<String> = row.try_get("", "addresses").map_err(Fault::from)?;
        let addresses: Vec<_> = addresses.into_iter().filter_map(|one| one.parse().ok()).collect();
        Ok(PersonalWords::of(&name, phone.as_ref(), &addresses))
    }

    /// The clock of the first answer to a complaint, or of telling the decision where there is none, with the hours that
    /// count.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn promise_of_answer(
        &self,
        complaint: &Complaint,
    ) -> Result<Option<(SlaClock, SlaHours)>, Failure> {
        let wanted = ClocksWanted { complaint_id: Some(complaint.id), ..ClocksWanted::default() };
        let clocks = self.all::<SlaClock>(sla_clocks(wanted)).await?;
        let of = |metric| clocks.iter().find(|clock| clock.metric == metric).cloned();
        let Some(clock) = of(SlaMetric::Acknowledge).or_else(|| of(SlaMetric::FirstResponse))
        else {
            return Ok(None);
        };
        let hours = self.hours_for(std::slice::from_ref(&clock)).await?;
        Ok(Some((clock, hours)))
    }

    /// Lets the brand know of a complaint that spreads, and answer for it: a finding, and whoever of the brand has the
    /// fewest such complaints. Nothing happens where it does not spread far. The complaint must be held.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn note_spreading(
        &self,
        complaint: Complaint,
        publication: &ComplaintPublication,
    ) -> Result<(), Failure> {
        let Some(finding) = publication.finding(&complaint, self.now()) else { return Ok(()) };
        self.raise(finding).await?;
        let superiors = self.superiors_of(&complaint).await?;
        if let Some(change) = complaint.spread(&superiors, publication.virality) {
            self.record(change).await?;
        }
        Ok(())
    }

    /// A page of a dealer's board, from 1.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn board_page(
        &self,
        dealer: DealerId,
        page: u32,
    ) -> Result<ComplaintBoardShown, Fault> {
        let mut found = self.all::<ComplaintPublication>(on_board(dealer, page)).await?;
        let most = usize::try_from(BOARD_PAGE).unwrap_or(usize::MAX);
        let has_more = found.len() > most;
        found.truncate(most);
        let ids: BTreeSet<Uuid> = found.iter().map(|one| one.complaint_id.into()).collect();
        let complaints = self.named::<Complaint>(&ids).await?;
        let messages = self.public_messages(ids).await?;
        let entry = |publication: &ComplaintPublication| {
            let complaint = complaints.get(&publication.complaint_id.into())?;
            Some(BoardEntry::of(publication, complaint, &messages))
        };
        let complaints = found.iter().filter_map(entry).collect();
        let figure = self.board_figure(dealer).await?;
        Ok(ComplaintBoardShown { figure, complaints, page, has_more })
    }

    /// The first public messages about each of these complaints, as many as a board shows.
    async fn public_messages(
        &self,
        complaints: BTreeSet<Uuid>,
    ) -> Result<Vec<ComplaintMessage>, Fault> {
        let sql = format!(
            "SELECT said.* FROM unnest($1::uuid[]) AS wanted (id)
             CROSS JOIN LATERAL (
                 SELECT m.* FROM complaint_message m
                 WHERE m.tenant_id = ac.tenant() AND m.complaint_id = wanted.id AND m.public
                 ORDER BY m.id LIMIT {MOST_BOARD_ANSWERS}
             ) AS said ORDER BY said.id"
        );
        let complaints: Vec<_> = complaints.into_iter().collect();
        let statement = self.statement(&sql, [complaints.into()]);
        let rows = complaint_message::Entity::find().from_raw_sql(statement);
        let rows = rows.all(self.work()).await?;
        Ok(rows.into_iter().map(ComplaintMessage::record).collect())
    }

    async fn board_figure(&self, dealer: DealerId) -> Result<BoardFigure, Fault> {
        let sql = "SELECT count(*) FILTER (WHERE first_answer <> 'due') AS complaints,
                          count(*) FILTER (WHERE first_answer = 'kept') AS kept
                   FROM complaint_publication
                   WHERE tenant_id = ac.tenant() AND dealer_id = $1 AND published_at >= $2";
        let since: chrono::DateTime<chrono::Utc> = self.now().plus_days(-BOARD_DAYS).into();
        let statement = self.statement(sql, [Uuid::from(dealer).into(), since.into()]);
        let Some(row) = self.work().query_one_raw(statement).await? else {
            return Ok(BoardFigure::of(0, 0));
        };
        let number = |name| {
            let number: i64 = row.try_get("", name)?;
            Ok::<_, Fault>(u32::try_from(number).unwrap_or(u32::MAX))
        };
        Ok(BoardFigure::of(number("complaints")?, number("kept")?))
    }
}
