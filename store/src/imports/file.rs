//! From the bytes of a file to its rows.

use csv::{ReaderBuilder, StringRecord};
use domain::{
    imports::{
        ImportFormat, ImportKind,
        columns::Cells,
        file::{self, Intake},
    },
    refusal::Refusal,
};

/// Reads a file of `kind` as a whole.
///
/// # Errors
///
/// The refusals of [`domain::imports::file`], with the place.
pub fn read(kind: ImportKind, format: ImportFormat, bytes: &[u8]) -> Result<Vec<Cells>, Refusal> {
    let text = file::text(bytes)?;
    match format {
        ImportFormat::Csv => read_csv(kind, text),
        ImportFormat::Ndjson => read_ndjson(kind, text),
    }
}

/// The line on which a row begins. The reader's position is where it went on reading, before the blank
/// lines that it skips.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.get(byte..));
    let blank = rest.unwrap_or_default().chars().take_while(|c| matches!(c, '\r' | '\n'));
    blank.filter(|c| *c == '\n').fold(position.line(), |line, _| line.saturating_add(1))
}

/// Rows may have any length here, because the intake says better what is wrong with them.
fn read_csv(kind: ImportKind, text: &str) -> Result<Vec<Cells>, Refusal> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut intake = None;
    // Reading UTF-8 from memory cannot fail.
    while reader.read_record(&mut record).unwrap_or(false) {
        let fields: Vec<_> = record.iter().collect();
        let line = record.position().map_or(0, |position| line_of(text, position));
        match &mut intake {
            None => intake = Some(Intake::csv(kind, &fields)?),
            Some(intake) => intake.take_fields(line, &fields)?,
        }
    }
    let intake = intake.map_or_else(|| Intake::csv(kind, &[]), Ok)?;
    file::check_end(open_quote(text))?;
    intake.finish()
}

/// Where a scan of a CSV file stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// Before the first character of a field.
    Before,
    /// In a field without quotation marks.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// Behind a quotation mark that closes the field, or is doubled.
    Behind,
}

/// The line and the number of the field whose quotation mark is open when the text ends. The reader takes
/// such a field as if it were whole.
fn open_quote(text: &str) -> Option<(u64, usize)> {
    let (mut scan, mut line, mut field, mut opened) = (Scan::Before, 1_u64, 1_usize, (1, 1));
    for c in text.chars() {
        scan = match (scan, c) {
            (Scan::Before, '"') => {
                opened = (line, field);
                Scan::Quoted
            }
            (Scan::Quoted, '"') => Scan::Behind,
            (Scan::Behind, '"') | (Scan::Quoted, _) => Scan::Quoted,
            (Scan::Before | Scan::Plain | Scan::Behind, ',') => {
                field = field.saturating_add(1);
                Scan::Before
            }
            (Scan::Before | Scan::Plain | Scan::Behind, '\r' | '\n') => {
                field = 1;
                Scan::Before
            }
            (Scan::Before | Scan::Plain | Scan::Behind, _) => Scan::Plain,
        };
        line = line.saturating_add(u64::from(c == '\n'));
    }
    (scan == Scan::Quoted).then_some(opened)
}

fn read_ndjson(kind: ImportKind, text: &str) -> Result<Vec<Cells>, Refusal> {
    let mut intake = Intake::ndjson(kind);
    for (line, text) in (1_u64..).zip(text.lines()) {
        if !text.trim().is_empty() {
            intake.take_line(line, text)?;
        }
    }
    intake.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn customers(text: &str) -> Result<Vec<Cells>, Refusal> {
        read(ImportKind::Customers, ImportFormat::Csv, text.as_bytes())
    }

    fn row(external_id: &str, name: &str) -> Cells {
        Cells::from([("customer_external_id", external_id), ("name", name)])
    }

    #[test]
    fn a_file_may_begin_with_a_mark_end_without_a_line_break_and_quote_its_fields() {
        let text =
            "\u{feff}customer_external_id,name\r\nc-1,\"Li, Na\"\r\n\r\nc-2,\"the \"\"other\"\"\"";
        let expected = vec![row("c-1", "Li, Na"), row("c-2", "the \"other\"")];
        assert_eq!(customers(text), Ok(expected));
    }

    #[test]
    fn the_line_of_a_row_counts_line_breaks_in_quotes() {
        let refusal = customers("customer_external_id,name\nc-1,李娜\n\nc-2\n").unwrap_err();
        assert_eq!(refusal.rule, &file::ROW_LENGTH_DIFFERS);
        assert_eq!((&refusal.facts["row"], &refusal.facts["line"]), (&json!(2), &json!(4)));
        let open = customers("customer_external_id,name\nc-1,\"Li Na\nc-2,Wang\n").unwrap_err();
        assert_eq!(open.rule, &file::LINE_BREAK_IN_FIELD);
        assert_eq!((&open.facts["line"], &open.facts["column"]), (&json!(2), &json!("name")));
    }

    #[test]
    fn a_file_that_was_cut_off_inside_a_field_is_refused() {
        let cut = "customer_external_id,name\nc-1,\"Li, \"\"Na\"\"\"\nc-2,\"x";
        let refusal = customers(cut).unwrap_err();
        assert_eq!(refusal.rule, &file::QUOTE_NOT_CLOSED);
        assert_eq!(refusal.place.as_deref(), Some("line 3, column 2"));
        assert!(customers(&format!("{cut}\"")).is_ok());
        assert!(customers("customer_external_id,name\nc-1,the \"other").is_ok());
        let doubled = customers(&format!("{cut}\"\"")).unwrap_err();
        assert_eq!(doubled.rule, &file::QUOTE_NOT_CLOSED);
    }

    #[test]
    fn nothing_is_no_file() {
        for text in ["", "\n\n", "customer_external_id,name\n"] {
            assert_eq!(customers(text).unwrap_err().rule, &file::FILE_EMPTY, "{text:?}");
        }
        let nothing = read(ImportKind::Orders, ImportFormat::Ndjson, b"\n");
        assert_eq!(nothing.unwrap_err().rule, &file::FILE_EMPTY);
    }

    #[test]
    fn json_lines_may_be_apart() {
        let text = "{\"customer_external_id\": \"c-1\", \"name\": \"李娜\"}\n\n{\n";
        let refusal = read(ImportKind::Customers, ImportFormat::Ndjson, text.as_bytes());
        assert_eq!(refusal.unwrap_err().facts["line"], 3);
    }
}
