//! The resolution log as a file: JSON Lines for programs, CSV and a spreadsheet for people.

use domain::{complaints::SealedEntry, time::Timestamp};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use utoipa::ToSchema;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum LogFormat {
    /// Comma-separated values, in UTF-8 with a byte order mark.
    Csv,
    /// One JSON object a line, to be verified.
    Jsonl,
    /// A spreadsheet.
    Xlsx,
}

impl LogFormat {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    pub(super) fn disposition(self) -> &'static str {
        match self {
            Self::Csv => "attachment; filename=\"resolution-log.csv\"",
            Self::Jsonl => "attachment; filename=\"resolution-log.jsonl\"",
            Self::Xlsx => "attachment; filename=\"resolution-log.xlsx\"",
        }
    }

    /// The file; nothing when it cannot be written.
    pub(super) fn write(self, entries: &[SealedEntry], now: Timestamp) -> Option<Vec<u8>> {
        match self {
            Self::Csv => csv(entries).ok(),
            Self::Jsonl => jsonl(entries),
            Self::Xlsx => xlsx(entries, now).ok(),
        }
    }
}

/// What makes spreadsheets read CSV as UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The widest that a column of the spreadsheet is, in characters.
const COLUMN_WIDTH: u16 = 22;

/// Where the text of a column is found in a line: at a place, or made from the remedies or the clocks.
#[derive(Debug, Clone, Copy)]
enum Cell {
    At(&'static str),
    Remedies,
    Clocks,
}

/// The columns of the files for people.
const COLUMNS: [(&str, Cell); 34] = [
    ("serial", Cell::At("/serial")),
    ("kind", Cell::At("/entry/kind")),
    ("complaint_number", Cell::At("/entry/complaint_number")),
    ("resolution_no", Cell::At("/entry/resolution_no")),
    ("customer_id", Cell::At("/entry/customer_id")),
    ("dealer_id", Cell::At("/entry/dealer_id")),
    ("received_at", Cell::At("/entry/received_at")),
    ("first_answer", Cell::At("/entry/first_answer")),
    ("first_answer_due_at", Cell::At("/entry/first_answer_due_at")),
    ("first_answer_at", Cell::At("/entry/first_answer_at")),
    ("responsibility", Cell::At("/entry/decision/responsibility")),
    ("apology", Cell::At("/entry/decision/apology")),
    ("decision", Cell::At("/entry/decision/text")),
    ("recourse", Cell::At("/entry/decision/recourse")),
    ("confirmed_defect", Cell::At("/entry/decision/confirmed_defect")),
    ("decided_at", Cell::At("/entry/decision/decided_at")),
    ("told_at", Cell::At("/entry/told_at")),
    ("remedies", Cell::Remedies),
    ("clocks", Cell::Clocks),
    ("cost_minor", Cell::At("/entry/cost/amount")),
    ("currency", Cell::At("/entry/cost/currency")),
    ("resolved_by", Cell::At("/entry/resolved_by")),
    ("resolved_at", Cell::At("/entry/resolved_at")),
    ("verdict", Cell::At("/entry/verdict")),
    ("text", Cell::At("/entry/text")),
    ("response_id", Cell::At("/entry/response_id")),
    ("noted_by", Cell::At("/entry/noted_by")),
    ("created_at", Cell::At("/entry/created_at")),
    ("entry_id", Cell::At("/entry/id")),
    ("complaint_id", Cell::At("/entry/complaint_id")),
    ("sealed_at", Cell::At("/sealed_at")),
    ("form", Cell::At("/form")),
    ("previous_hash", Cell::At("/previous_hash")),
    ("hash", Cell::At("/hash")),
];

/// What a row has in a column.
fn value(line: &Value, cell: Cell) -> Cow<'_, Value> {
    match cell {
        Cell::At(place) => Cow::Borrowed(line.pointer(place).unwrap_or(&Value::Null)),
        Cell::Remedies => Cow::Owned(Value::String(remedies(line))),
        Cell::Clocks => Cow::Owned(Value::String(clocks(line))),
    }
}

