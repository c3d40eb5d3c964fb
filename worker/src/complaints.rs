//! Complaints: customers are told what becomes of theirs, deadlines are kept, resolutions written down.

use crate::{outside::Surroundings, surveys};
use domain::{
    complaints::{
        Complaint, ComplaintClosing, ComplaintMessage, CustomerWord, LogSeal, Remedy, RemedyKind,
        StandOff,
    },
    event::Event,
    followups::Notice,
    ids::{ComplaintId, ComplaintMessageId, LogEntryId, StaffId},
    surveys::{Respondent, SurveySubject, SurveyTrigger},
};
use store::{
    Failure, Tenant,
    complaints::{cooled, current_remedies},
    resolution_log::Pending,
};

/// Tells the customer that their complaint has arrived, and when they hear from us; and names somebody who answers for
/// it until it is closed.
pub(crate) async fn receive(
    surroundings: &Surroundings,
    tenant: &Tenant,
    id: ComplaintId,
) -> Result<(), Failure> {
    // Held, because whoever asks for a link at this moment makes one, too.
    let complaint = tenant.hold::<Complaint>(id).await?;
    let complaint = match put_in_hands(tenant, &complaint).await? {
        Some(in_hands) => in_hands,
        None => complaint,
    };
    let link = link(surroundings, tenant, &complaint).await?;
    let to = tenant.correspondent(complaint.details.customer_id).await?;
    let notice = Notice::ComplaintReceived {
        number: complaint.number,
        remedy_sought: complaint.details.remedy_sought,
        answer_by: complaint.first_answer_due_at.wall_time_in(to.tz),
        link,
    };
    tenant.tell(&to, &notice).await?;
    Ok(())
}

/// Notes that nobody has answered a complaint in time.
pub(crate) async fn miss_first_answer(tenant: &Tenant, id: ComplaintId) -> Result<(), Failure> {
    let complaint = tenant.hold::<Complaint>(id).await?;
    if let Some(change) = complaint.miss_first_answer(tenant.now()) {
        tenant.record(change).await?;
    }
    Ok(())
}

/// Tells the customer what was decided and what they can do against it, unless it was taken up again
/// meanwhile or somebody has told them. Who has no address waits for somebody who calls or visits.
pub(crate) async fn tell_decision(
    surroundings: &Surroundings,
    tenant: &Tenant,
    id: ComplaintId,
) -> Result<(), Failure> {
    let complaint = tenant.hold::<Complaint>(id).await?;
    let Some(decision) = complaint.decision.clone().filter(|_| complaint.is_untold()) else {
        return Ok(());
    };
    let to = tenant.correspondent(complaint.details.customer_id).await?;
    let notice = Notice::ComplaintDecided {
        number: complaint.number.clone(),
        apology: decision.apology,
        decision: decision.text,
        recourse: decision.recourse,
        remedies: promised(tenant, &complaint).await?,
        link: link(surroundings, tenant, &complaint).await?,
    };
    tenant.tell(&to, &notice).await?;
    if to.recipient.has_address() {
        tenant.record_progress(complaint.tell(tenant.now())?).await?;
    }
    Ok(())
}

/// Notes that nobody has answered a complaint in time where others read it.
pub(crate) async fn miss_public(tenant: &Tenant, id: ComplaintId) -> Result<(), Failure> {
    tenant.hold::<Complaint>(id).await?;
    let publication = tenant.hold_publication(id).await?;
    if let Some(change) = publication.miss_first_answer(tenant.now()) {
        tenant.record(change).await?;
    }
    Ok(())
}

/// Sends the customer what was said to them.
pub(crate) async fn tell_answer(
    surroundings: &Surroundings,
    tenant: &Tenant,
    id: ComplaintMessageId,
) -> Result<(), Failure> {
    let message = tenant.get::<ComplaintMessage>(id).await?;
    let complaint = tenant.hold::<Complaint>(message.complaint_id).await?;
    let link = link(surroundings, tenant, &complaint).await?;
    let to = tenant.correspondent(message.customer_id).await?;
    let notice = Notice::ComplaintAnswered { number: complaint.number, words: message.body, link };
    tenant.tell(&to, &notice).await?;
    Ok(())
}

/// Writes a resolution down, tells the customer, and has them asked about it. A resolution that was
/// left behind meanwhile was written down then, and nobody is asked about it.
pub(crate) async fn conclude(
    surroundings: &Surroundings,
    tenant: &Tenant,
    id: ComplaintId,
    resolution_no: u32,
) -> Result<(), Failure> {
    // Held, because whoever closes or reopens it at this moment writes the line, too.
    let complaint = tenant.hold::<Complaint>(id).await?;
    if complaint.resolution_no != resolution_no {
        return Ok(());
    }
    tenant.log_resolution(&complaint).await?;
    let to = tenant.correspondent(complaint.details.customer_id).await?;
    let remedies = promised(tenant, &complaint).await?;
    let link = link(surroundings, tenant, &complaint).await?;
    let notice = Notice::ComplaintResolved { number: complaint.number, remedies, link };
    tenant.tell(&to, &notice).await?;
    let subject = SurveySubject::Complaint { complaint_id: id, resolution_no };
    let who = Respondent {
        customer_id: complaint.details.customer_id,
        dealer_id: complaint.details.dealer_id,
        staff_id: complaint.owner_id,
    };
    surveys::schedule(tenant, SurveyTrigger::ComplaintResolved, subject, who).await
}

