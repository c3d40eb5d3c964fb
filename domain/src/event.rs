//! What has happened: the only messages that pass from the API to the worker.
//!
//! An event becomes a job in the transaction that caused it. Events whose name ends in `Due` are
//! made ahead of time and come true at their instant.

use crate::{
    identity::{Rank, Reach},
    ids::{
        AllowanceAccountId, AllowanceBudgetId, AppointmentId, AssetId, CalendarId, CancellationId,
        ClockId, ComplaintId, ComplaintMessageId, ComplaintPublicationId, CorrectiveActionId,
        CustomerEventId, CustomerId, DealerId, EnrolmentId, GestureId, ImportId, InvitationId,
        LogEntryId, MessageId, OccurrenceId, OperationId, OrderId, PlanTemplateId, ResponseId,
        RmaId, ServiceBenchmarkId, SlaClockId, SopRunId, SopRunStepId, StaffId, WorkOrderId,
    },
    time::{CivilDate, Timestamp},
};
use serde::{Deserialize, Serialize};

/// A fact another part of the service acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A new day has begun in the brand's time zone: look ahead, clean up, begin tomorrow.
    DayBegan {
        /// Which day.
        on: CivilDate,
    },
    /// One part of the day's work can be done; the parts do not hold each other up.
    DayWorkDue {
        /// Which day.
        on: CivilDate,
        /// Which part.
        work: DayWork,
    },
    /// The clock of a sandbox has arrived where it was sent.
    ClockArrived {
        /// Which clock.
        clock: ClockId,
        /// Where it was sent.
        at: Timestamp,
        /// The operation that told about the way.
        operation: OperationId,
    },
    /// A file was handed in, or its rows up to here are done.
    ImportContinued {
        /// Which file.
        import: ImportId,
        /// The first row that is not done, from 0.
        from_row: u32,
        /// The dealer whose records alone the file may touch, because whoever handed it in sees no others;
        /// null when they see the whole brand.
        within: Option<DealerId>,
    },
    /// A sale was paid.
    OrderPaid {
        /// Which sale.
        order: OrderId,
    },
    /// A paid sale was given back.
    OrderRefunded {
        /// Which sale.
        order: OrderId,
    },
    /// A customer is looked after by another dealer now, or by none.
    CustomerMoved {
        /// Which customer.
        customer: CustomerId,
    },
    /// Money has become free in a budget: gestures that wait for it go on.
    BudgetFunded {
        /// Which budget.
        budget: AllowanceBudgetId,
        /// The gesture up to which, in the order of identifiers, it is done.
        after: Option<GestureId>,
    },
    /// A sold thing arrived at its customer's.
    AssetDelivered {
        /// Which thing.
        asset: AssetId,
    },
    /// So many peers offer what was a service that it has become an obligation.
    ServiceItemDrifted {
        /// What was seen of the peers.
        benchmark: ServiceBenchmarkId,
    },
    /// A calendar is there, has other hours, counts by other holidays, or says something else about single days.
    CalendarChanged {
        /// Which calendar.
        calendar: CalendarId,
    },
    /// Another version of a plan has come into force, or none is any more.
    PlanInForceChanged {
        /// The version that was published or withdrawn.
        plan_template: PlanTemplateId,
    },
    /// An asset has entered a plan.
    EnrolmentBegan {
        /// Which enrolment.
        enrolment: EnrolmentId,
    },
    /// It is time to prepare what the plan foresees.
    OccurrenceDue {
        /// Which due date.
        occurrence: OccurrenceId,
    },
    /// Something is to be done at a customer's, and nobody has been found for it yet.
    WorkOrderUnscheduled {
        /// Which work order.
        work_order: WorkOrderId,
        /// How often the search was tried before, from 0.
        attempt: u32,
    },
    /// A visit was agreed, or moved to another time: the customer should know.
    VisitConfirmed {
        /// Which appointment.
        appointment: AppointmentId,
    },
    /// A technician has left, goes on leave, or works elsewhere: visits they were to make are somebody
    /// else's.
    TechnicianChanged {
        /// Who.
        staff: StaffId,
        /// The appointment up to which, in the order of identifiers, it is done.
        after: Option<AppointmentId>,
    },
    /// A dealer does not work for the brand any more: visits it was to make are given back.
    DealerClosed {
        /// Which dealer.
        dealer: DealerId,
        /// The appointment up to which, in the order of identifiers, it is done.
        after: Option<AppointmentId>,
    },
    /// Who was to come cannot, and nobody else could: the customer should know.
    VisitFellThrough {
        /// Which appointment.
        appointment: AppointmentId,
    },
    /// A slot that was held for a customer has not been confirmed in time.
    HoldDue {
        /// Which appointment.
        appointment: AppointmentId,
    },
    /// A visit is close enough to remind the customer of it.
    ReminderDue {
        /// Which appointment.
        appointment: AppointmentId,
    },
    /// A visit was carried out.
    WorkOrderCompleted {
        /// Which work order.
        work_order: WorkOrderId,
    },
    /// Money that was set aside has reached its date.
    LotsDue {
        /// The account up to which, in the order of identifiers, it is done.
        after: Option<AllowanceAccountId>,
    },
    /// Accounts of allowances are to be counted over.
    ReconciliationDue {
        /// The account up to which, in the order of identifiers, it is done.
        after: Option<AllowanceAccountId>,
    },
    /// The rank a gesture waits for has had its time to decide.
    GestureEscalationDue {
        /// Which gesture.
        gesture: GestureId,
    },
    /// Nobody has decided about a gesture, or fulfilled it, in time.
    GestureDue {
        /// Which gesture.
        gesture: GestureId,
    },
    /// A customer has complained.
    ComplaintOpened {
        /// Which complaint.
        complaint: ComplaintId,
    },
    /// The first answer to a complaint should have been given by now.
    FirstAnswerDue {
        /// Which complaint.
        complaint: ComplaintId,
    },
    /// It was decided what is done about a complaint.
    ComplaintDecided {
        /// Which complaint.
        complaint: ComplaintId,
    },
    /// A complaint was put right.
    ComplaintResolved {
        /// Which complaint.
        complaint: ComplaintId,
        /// Which resolution of it, from 1; a reopened complaint has several.
        resolution_no: u32,
    },
    /// Two sides have stood against each other for as long as they may.
    StandOffDue {
        /// About which complaint.
        complaint: ComplaintId,
        /// Since which refusal of the customer, from 1.
        refusals: u32,
    },
    /// Complaints may be in the hands of people who are not there.
    ComplaintsLeftBehind {
        /// Whose; null for everybody, as the night looks for them.
        staff: Option<StaffId>,
        /// The complaint up to which, in the order of identifiers, it is done.
        after: Option<ComplaintId>,
    },
    /// Something was said to a customer who complained: they should hear it.
    ComplaintAnswered {
        /// What was said.
        message: ComplaintMessageId,
    },
    /// A public complaint should have been answered by now where others read it.
    PublicAnswerDue {
        /// What others read.
        publication: ComplaintPublicationId,
        /// Of which complaint.
        complaint: ComplaintId,
    },
    /// The resolution log has an entry that nothing holds yet.
    ResolutionLogged {
        /// Which entry.
        entry: LogEntryId,
    },
    /// It is time to ask a customer.
    InvitationDue {
        /// Which asking.
        invitation: InvitationId,
    },
    /// An asking has had its time.
    InvitationExpiryDue {
        /// Which asking.
        invitation: InvitationId,
    },
    /// A customer has answered.
    SurveyAnswered {
        /// Which answer.
        response: ResponseId,
    },
    /// A message waits to leave the house.
    MessageQueued {
        /// Which message.
        message: MessageId,
    },
    /// The brand told what a customer did.
    CustomerEventTold {
        /// Which event.
        customer_event: CustomerEventId,
    },
    /// Somebody has left, or works for another dealer: steps of procedures that were theirs are somebody else's.
    StepsLeftBehind {
        /// Who; null for everybody, as the night looks for them.
        staff: Option<StaffId>,
        /// The run up to which, in the order of identifiers, it is done.
        after: Option<SopRunId>,
    },
    /// A step of a procedure should have been settled by now.
    SopStepDue {
        /// Which run.
        run: SopRunId,
        /// Which step of it.
        step: SopRunStepId,
        /// The rank that answered for it when this was foreseen; null before it went up to anybody.
        escalated_rank: Option<Rank>,
    },
    /// A warning of a clock, or its deadline, should have come by now.
    SlaClockDue {
        /// Which clock.
        clock: SlaClockId,
        /// Of which complaint.
        complaint: ComplaintId,
    },
    /// Somebody works at other hours now: deadlines in working time are counted anew.
    WorkingHoursChanged {
        /// Whose hours they are.
        whose: HoursOf,
        /// The complaint up to which, in the order of identifiers, it is done.
        after: Option<ComplaintId>,
    },
    /// A customer has called off what they had bought, and has the money back.
    CancellationClosed {
        /// Which cancellation.
        cancellation: CancellationId,
    },
    /// Something that is waited for should have come by now.
    AwaitedDue {
        /// What.
        awaited: Awaited,
    },
}

