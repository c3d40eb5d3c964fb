//! What may stand beside which record: where a member `x_id` names a record, `expand=x` shows it.

use super::{Asked, Companion, Expands, Shelf, expands};
use domain::{
    allowances::gestures::Gesture,
    catalogue::{Asset, Product},
    complaints::Complaint,
    customers::Customer,
    identity::{Scope, Staff},
    maintenance::{
        appointments::{Appointment, AppointmentState},
        enrolments::Enrolment,
        occurrences::Occurrence,
        work_orders::{WorkOrder, WorkOrderState},
    },
    orders::Sale,
    surveys::{Invitation, Survey, SurveyResponse},
    tenancy::{Dealer, Site},
};
use serde::Serialize;
use store::Fault;
use utoipa::ToSchema;

macro_rules! companions {
    ($($kind:ident needs $scope:ident;)*) => {$(
        impl Companion for $kind {
            const NEEDS: Scope = Scope::$scope;
        }
    )*};
}

companions! {
    Customer needs CustomersRead;
    Asset needs CatalogueRead;
    Product needs CatalogueRead;
    Staff needs StaffRead;
    Dealer needs DealersRead;
    Site needs DealersRead;
    WorkOrder needs VisitsRead;
    Complaint needs ComplaintsRead;
    Survey needs SurveysRead;
}

expands! {
    Appointment as AppointmentExpanded, visits (|visit| is_carried_out(visit.state)) {
        /// Who is visited.
        customer: Customer = |visit| Some(visit.customer_id);
        /// What is looked at then; its address is where the visit takes place.
        asset: Asset = |visit| Some(visit.work_order_id),
            through WorkOrder |order| order.details.asset_id;
        /// What kind of thing that is.
        product: Product = |visit| Some(visit.work_order_id),
            through WorkOrder |order| order.details.asset_id,
            through Asset |asset| Some(asset.details.product_id);
        /// Who comes.
        staff: Staff = |visit| Some(visit.slot.staff_id);
        /// From which site.
        site: Site = |visit| Some(visit.site_id);
        /// Which dealer sends somebody.
        dealer: Dealer = |visit| visit.dealer_id;
        /// What is done then.
        work_order: WorkOrder = |visit| Some(visit.work_order_id);
    }
    WorkOrder as WorkOrderExpanded, visits (|order| order.state != WorkOrderState::Cancelled) {
        /// For whom it is done.
        customer: Customer = |order| Some(order.details.customer_id);
        /// What it is done to; its address is where the visit takes place.
        asset: Asset = |order| order.details.asset_id;
        /// What kind of thing that is.
        product: Product = |order| order.details.asset_id,
            through Asset |asset| Some(asset.details.product_id);
        /// Who comes.
        staff: Staff = |order| order.staff_id;
        /// From which site.
        site: Site = |order| order.details.site_id;
        /// Which dealer sends somebody.
        dealer: Dealer = |order| order.details.dealer_id;
    }
    Occurrence as OccurrenceExpanded {
        /// Whose asset it is.
        customer: Customer = |date| Some(date.customer_id);
        /// What is due for it.
        asset: Asset = |date| Some(date.enrolment_id),
            through Enrolment |enrolment| Some(enrolment.asset_id);
        /// What kind of thing that is.
        product: Product = |date| Some(date.enrolment_id),
            through Enrolment |enrolment| Some(enrolment.asset_id),
            through Asset |asset| Some(asset.details.product_id);
        /// Which dealer looks after it.
        dealer: Dealer = |date| date.dealer_id;
        /// The visit it became.
        work_order: WorkOrder = |date| date.work_order_id;
    }
    Enrolment as EnrolmentExpanded {
        /// Whose asset it is.
        customer: Customer = |enrolment| Some(enrolment.customer_id);
        /// What is looked after.
        asset: Asset = |enrolment| Some(enrolment.asset_id);
        /// What kind of thing that is.
        product: Product = |enrolment| Some(enrolment.asset_id),
            through Asset |asset| Some(asset.details.product_id);
        /// Which dealer looks after it.
        dealer: Dealer = |enrolment| enrolment.dealer_id;
    }
    Asset as AssetExpanded {
        /// Whose it is.
        customer: Customer = |asset| Some(asset.details.customer_id);
        /// What kind of thing it is.
        product: Product = |asset| Some(asset.details.product_id);
        /// The site that serves it.
        site: Site = |asset| asset.details.site_id;
        /// Who serves it.
        dealer: Dealer = |asset| asset.details.dealer_id;
    }
    Sale as SaleExpanded {
        /// Who bought.
        customer: Customer = |sale| Some(sale.order.customer_id);
        /// Where it was sold.
        site: Site = |sale| sale.order.site_id;
        /// Who sold.
        dealer: Dealer = |sale| Some(sale.order.dealer_id);
    }
    Complaint as ComplaintExpanded {
        /// Who complained.
        customer: Customer = |complaint| Some(complaint.details.customer_id);
        /// What it is about.
        asset: Asset = |complaint| complaint.details.asset_id;
        /// What kind of thing that is.
        product: Product = |complaint| complaint.details.asset_id,
            through Asset |asset| Some(asset.details.product_id);
        /// The visit it is about.
        work_order: WorkOrder = |complaint| complaint.details.work_order_id;
        /// The person who answers for it.
        owner: Staff = |complaint| complaint.owner_id;
        /// Whose people answer it.
        dealer: Dealer = |complaint| complaint.details.dealer_id;
    }
    Gesture as GestureExpanded {
        /// For whom it is.
        customer: Customer = |gesture| Some(gesture.customer_id);
        /// In whose name it was asked for.
        requester: Staff = |gesture| Some(gesture.requester_id);
        /// The complaint that it helps to put right.
        complaint: Complaint = |gesture| gesture.complaint_id;
        /// Whose people see it.
        dealer: Dealer = |gesture| gesture.dealer_id;
    }
    Invitation as InvitationExpanded {
        /// Who is asked.
        customer: Customer = |invitation| Some(invitation.customer_id);
        /// What is asked.
        survey: Survey = |invitation| Some(invitation.survey_id);
        /// Who is rated.
        staff: Staff = |invitation| invitation.staff_id;
        /// Whose people are rated.
        dealer: Dealer = |invitation| invitation.dealer_id;
    }
    SurveyResponse as SurveyResponseExpanded {
        /// Who answered.
        customer: Customer = |answer| Some(answer.customer_id);
        /// What was asked.
        survey: Survey = |answer| Some(answer.survey_id);
        /// Who is rated.
        staff: Staff = |answer| answer.staff_id;
        /// Whose people are rated.
        dealer: Dealer = |answer| answer.dealer_id;
    }
}

/// Whether the technician of a visit in this state makes it, or has made it; one that was called off is no
/// longer theirs.
fn is_carried_out(state: AppointmentState) -> bool {
    match state {
        AppointmentState::Held
        | AppointmentState::Confirmed
        | AppointmentState::InProgress
        | AppointmentState::Completed => true,
        AppointmentState::Cancelled | AppointmentState::Expired => false,
    }
}
