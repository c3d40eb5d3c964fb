//! The lines of a return: what comes back, in what state, and where it goes.

use super::{
    INSPECTION_INCOMPLETE, RMA_ASSET_OF_ANOTHER, RMA_LINE_UNKNOWN, RMA_LINE_UNNAMED,
    RMA_QUANTITY_EXCEEDED, RMA_WITHOUT_LINES, TOO_MANY_RMA_LINES,
};
use crate::{
    ids::{AssetId, CustomerId},
    orders::Quantity,
    refusal::Refusal,
    text::Line,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Lines of one return, at most: more is a recall and not a return.
pub const MOST_RMA_LINES: usize = 20;

/// How far a line of a return has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RmaLineState {
    /// Nothing of it is here.
    Expected,
    /// Some pieces are here.
    PartlyReceived,
    /// All that comes of it is here.
    Received,
    /// It was inspected.
    Inspected,
    /// It stays with the customer.
    NotReturned,
}

/// What the inspection of a line has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InspectionResult {
    /// The defect is there.
    DefectConfirmed,
    /// There is no defect.
    DefectDisproved,
    /// One cannot tell.
    Inconclusive,
}

/// Where goods go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RmaDisposition {
    /// Back on the shelf.
    Restock,
    /// To be made good as new.
    Refurbish,
    /// To be thrown away.
    Scrap,
    /// Back to the customer.
    ReturnToCustomer,
    /// They stay with the customer.
    KeptByCustomer,
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"asset_id": "ast_01m80t7jx3e9vbq2f4c6d8g0hk", "item": null, "quantity": 1})))]
pub struct RmaLineDetails {
    /// The sold thing; it is the customer's, and one piece.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// What it is called, for goods that were never ordered here; either this or `asset_id`.
    #[serde(default)]
    pub item: Option<Line>,
    /// How many pieces.
    pub quantity: Quantity,
}

/// One line of a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"number": 1, "asset_id": null, "item": "Insoles, size 42", "quantity": 2,
    "received_quantity": 2, "state": "inspected", "inspection_result": "defect_confirmed",
    "inspection_note": "The seam is open.", "disposition": "scrap"})))]
pub struct RmaLine {
    /// Its place, from 1.
    pub number: u32,
    /// The sold thing.
    pub asset_id: Option<AssetId>,
    /// What it is called, where it is no sold thing of ours.
    pub item: Option<Line>,
    /// How many pieces it is about.
    pub quantity: Quantity,
    /// How many of them are here.
    pub received_quantity: u32,
    /// How far it has come.
    pub state: RmaLineState,
    /// What the inspection has shown.
    pub inspection_result: Option<InspectionResult>,
    /// What was seen at the inspection.
    pub inspection_note: Option<Line>,
    /// Where the goods go.
    pub disposition: Option<RmaDisposition>,
}

/// So many pieces of a line have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"number": 1, "quantity": 1})))]
pub struct RmaLineReceived {
    /// Which line.
    pub number: u32,
    /// How many pieces have come now, beside those that were here.
    pub quantity: Quantity,
}

/// What the inspection of a line has shown, and where its goods go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"number": 1, "result": "defect_confirmed", "note": "The seam is open.", "disposition": "scrap"})))]
pub struct RmaLineInspected {
    /// Which line.
    pub number: u32,
    /// What was found.
    pub result: InspectionResult,
    /// What was seen.
    #[serde(default)]
    pub note: Option<Line>,
    /// Where the goods go.
    pub disposition: RmaDisposition,
}

/// An inspection of all goods that are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"lines": [{"number": 1, "result": "defect_confirmed", "note": "The seam is open.",
    "disposition": "scrap"}]})))]
pub struct RmaInspection {
    /// Each line of which something is here, once.
    #[schema(min_items = 1, max_items = 20)]
    pub lines: Vec<RmaLineInspected>,
}

impl RmaLine {
    /// What is still to come of it.
    pub fn outstanding(&self) -> u32 {
        match self.state {
            RmaLineState::Expected | RmaLineState::PartlyReceived => {
                self.quantity.get().saturating_sub(self.received_quantity)
            }
            RmaLineState::Received | RmaLineState::Inspected | RmaLineState::NotReturned => 0,
        }
    }

    /// It stays with the customer, or what of it has not come does.
    pub(super) fn comes_no_more(&mut self) {
        if self.received_quantity == 0 {
            self.state = RmaLineState::NotReturned;
            self.disposition = Some(RmaDisposition::KeptByCustomer);
        } else {
            self.state = RmaLineState::Received;
        }
    }

    /// It is inspected anew, if it was before.
    pub(super) fn is_looked_at_anew(&mut self) {
        if self.state == RmaLineState::Inspected {
            self.state = RmaLineState::Received;
        }
    }
}