/// Lets the next rank decide, unless something new was offered to a customer who does not accept what was decided. While
/// it is the customer's turn nobody stands against anybody, and the time begins anew.
pub(crate) async fn stand_off(
    tenant: &Tenant,
    id: ComplaintId,
    refusals: u32,
) -> Result<(), Failure> {
    let complaint = tenant.hold::<Complaint>(id).await?;
    if !complaint.stands_off(refusals) {
        return Ok(());
    }
    let until = tenant.stand_off_until(&complaint).await?;
    if complaint.waits_for_customer() {
        let due = Event::StandOffDue { complaint: id, refusals };
        return Ok(tenant.emit_at(&due, until).await?);
    }
    let superiors = tenant.superiors_of(&complaint).await?;
    let stand_off = StandOff { superiors: &superiors, until };
    if let Some(change) = complaint.stand_off(refusals, &stand_off) {
        tenant.record(change).await?;
    }
    Ok(())
}

/// Lets complaints be in the hands of people who are there: those of one person who leaves or goes on leave, or
/// everybody's.
pub(crate) async fn hand_over(
    tenant: &Tenant,
    staff: Option<StaffId>,
    after: Option<ComplaintId>,
) -> Result<(), Failure> {
    let left_behind = tenant.complaints_left_behind(staff, after).await?;
    for complaint in &left_behind {
        put_in_hands(tenant, complaint).await?;
    }
    let Some(last) = left_behind.last() else { return Ok(()) };
    Ok(tenant.emit(&Event::ComplaintsLeftBehind { staff, after: Some(last.id) }).await?)
}

async fn put_in_hands(
    tenant: &Tenant,
    complaint: &Complaint,
) -> Result<Option<Complaint>, Failure> {
    let hands = tenant.hands_of(complaint).await?;
    match complaint.clone().hand_over(&hands) {
        Some(change) => Ok(Some(tenant.record(change).await?)),
        None => Ok(None),
    }
}

/// Closes complaints whose resolution was met with silence for the cooling period, looks in whose hands the others are,
/// and seals what no job has.
pub(crate) async fn daily(tenant: &Tenant) -> Result<(), Failure> {
    for complaint in tenant.hold_all::<Complaint>(cooled(tenant.now())).await? {
        let silence = ComplaintClosing { customer_satisfied: None };
        let (actor, now) = (tenant.actor(), tenant.now());
        // Whoever has said something since it was looked for is not silent.
        let last_heard_at = tenant.last_heard_at(&complaint).await?;
        let Ok(change) = complaint.clone().close(silence, last_heard_at, now) else { continue };
        let word = |id| CustomerWord::at_closing(id, &complaint, silence, actor, now);
        tenant.log_word(&complaint, word).await?;
        tenant.record_progress(change).await?;
    }
    tenant.emit(&Event::ComplaintsLeftBehind { staff: None, after: None }).await?;
    seal_rest(tenant).await
}

/// Seals the entry of the resolution log that was written, and what else waits for its seal. One after the other does
/// so, because each seal follows on the one before; whoever wrote an entry has gone on long since.
pub(crate) async fn seal(tenant: &Tenant, entry: LogEntryId) -> Result<(), Failure> {
    if tenant.is_pending(entry).await? { seal_rest(tenant).await } else { Ok(()) }
}

async fn seal_rest(tenant: &Tenant) -> Result<(), Failure> {
    let Pending { head, entries, next } = tenant.hold_pending().await?;

    let seals = LogSeal::close_all(head, &entries, tenant.now());

    tenant.seal(&seals).await?;
    if let Some(entry) = next.filter(|_| !seals.is_empty()) {
        tenant.emit(&Event::ResolutionLogged { entry }).await?;
    }
    Ok(())
}

/// The address of the complaint's page, with a token of its own.
async fn link(
    surroundings: &Surroundings,
    tenant: &Tenant,
    complaint: &Complaint,
) -> Result<String, Failure> {
    let token = tenant.link_to(complaint).await?;
    Ok(format!("{}/c/{token}", surroundings.public_url))
}

async fn promised(tenant: &Tenant, complaint: &Complaint) -> Result<Vec<RemedyKind>, Failure> {
    let remedies = tenant.all::<Remedy>(current_remedies(complaint)).await?;
    Ok(Remedy::kept(&remedies))
}
