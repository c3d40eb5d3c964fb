//! The course of a complaint against a second telling of it, which was written from the table of the state machine and
//! not from the code: random verbs, most of them illegal where they come, must end alike in both.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::struct_excessive_bools,
    clippy::too_many_lines,
    reason = "the second telling is one table, with the facts it needs and small numbers of days"
)]

use super::tests::{
    assessment, clerk, findings, now, our_fault, prose, received, reopening, superiors,
};
use super::*;
use crate::{change::Change, identity::Rank, refusal::Refusal};
use proptest::prelude::*;
use uuid::Uuid;

/// Something that somebody tries to do.
#[derive(Debug, Clone, Copy)]
enum Verb {
    Acknowledge,
    Assess { grave: bool },
    Investigate,
    Decide { as_brand: bool },
    Tell,
    Accept,
    Refuse,
    StandOff,
    Refer,
    Wait,
    Resume,
    Resolve,
    CloseSatisfied,
    CloseSilent,
    Reopen,
    SetAside,
    Days { days: i64 },
}

/// Verbs as the API names them. Whoever is refused one is told of all that are possible.
const VERBS: [(&str, Verb); 13] = [
    ("acknowledge", Verb::Acknowledge),
    ("assess", Verb::Assess { grave: false }),
    ("investigate", Verb::Investigate),
    ("decide", Verb::Decide { as_brand: true }),
    ("tell", Verb::Tell),
    ("accept", Verb::Accept),
    ("refuse", Verb::Refuse),
    ("refer", Verb::Refer),
    ("wait", Verb::Wait),
    ("resume", Verb::Resume),
    ("resolve", Verb::Resolve),
    ("reopen", Verb::Reopen),
    ("set-aside", Verb::SetAside),
];

fn verbs() -> impl Strategy<Value = Vec<Verb>> {
    let verb = prop_oneof![
        3 => Just(Verb::Acknowledge),
        2 => any::<bool>().prop_map(|grave| Verb::Assess { grave }),
        2 => Just(Verb::Investigate),
        4 => any::<bool>().prop_map(|as_brand| Verb::Decide { as_brand }),
        3 => Just(Verb::Tell),
        1 => Just(Verb::Accept),
        3 => Just(Verb::Refuse),
        1 => Just(Verb::StandOff),
        1 => Just(Verb::Refer),
        1 => Just(Verb::Wait),
        1 => Just(Verb::Resume),
        3 => Just(Verb::Resolve),
        1 => Just(Verb::CloseSatisfied),
        2 => Just(Verb::CloseSilent),
        1 => Just(Verb::Reopen),
        1 => Just(Verb::SetAside),
        2 => (1_i64..40).prop_map(|days| Verb::Days { days }),
    ];
    proptest::collection::vec(verb, 1..60)
}

/// The second telling: where it stands, in the words of the API, and the few facts that matter to what may follow.
#[derive(Debug, Clone)]
struct Model {
    state: &'static str,
    grave: bool,
    investigated: bool,
    waiting: bool,
    told: Option<i64>,
    accepted: bool,
    refused: bool,
    up: u8,
    decided_by_brand: bool,
    deciding: u8,
    resolved: i64,
    closed: i64,
    day: i64,
}

impl Model {
    fn new() -> Self {
        Self {
            state: "received",
            grave: false,
            investigated: false,
            waiting: false,
            told: None,
            accepted: false,
            refused: false,
            up: 0,
            decided_by_brand: false,
            deciding: 0,
            resolved: 0,
            closed: 0,
            day: 0,
        }
    }

    /// Who decides next, in steps up the ladder: 1 for a manager, 2 for an owner, 3 for the brand.
    fn goes_up(&mut self) {
        self.up = if self.decided_by_brand { 3 } else { (self.up + 1).min(3) };
        self.deciding = self.up;
    }

    fn goes_to(&mut self, state: &'static str) -> bool {
        self.state = state;
        self.waiting = false;
        true
    }