/// Checks that there is a line, and not more than can be looked after.
pub(super) fn check_length(lines: &[RmaLineDetails]) -> Result<(), Refusal> {
    if lines.is_empty() {
        return Err(Refusal::new(&RMA_WITHOUT_LINES).at("/lines"));
    }
    if lines.len() > MOST_RMA_LINES {
        return Err(Refusal::new(&TOO_MANY_RMA_LINES)
            .with("lines", lines.len())
            .with("most", MOST_RMA_LINES)
            .at("/lines"));
    }
    Ok(())
}

/// The lines of a new return. `owners` says whose the sold things are, in the order of the lines.
pub(super) fn expect(
    details: Vec<RmaLineDetails>,
    owners: &[Option<CustomerId>],
    customer: CustomerId,
) -> Result<Vec<RmaLine>, Refusal> {
    check_length(&details)?;
    let mut lines: Vec<RmaLine> = Vec::new();
    for ((number, details), owner) in (1_u32..).zip(details).zip(owners) {
        let at = number.saturating_sub(1);
        if details.asset_id.is_some() == details.item.is_some() {
            return Err(Refusal::new(&RMA_LINE_UNNAMED)
                .with("line", number)
                .at(format!("/lines/{at}")));
        }
        if owner.is_some_and(|owner| owner != customer) {
            return Err(Refusal::new(&RMA_ASSET_OF_ANOTHER)
                .with("line", number)
                .at(format!("/lines/{at}/asset_id")));
        }
        let is_named = details.asset_id.is_some()
            && lines.iter().any(|line| line.asset_id == details.asset_id);
        let possible = u32::from(!is_named);
        if details.asset_id.is_some() && details.quantity.get() > possible {
            return Err(
                exceeded(number, details.quantity, possible).at(format!("/lines/{at}/quantity"))
            );
        }
        lines.push(RmaLine {
            number,
            asset_id: details.asset_id,
            item: details.item,
            quantity: details.quantity,
            received_quantity: 0,
            state: RmaLineState::Expected,
            inspection_result: None,
            inspection_note: None,
            disposition: None,
        });
    }
    Ok(lines)
}

/// Takes in what has come.
pub(super) fn receive(lines: &mut [RmaLine], came: &[RmaLineReceived]) -> Result<(), Refusal> {
    for (at, one) in came.iter().enumerate() {
        let line = find(lines, one.number, at)?;
        if one.quantity.get() > line.outstanding() {
            return Err(exceeded(one.number, one.quantity, line.outstanding())
                .at(format!("/lines/{at}/quantity")));
        }
        line.received_quantity = line.received_quantity.saturating_add(one.quantity.get());
        line.state = RmaLineState::PartlyReceived;
        if line.outstanding() == 0 {
            line.state = RmaLineState::Received;
        }
    }
    Ok(())
}

/// Notes what was found of every line of which something is here.
pub(super) fn inspect(lines: &mut [RmaLine], found: Vec<RmaLineInspected>) -> Result<(), Refusal> {
    for (at, one) in found.into_iter().enumerate() {
        let line = find(lines, one.number, at)?;
        if line.state != RmaLineState::Received {
            return Err(unknown(lines, one.number, at));
        }
        line.state = RmaLineState::Inspected;
        line.inspection_result = Some(one.result);
        line.inspection_note = one.note;
        line.disposition = Some(one.disposition);
    }
    let missing: Vec<_> = numbers(lines, |line| line.state == RmaLineState::Received);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(&INSPECTION_INCOMPLETE).with("missing_lines", missing).at("/lines"))
}

/// The numbers of the lines for which something holds.
pub(super) fn numbers(lines: &[RmaLine], holds: impl Fn(&RmaLine) -> bool) -> Vec<u32> {
    lines.iter().filter(|line| holds(line)).map(|line| line.number).collect()
}

fn find(lines: &mut [RmaLine], number: u32, at: usize) -> Result<&mut RmaLine, Refusal> {
    match lines.iter().position(|line| line.number == number) {
        Some(place) => lines.get_mut(place).ok_or_else(|| unknown(&[], number, at)),
        None => Err(unknown(lines, number, at)),
    }
}

fn unknown(lines: &[RmaLine], number: u32, at: usize) -> Refusal {
    let possible =
        numbers(lines, |line| line.outstanding() > 0 || line.state == RmaLineState::Received);
    Refusal::new(&RMA_LINE_UNKNOWN)
        .with("line", number)
        .with("possible_lines", possible)
        .at(format!("/lines/{at}/number"))
}

fn exceeded(number: u32, quantity: Quantity, possible: u32) -> Refusal {
    Refusal::new(&RMA_QUANTITY_EXCEEDED)
        .with("line", number)
        .with("quantity", quantity.get())
        .with("possible_quantity", possible)
}