/// What was promised and what became of it, in a sentence for each remedy.
fn remedies(line: &Value) -> String {
    let remedies = line.pointer("/entry/remedies").and_then(Value::as_array);
    let sentences: Vec<_> = remedies.into_iter().flatten().map(remedy).collect();
    sentences.join("; ")
}

/// What came of each deadline, in a sentence for each clock.
fn clocks(line: &Value) -> String {
    let clocks = line.pointer("/entry/clocks").and_then(Value::as_array);
    let sentences: Vec<_> = clocks.into_iter().flatten().map(clock).collect();
    sentences.join("; ")
}

fn clock(clock: &Value) -> String {
    let said = |place: &str| clock.pointer(place).map(text).unwrap_or_default().into_owned();
    let mut words = vec![format!("{} {}", said("/metric"), said("/outcome"))];
    words.extend(instants(clock, &[("due", "/due_at"), ("done", "/met_at")]));
    words.join(", ")
}

/// The instants that are known, each with what it is.
fn instants<'v>(
    of: &'v Value,
    named: &'v [(&'v str, &'v str)],
) -> impl Iterator<Item = String> + use<'v> {
    named.iter().filter_map(|(name, place)| {
        let at = of.pointer(place).and_then(Value::as_str)?;
        Some(format!("{name} {at}"))
    })
}

fn remedy(remedy: &Value) -> String {
    let said = |place: &str| remedy.pointer(place).map(text).unwrap_or_default().into_owned();
    let mut words = vec![said("/kind"), said("/state")];
    if remedy.pointer("/mandatory") == Some(&Value::Bool(true)) {
        words.push("mandatory".to_owned());
    }
    let (amount, currency) = (said("/amount/amount"), said("/amount/currency"));
    if !amount.is_empty() {
        words.push(format!("{amount} minor units of {currency}"));
    }
    words.extend(instants(remedy, &[("promised", "/promised_at"), ("settled", "/settled_at")]));
    let note = said("/note");
    if !note.is_empty() {
        words.push(note);
    }
    words.join(", ")
}

/// The text of a cell; nothing for null.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Cow::Owned(value.to_string())
        }
    }
}

/// The text of a cell that no spreadsheet takes for a formula: an apostrophe stands before what would be one.
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.trim_start_matches(' ').starts_with(begins) { format!("'{text}").into() } else { text }
}

fn lines(entries: &[SealedEntry]) -> impl Iterator<Item = Value> {
    entries.iter().map(|entry| serde_json::to_value(entry).unwrap_or_default())
}

fn csv(entries: &[SealedEntry]) -> Result<Vec<u8>, csv::Error> {
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    file.write_record(COLUMNS.map(|(name, _)| name))?;
    for line in lines(entries) {
        let cells = COLUMNS.map(|(_, cell)| harmless(text(&value(&line, cell))).into_owned());
        file.write_record(cells)?;
    }
    file.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn jsonl(entries: &[SealedEntry]) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    for entry in entries {
        file.extend(entry.line()?.into_bytes());
        file.push(b'\n');
    }
    Some(file)
}

/// Texts are written as texts, never as formulas, whatever they begin with.
fn xlsx(entries: &[SealedEntry], now: Timestamp) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let made_at = ExcelDateTime::from_timestamp(now.unix_seconds())?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made_at));
    let sheet = book.add_worksheet();
    sheet.set_name("Resolution log")?.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold();
    for (column, (name, _)) in (0_u16..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, name, &bold)?;
        sheet.set_column_width(column, COLUMN_WIDTH)?;
    }
    for (row, line) in (1_u32..).zip(lines(entries)) {
        for (column, (_, cell)) in (0_u16..).zip(COLUMNS) {
            write_cell(sheet, (row, column), &value(&line, cell))?;
        }
    }
    book.save_to_buffer()
}

/// Numbers can be added up where a spreadsheet keeps them whole.
fn write_cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: &Value,
) -> Result<(), XlsxError> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    match number {
        Some(number) => sheet.write_number(row, column, number)?,
        None => sheet.write_string(row, column, text(value))?,
    };
    Ok(())
}
