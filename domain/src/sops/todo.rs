//! To-do lists: which steps wait for whom.

use super::{SopRun, SopRunStep, runs::require_rank};
use crate::{
    identity::{Actor, Rank},
    ids::{SopRunStepId, StaffId},
    invalid::Invalid,
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
    time::Timestamp,
};
use serde::Serialize;
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// A program asks for its own list.
pub(super) static TODO_OF_NOBODY: Rule = Rule {
    code: "todo_of_nobody",
    kind: Kind::Unfit,
    title: Bilingual { en: "Whose list?", zh: "未指明人员" },
    detail: Bilingual {
        en: "A program has no list of its own.", zh: "程序没有自己的待办事项。"
    },
    advice: Bilingual {
        en: "Name a person as `staff_id`, or ask for everybody's with `scope=dealer`.",
        zh: "请用 `staff_id` 指明人员，或用 `scope=dealer` 查询全部待办。",
    },
};

/// Whose steps are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TodoOwner {
    /// One person's.
    Person(StaffId),
    /// Everybody's whom the caller sees, and those that are nobody's.
    Everybody,
}

/// Whose list `by` may see: their own, and from a manager on those of others.
///
/// # Errors
///
/// `sop_rank_too_low` when somebody below a manager asks for another's list or for everybody's; `todo_of_nobody` when a
/// program does not say whose.
pub fn todo_of(
    by: Actor,
    person: Option<StaffId>,
    wants_everybody: bool,
) -> Result<TodoOwner, Refusal> {
    if wants_everybody {
        require_rank(by, Rank::MANAGER)?;
        return Ok(person.map_or(TodoOwner::Everybody, TodoOwner::Person));
    }
    match (person, by.staff()) {
        (Some(person), own) if own == Some(person) => Ok(TodoOwner::Person(person)),
        (Some(person), _) => require_rank(by, Rank::MANAGER).map(|()| TodoOwner::Person(person)),
        (None, Some(own)) => Ok(TodoOwner::Person(own)),
        (None, None) => Err(Refusal::new(&TODO_OF_NOBODY)),
    }
}

/// A step that waits for somebody, with the run it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SopTodo {
    /// The step.
    pub step: SopRunStep,
    /// The run; its customer is who it is done for.
    pub run: SopRun,
    /// Whether its time is over.
    pub is_overdue: bool,
}

impl SopTodo {
    /// A step as it stands at `now`. From its time on it is overdue.
    pub fn at(step: SopRunStep, run: SopRun, now: Timestamp) -> Self {
        let is_overdue = step.due_at.is_some_and(|due_at| due_at <= now);
        Self { step, run, is_overdue }
    }
}

/// Where somebody is in a list of what is to be done. It is written as when the step is due and which it is, so that the
/// list goes on there, whatever has become of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TodoPlace {
    /// When the last step that was seen is due.
    pub due_at: Option<Timestamp>,
    /// Which it is.
    pub step: SopRunStepId,
}

impl TodoPlace {
    /// Behind this one.
    pub fn of(last: &SopTodo) -> Self {
        Self { due_at: last.step.due_at, step: last.step.id }
    }
}

impl fmt::Display for TodoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(due_at) = self.due_at {
            write!(f, "{due_at}")?;
        }
        write!(f, "~{}", self.step)
    }
}

impl FromStr for TodoPlace {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts = text.split_once('~');
        let (due_at, step) =
            parts.ok_or_else(|| Invalid::new("not_a_place", "expected a place in a list"))?;
        let due_at = (!due_at.is_empty()).then(|| due_at.parse()).transpose()?;
        Ok(Self { due_at, step: step.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::ApiKeyId, sops::runs::SOP_RANK_TOO_LOW};
    use uuid::Uuid;

    fn person(number: u128) -> StaffId {
        Uuid::from_u128(number).into()
    }

    fn actor(number: u128, rank: Rank) -> Actor {
        Actor::Staff { id: person(number), rank }
    }

    #[test]
    fn a_place_in_the_list_reads_back() {
        let due_at = Some("2026-11-28T09:00:00.123456Z".parse().unwrap());
        let step = Uuid::from_u128(7).into();
        for place in [TodoPlace { due_at, step }, TodoPlace { due_at: None, step }] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "x", "~", "yesterday~x", "2026-11-28T09:00:00Z"] {
            assert!(text.parse::<TodoPlace>().is_err(), "{text}");
        }
    }

    #[test]
    fn everybody_sees_their_own_list_and_managers_those_of_others() {
        let clerk = actor(1, Rank::CLERK);
        assert_eq!(todo_of(clerk, None, false), Ok(TodoOwner::Person(person(1))));
        assert_eq!(todo_of(clerk, Some(person(1)), false), Ok(TodoOwner::Person(person(1))));
        for refused in [todo_of(clerk, Some(person(2)), false), todo_of(clerk, None, true)] {
            assert_eq!(refused.unwrap_err().rule, &SOP_RANK_TOO_LOW);
        }
        let manager = actor(3, Rank::MANAGER);
        assert_eq!(todo_of(manager, Some(person(2)), false), Ok(TodoOwner::Person(person(2))));
        assert_eq!(todo_of(manager, None, true), Ok(TodoOwner::Everybody));
        assert_eq!(todo_of(manager, None, false), Ok(TodoOwner::Person(person(3))));
    }

    #[test]
    fn a_program_says_whose_list_it_wants() {
        let program = Actor::Key(ApiKeyId::from(Uuid::from_u128(1)));
        assert_eq!(todo_of(program, None, false).unwrap_err().rule, &TODO_OF_NOBODY);
        assert_eq!(todo_of(program, Some(person(2)), false), Ok(TodoOwner::Person(person(2))));
        assert_eq!(todo_of(program, None, true), Ok(TodoOwner::Everybody));
    }
}