/// Whose hours have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoursOf {
    /// Those of every dealer who works by this calendar.
    Calendar(CalendarId),
    /// Those of this dealer.
    Dealer(DealerId),
    /// The usual ones in the zone of the brand: its own, and those of dealers who have no open site.
    Brand,
}

/// Kinds of events on which somebody acts with a handful of rows, and without talking to the outside: several of
/// one brand may share a transaction.
pub const SMALL: [&str; 21] = [
    "asset_delivered",
    "complaint_answered",
    "complaint_decided",
    "complaint_opened",
    "complaint_resolved",
    "customer_event_told",
    "enrolment_began",
    "first_answer_due",
    "hold_due",
    "invitation_due",
    "invitation_expiry_due",
    "occurrence_due",
    "order_paid",
    "public_answer_due",
    "reminder_due",
    "sla_clock_due",
    "sop_step_due",
    "stand_off_due",
    "visit_confirmed",
    "visit_fell_through",
    "work_order_completed",
];

impl Event {
    /// How much of the brand may be seen by whoever acts on it: as much as the caller who caused it, where
    /// the work is that caller's own and only done later; else everything.
    pub fn reach(&self) -> Reach {
        if let Self::ImportContinued { within, .. } = self {
            return Reach { dealer: *within, technician: None };
        }
        Reach::default()
    }
}

/// What is waited for when something is to be good again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// Goods that a customer sends back are here.
    Return(RmaId),
    /// It can be seen whether a corrective action has worked.
    Verification(CorrectiveActionId),
    /// The refund of a sale that was cancelled is under way.
    Refund(CancellationId),
}

/// The parts of a day's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayWork {
    /// What is no longer needed is forgotten.
    Housekeeping,
    /// Lots of allowances expire.
    Allowances,
    /// Accounts of allowances are counted over.
    Reconciliation,
    /// Plans look ahead.
    Plans,
    /// Complaints whose resolution was met with silence are closed.
    Complaints,
    /// It is looked where obligations of procedures are missed.
    Procedures,
    /// It is looked whether the holidays are known that calendars count by.
    Calendars,
    /// Files that no row names are taken away.
    Files,
}

impl DayWork {
    /// Every part.
    pub const ALL: [Self; 8] = [
        Self::Housekeeping,
        Self::Allowances,
        Self::Reconciliation,
        Self::Plans,
        Self::Complaints,
        Self::Procedures,
        Self::Calendars,
        Self::Files,
    ];
}
