//! Surveys: customers are asked, and what they answer has consequences.

use crate::outside::Surroundings;
use domain::{
    clocks::{SlaMatter, SlaOpening},
    complaints::{Complaint, ComplaintState, CustomerWord},
    customers::Customer,
    followups::Notice,
    ids::{InvitationId, ResponseId, WorkOrderId},
    surveys::{Invitation, Respondent, Survey, SurveyResponse, SurveySubject, SurveyTrigger},
};
use store::{
    Failure, Tenant,
    complaints::opened_by,
    surveys::{about, active},
};

/// Plans to ask about a visit that was carried out.
pub(crate) async fn after_visit(tenant: &Tenant, id: WorkOrderId) -> Result<(), Failure> {
    let Some(who) = tenant.visited(id).await? else { return Ok(()) };
    let subject = SurveySubject::WorkOrder { work_order_id: id };
    schedule(tenant, SurveyTrigger::VisitCompleted, subject, who).await
}

/// Plans to ask `who` about `subject`, if there is a survey for it and they were not asked before.
pub(crate) async fn schedule(
    tenant: &Tenant,
    trigger: SurveyTrigger,
    subject: SurveySubject,
    who: Respondent,
) -> Result<(), Failure> {
    let Some(survey) = tenant.find::<Survey>(active(trigger)).await? else { return Ok(()) };
    if tenant.find::<Invitation>(about(subject)).await?.is_some() {
        return Ok(());
    }
    let plan = Invitation::schedule(tenant.new_id(), &survey, subject, who, tenant.now());
    tenant.record(plan).await?;
    Ok(())
}

/// Asks a customer, or notes why not.
pub(crate) async fn ask(
    surroundings: &Surroundings,
    tenant: &Tenant,
    id: InvitationId,
) -> Result<(), Failure> {
    let customer = tenant.get::<Invitation>(id).await?.customer_id;
    // Held before anybody looks how it stands with them, so that of two who want to ask at once the second
    // sees that the first has asked, and nobody asks while a complaint is being opened.
    tenant.hold::<Customer>(customer).await?;
    let invitation = tenant.hold::<Invitation>(id).await?;
    let survey = tenant.get::<Survey>(invitation.survey_id).await?;
    let to = tenant.correspondent(invitation.customer_id).await?;
    let has_address = to.recipient.has_address();
    let around = tenant.circumstances(invitation.customer_id, has_address).await?;

    let Some(change) = invitation.ask(&survey, around, tenant.now()) else { return Ok(()) };

    let invitation = tenant.record(change).await?;
    let Some(expires_at) = invitation.expires_at else { return Ok(()) };
    let token = tenant.make_link(&invitation).await?;
    let notice = Notice::SurveyInvitation {
        link: format!("{}/s/{token}", surroundings.public_url),
        open_until: expires_at.wall_time_in(to.tz),
    };
    tenant.tell(&to, &notice).await?;
    Ok(())
}

/// Ends an asking that was not answered in time.
pub(crate) async fn expire(tenant: &Tenant, id: InvitationId) -> Result<(), Failure> {
    let invitation = tenant.hold::<Invitation>(id).await?;
    if let Some(change) = invitation.expire(tenant.now()) {
        tenant.record(change).await?;
    }
    Ok(())
}

/// Draws the consequences of an answer: a complaint is opened, reopened or closed by it.
pub(crate) async fn follow(tenant: &Tenant, id: ResponseId) -> Result<(), Failure> {
    let answer = tenant.get::<SurveyResponse>(id).await?;
    // A complaint that is opened or reopened waits for those who want to ask, and they for it.
    tenant.hold::<Customer>(answer.customer_id).await?;
    match answer.subject {
        SurveySubject::WorkOrder { .. } if answer.low => open_complaint(tenant, &answer).await,
        SurveySubject::WorkOrder { .. } => Ok(()),
        SurveySubject::Complaint { complaint_id, .. } => {
            let complaint = tenant.hold::<Complaint>(complaint_id).await?;
            let Some(change) = complaint.clone().hear(&answer, tenant.now()) else { return Ok(()) };
            let (actor, now) = (tenant.actor(), tenant.now());
            let word = |id| CustomerWord::in_answer(id, &complaint, &answer, actor, now);
            tenant.log_word(&complaint, word).await?;
            if change.record.state == ComplaintState::Reopened {
                tenant.leave_attempt(&complaint).await?;
            }
            tenant.record_progress(change).await?;
            Ok(())
        }
    }
}

async fn open_complaint(tenant: &Tenant, answer: &SurveyResponse) -> Result<(), Failure> {
    if tenant.find::<Complaint>(opened_by(answer.id)).await?.is_some() {
        return Ok(());
    }
    let number = tenant.next_complaint_number().await?;
    let zone = tenant.zone_of(answer.dealer_id).await?;
    let customer = tenant.get::<Customer>(answer.customer_id).await?;
    let candidates = tenant.sla_candidates().await?;
    let received = Complaint::receive_answer(tenant.new_id(), number, answer, zone, tenant.now());
    let Some(change) = received else { return Ok(()) };
    let matter = SlaMatter::of(&change.record.details, customer.details.tier);
    let (picked, hours) = tenant.sla_picked(&candidates, &matter).await?;

    let opening = SlaOpening::of(change, picked, &hours, || tenant.new_id());

    tenant.open_complaint(opening).await?;
    Ok(())
}