    /// What becomes of `verb`; whether it is possible.
    fn tries(&mut self, verb: Verb) -> bool {
        let state = self.state;
        let undecided = ["acknowledged", "assessed", "investigating", "reopened"];
        let open = ["decided", "negotiating", "external_recourse"];
        match verb {
            Verb::Days { days } => {
                self.day += days;
                true
            }
            Verb::Acknowledge => state == "received" && self.goes_to("acknowledged"),
            Verb::Assess { grave } if undecided.contains(&state) => {
                self.grave = grave;
                self.goes_to(if state == "acknowledged" { "assessed" } else { state })
            }
            Verb::Investigate if ["assessed", "investigating", "reopened"].contains(&state) => {
                self.investigated = true;
                self.goes_to(if state == "reopened" { state } else { "investigating" })
            }
            Verb::Decide { as_brand } => {
                let may = undecided.contains(&state) || open[1..].contains(&state);
                let rank = if as_brand { 3 } else { 0 };
                // What was decided once was looked into as far as it had to be.
                let is_known = self.investigated || open.contains(&state);
                if !may || self.grave && !is_known || rank < self.deciding {
                    return false;
                }
                (self.told, self.accepted, self.decided_by_brand) = (None, false, as_brand);
                self.goes_to("decided")
            }
            Verb::Tell => {
                // Who refuses was told.
                let may = ["decided", "resolved"].contains(&state) && self.told.is_none();
                self.told = if may { Some(self.day) } else { self.told };
                may
            }
            Verb::Accept => {
                let asked = state == "decided" && self.told.is_some() && !self.accepted;
                let may = asked || state == "negotiating";
                self.accepted |= may;
                may && self.goes_to("decided")
            }
            Verb::Refuse => {
                if state != "decided" || self.told.is_none() || self.accepted {
                    return false;
                }
                if self.refused {
                    self.goes_up();
                }
                self.refused = true;
                self.goes_to("negotiating")
            }
            Verb::StandOff => {
                let may = state == "negotiating" && self.deciding < 3;
                if may {
                    self.goes_up();
                }
                may
            }
            Verb::Refer => state == "negotiating" && self.goes_to("external_recourse"),
            Verb::Wait => {
                let may = (undecided.contains(&state) || open.contains(&state)) && !self.waiting;
                self.waiting |= may;
                may
            }
            Verb::Resume => std::mem::replace(&mut self.waiting, false),
            Verb::Resolve => {
                let final_word = open[1..].contains(&state) && self.decided_by_brand;
                self.resolved =
                    if state == "decided" || final_word { self.day } else { self.resolved };
                (state == "decided" || final_word) && self.goes_to("resolved")
            }
            Verb::CloseSatisfied | Verb::CloseSilent => {
                let told = self.told.map(|told| told.max(self.resolved) + 14);
                let silent = told.is_some_and(|closable| self.day >= closable);
                let may = state == "resolved" && (matches!(verb, Verb::CloseSatisfied) || silent);
                self.closed = if may { self.day } else { self.closed };
                may && self.goes_to("closed")
            }
            Verb::Reopen => {
                let may = state == "resolved" || state == "closed" && self.day <= self.closed + 30;
                if may {
                    (self.told, self.accepted, self.refused) = (None, false, false);
                    (self.decided_by_brand, self.investigated) = (false, false);
                }
                may && self.goes_to("reopened")
            }
            Verb::SetAside => {
                let early = ["received", "acknowledged", "assessed", "investigating"];
                early.contains(&state) && self.goes_to("withdrawn")
            }
            Verb::Assess { .. } | Verb::Investigate => false,
        }
    }
}

fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

fn act(complaint: Complaint, verb: Verb, day: i64) -> Result<Change<Complaint>, Option<Refusal>> {
    let (now, superiors) = (now().plus_days(day), superiors());
    let stand_off = StandOff { superiors: &superiors, until: now.plus_hours(24) };
    let outcome = match verb {
        Verb::Days { .. } => return Err(None),
        Verb::Acknowledge => complaint.acknowledge(clerk(), now),
        Verb::Assess { grave } => {
            complaint.assess(assessment(if grave { 4 } else { 2 }, false), &superiors, clerk(), now)
        }
        Verb::Investigate => complaint.investigate(findings(false), clerk(), now),
        Verb::Decide { as_brand } => {
            let rank = if as_brand { Rank::BRAND } else { Rank::CLERK };
            let deciding = Deciding { rank, promised: Vec::new() };
            let none = || Uuid::nil().into();
            complaint.decide(our_fault(Vec::new()), deciding, none, now).map(|it| it.complaint)
        }
        Verb::Tell => complaint.tell(now),
        Verb::Accept => complaint.accept(now),
        Verb::Refuse => {
            complaint.refuse(ComplaintRefusing { reason: prose("No.") }, &stand_off, now)
        }
        Verb::StandOff => {
            let refusals = complaint.refusals;
            return complaint.stand_off(refusals, &stand_off).ok_or(None);
        }
        Verb::Refer => complaint.refer(ComplaintReferral { body: line("Council") }),
        Verb::Wait => {
            let reason = line("Which lot?");
            complaint.wait(ComplaintWaiting { waiting_for: WaitingFor::Customer, reason }, now)
        }
        Verb::Resume => complaint.resume(),
        Verb::Resolve => complaint.resolve(&[], clerk(), now),
        Verb::CloseSatisfied => {
            complaint.close(ComplaintClosing { customer_satisfied: Some(true) }, None, now)
        }
        Verb::CloseSilent => {
            complaint.close(ComplaintClosing { customer_satisfied: None }, None, now)
        }
        Verb::Reopen => complaint.reopen(reopening(), now),
        Verb::SetAside => {
            let note = line("Never mind.");
            let reason = AsideReason::Withdrawn;
            complaint.set_aside(ComplaintAside { reason, duplicate_of: None, note }, None, now)
        }
    };
    outcome.map_err(Some)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_verbs_end_where_the_table_of_the_state_machine_says(tries in verbs()) {
        let (mut complaint, mut model) = (received().record, Model::new());
        for verb in tries {
            let before = complaint.clone();
            let possible = model.tries(verb);
            match act(complaint.clone(), verb, model.day) {
                Ok(change) => {
                    prop_assert!(possible, "{verb:?} was possible in {:?}", before.state);
                    complaint = change.record;
                }
                Err(refusal) => {
                    let is_time = matches!(verb, Verb::Days { .. });
                    prop_assert!(is_time || !possible, "{verb:?}: {refusal:?} in {model:?}");
                }
            }
            let state = serde_json::to_value(complaint.state).unwrap();
            prop_assert_eq!(state, model.state, "after {:?}", verb);
            prop_assert_eq!(complaint.waiting_for.is_some(), model.waiting, "after {:?}", verb);
            if let Err(Some(refusal)) = act(complaint.clone(), verb, model.day)
                && let Some(allowed) = refusal.facts.get("allowed_transitions")
            {
                let possible: Vec<_> = VERBS
                    .into_iter()
                    .filter(|(_, verb)| model.clone().tries(*verb))
                    .map(|(name, _)| serde_json::Value::from(name))
                    .collect();
                let told = allowed.as_array().unwrap();
                prop_assert!(possible.iter().all(|it| told.contains(it)), "{possible:?} {told:?}");
            }
        }
    }
}
