//! What a file as a whole must be, before any of its rows is taken over.

use super::{
    ImportKind, MOST_ROWS,
    columns::{Cells, Column, ColumnNeed},
};
use crate::{
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The text of a file, without the mark that some programs put in front of UTF-8.
///
/// # Errors
///
/// [`FILE_NOT_UTF8`] with the place of the first byte that is not.
pub fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => Err(Refusal::new(&FILE_NOT_UTF8).with("byte", error.valid_up_to())),
    }
}

/// Takes the rows of a file in, one after the other, and says no at the first that does not belong.
#[derive(Debug)]
pub struct Intake {
    kind: ImportKind,
    header: Vec<String>,
    rows: Vec<Cells>,
    first_rows: BTreeMap<String, u32>,
}

impl Intake {
    /// Begins with the first row of a CSV file. Capitals and outer spaces in the names of columns do
    /// not matter.
    ///
    /// # Errors
    ///
    /// [`FILE_EMPTY`], [`WRONG_SEPARATOR`], [`COLUMN_TWICE`], [`COLUMN_UNKNOWN`], [`COLUMNS_MISSING`].
    pub fn csv(kind: ImportKind, header: &[&str]) -> Result<Self, Refusal> {
        if header.iter().all(|column| column.is_empty()) {
            return Err(Refusal::new(&FILE_EMPTY));
        }
        if let [only] = header
            && only.contains([';', '\t'])
        {
            return Err(Refusal::new(&WRONG_SEPARATOR).with("found", only).at(place(1, None)));
        }
        let header: Vec<_> =
            header.iter().map(|column| column.trim().to_ascii_lowercase()).collect();
        for (at, column) in header.iter().enumerate() {
            check_column(kind, column, 1)?;
            if header.iter().take(at).any(|earlier| earlier == column) {
                let refusal = Refusal::new(&COLUMN_TWICE).with("column", column);
                return Err(refusal.at(place(1, Some(column))));
            }
        }
        let is_missing = |column: &&Column| {
            column.need == ColumnNeed::Required && !header.iter().any(|named| named == column.name)
        };
        let missing: Vec<_> =
            kind.columns().iter().filter(is_missing).map(|column| column.name).collect();
        if !missing.is_empty() {
            let refusal = Refusal::new(&COLUMNS_MISSING).with("missing", missing);
            return Err(refusal.with("found", header).at(place(1, None)));
        }
        Ok(Self { header, ..Self::ndjson(kind) })
    }

    /// Begins a file of JSON lines.
    pub fn ndjson(kind: ImportKind) -> Self {
        Self { kind, header: Vec::new(), rows: Vec::new(), first_rows: BTreeMap::new() }
    }

    /// Takes a row of a CSV file that begins on `line`, from 1.
    ///
    /// # Errors
    ///
    /// [`ROW_LENGTH_DIFFERS`] for half a row, [`LINE_BREAK_IN_FIELD`], [`NUL_IN_FIELD`],
    /// [`ROW_REPEATED`], [`TOO_MANY_ROWS`].
    pub fn take_fields(&mut self, line: u64, fields: &[&str]) -> Result<(), Refusal> {
        if fields.len() != self.header.len() {
            return Err(self
                .refuse(&ROW_LENGTH_DIFFERS, line, None)
                .with("found", fields.len())
                .with("expected", self.header.len()));
        }
        let pairs = self.header.iter().zip(fields);
        if let Some((column, _)) = pairs.clone().find(|(_, field)| field.contains(['\n', '\r'])) {
            return Err(self.refuse(&LINE_BREAK_IN_FIELD, line, Some(column)));
        }
        let cells = pairs.map(|(column, &field)| (column.clone(), field.to_owned())).collect();
        self.take(line, cells)
    }

    /// Takes a line of a file of JSON lines.
    ///
    /// # Errors
    ///
    /// [`LINE_NOT_AN_OBJECT`], [`COLUMN_UNKNOWN`], [`NUL_IN_FIELD`], [`ROW_REPEATED`],
    /// [`TOO_MANY_ROWS`].
    pub fn take_line(&mut self, line: u64, text: &str) -> Result<(), Refusal> {
        let not_an_object = || self.refuse(&LINE_NOT_AN_OBJECT, line, None);
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(not_an_object());
        };
        let mut cells = Vec::new();
        for (column, value) in members {
            check_column(self.kind, &column, line)?;
            match value {
                Value::Null => {}
                Value::String(text) => cells.push((column, text)),
                Value::Bool(_) | Value::Number(_) => cells.push((column, value.to_string())),
                Value::Array(_) | Value::Object(_) => return Err(not_an_object()),
            }
        }
        self.take(line, cells.into_iter().collect())
    }

    /// Ends with the last row.
    ///
    /// # Errors
    ///
    /// [`FILE_EMPTY`].
    pub fn finish(self) -> Result<Vec<Cells>, Refusal> {
        if self.rows.is_empty() {
            return Err(Refusal::new(&FILE_EMPTY));
        }
        Ok(self.rows)
    }

    fn take(&mut self, line: u64, cells: Cells) -> Result<(), Refusal> {
        let row = self.next_row();
        if row > MOST_ROWS {
            let refusal = Refusal::new(&TOO_MANY_ROWS).with("limit", MOST_ROWS);
            return Err(refusal.at(place(line, None)));
        }
        if let Some(column) = cells.with('\0') {
            return Err(self.refuse(&NUL_IN_FIELD, line, Some(column)));
        }
        let key = self.kind.columns().first().map_or("", |column| column.name);
        if let Some(text) = cells.get(key)
            && let Some(first_row) = self.first_rows.insert(text.to_owned(), row)
        {
            let refusal = self.refuse(&ROW_REPEATED, line, Some(key));
            return Err(refusal.with("first_row", first_row));
        }
        self.rows.push(cells);
        Ok(())
    }

    /// The number of the row that comes next, from 1.
    fn next_row(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(MOST_ROWS).saturating_add(1)
    }

    fn refuse(&self, rule: &'static Rule, line: u64, column: Option<&str>) -> Refusal {
        let refusal = Refusal::new(rule).with("row", self.next_row()).with("line", line);
        let refusal = refusal.at(place(line, column));
        match column {
            Some(column) => refusal.with("column", column),
            None => refusal,
        }
    }
}

/// A place in a file, as refusals point at it.
fn place(line: u64, column: Option<&str>) -> String {
    match column {
        Some(column) => format!("line {line}, column {column}"),
        None => format!("line {line}"),
    }
}

/// Makes sure that the last field of a CSV file was not cut off: `open_on` is the line on which a
/// quotation mark stands that is not closed, and `column` the number of its field, from 1.
///
/// # Errors
///
/// [`QUOTE_NOT_CLOSED`].
pub fn check_end(open: Option<(u64, usize)>) -> Result<(), Refusal> {
    let Some((line, column)) = open else { return Ok(()) };
    Err(Refusal::new(&QUOTE_NOT_CLOSED)
        .with("line", line)
        .with("column", column)
        .at(place(line, Some(&column.to_string()))))
}

fn check_column(kind: ImportKind, column: &str, line: u64) -> Result<(), Refusal> {
    if kind.knows(column) {
        return Ok(());
    }
    let refusal = Refusal::new(&COLUMN_UNKNOWN).with("column", column).with("line", line);
    Err(refusal.with("known", kind.column_names()).at(place(line, Some(column))))
}

/// Bytes that are no text.
pub static FILE_NOT_UTF8: Rule = Rule {
    code: "file_not_utf8",
    kind: Kind::Unfit,
    title: Bilingual { en: "The file is not UTF-8", zh: "文件不是 UTF-8 编码" },
    detail: Bilingual {
        en: "The file stops being UTF-8 at byte {byte}, counted from 0.",
        zh: "文件从第 {byte} 字节（从 0 计）起不是 UTF-8 编码。",
    },
    advice: Bilingual {
        en: "Save the file as UTF-8; spreadsheets call it “CSV UTF-8”.",
        zh: "请将文件另存为 UTF-8 编码；表格软件中称为“CSV UTF-8”。",
    },
};

/// A file without rows.
pub static FILE_EMPTY: Rule = Rule {
    code: "file_empty",
    kind: Kind::Unfit,
    title: Bilingual { en: "The file is empty", zh: "文件为空" },
    detail: Bilingual { en: "The file has no rows.", zh: "文件没有任何数据行。" },
    advice: Bilingual { en: "Hand in at least one row.", zh: "请至少提供一行数据。" },
};

/// Columns that must be there and are not.
pub static COLUMNS_MISSING: Rule = Rule {
    code: "columns_missing",
    kind: Kind::Unfit,
    title: Bilingual { en: "Columns are missing", zh: "缺少列" },
    detail: Bilingual {
        en: "The first row names {found}; it lacks {missing}.",
        zh: "首行的列为 {found}，缺少 {missing}。",
    },
    advice: Bilingual {
        en: "Name the columns in the first row, separated by commas.",
        zh: "请在首行写明列名，并以逗号分隔。",
    },
};

/// A column nobody knows.
pub static COLUMN_UNKNOWN: Rule = Rule {
    code: "column_unknown",
    kind: Kind::Unfit,
    title: Bilingual { en: "A column is unknown", zh: "存在未知的列" },
    detail: Bilingual {
        en: "Line {line} names the column “{column}”; known are {known}.",
        zh: "第 {line} 行出现列“{column}”；可用的列为 {known}。",
    },
    advice: Bilingual {
        en: "Correct the name, or leave the column out.",
        zh: "请更正列名，或去掉该列。",
    },
};

/// The same column twice.
pub static COLUMN_TWICE: Rule = Rule {
    code: "column_twice",
    kind: Kind::Unfit,
    title: Bilingual { en: "A column stands there twice", zh: "列重复" },
    detail: Bilingual {
        en: "The first row names the column “{column}” twice.",
        zh: "首行中列“{column}”出现了两次。",
    },
    advice: Bilingual { en: "Keep one of the two.", zh: "请只保留其中一列。" },
};

/// Half a row, or more than one.
pub static ROW_LENGTH_DIFFERS: Rule = Rule {
    code: "row_length_differs",
    kind: Kind::Unfit,
    title: Bilingual { en: "A row is too short or too long", zh: "某行的字段数不符" },
    detail: Bilingual {
        en: "Row {row} on line {line} has {found} fields; the first row names {expected} columns.",
        zh: "第 {row} 行数据（文件第 {line} 行）有 {found} 个字段，而首行有 {expected} 列。",
    },
    advice: Bilingual {
        en: "Check whether the file was cut off, and whether a comma stands outside quotes.",
        zh: "请检查文件是否被截断，或是否有逗号未加引号。",
    },
};

/// A line break inside a field.
pub static LINE_BREAK_IN_FIELD: Rule = Rule {
    code: "line_break_in_field",
    kind: Kind::Unfit,
    title: Bilingual { en: "A field breaks across lines", zh: "字段中含有换行" },
    detail: Bilingual {
        en: "Row {row}, which begins on line {line}, has a line break in the column “{column}”.",
        zh: "第 {row} 行数据（始于文件第 {line} 行）的列“{column}”中含有换行。",
    },
    advice: Bilingual {
        en: "No column may hold a line break; often a quotation mark is not closed.",
        zh: "任何列都不能含有换行；常见原因是引号没有闭合。",
    },
};

/// A file that another sign than a comma parts.
pub static WRONG_SEPARATOR: Rule = Rule {
    code: "wrong_separator",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "The file is not separated by commas", zh: "文件不是以逗号分隔"
    },
    detail: Bilingual {
        en: "The first row is one single column, “{found}”, which looks as if semicolons or tabs parted it.",
        zh: "首行只有一列“{found}”，似乎是以分号或制表符分隔的。",
    },
    advice: Bilingual {
        en: "Save the file as CSV with commas; some spreadsheets take the separator from the language of the system.",
        zh: "请将文件另存为以逗号分隔的 CSV；部分表格软件会按系统语言选择分隔符。",
    },
};

/// A quotation mark that is open when the file ends.
pub static QUOTE_NOT_CLOSED: Rule = Rule {
    code: "quote_not_closed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The file ends inside a field", zh: "文件在字段中间结束" },
    detail: Bilingual {
        en: "The quotation mark of field {column} on line {line} is not closed when the file ends.",
        zh: "文件结束时，第 {line} 行第 {column} 个字段的引号仍未闭合。",
    },
    advice: Bilingual {
        en: "Check whether the file was cut off.", zh: "请检查文件是否被截断。"
    },
};

/// A NUL, which no text holds.
pub static NUL_IN_FIELD: Rule = Rule {
    code: "nul_in_field",
    kind: Kind::Unfit,
    title: Bilingual { en: "A field holds a NUL", zh: "字段中含有 NUL 字符" },
    detail: Bilingual {
        en: "Row {row} on line {line} has the character U+0000 in the column “{column}”.",
        zh: "第 {row} 行数据（文件第 {line} 行）的列“{column}”中含有字符 U+0000。",
    },
    advice: Bilingual {
        en: "Take it out; often a file was saved as UTF-16.",
        zh: "请将其去除；常见原因是文件保存为 UTF-16。",
    },
};

/// A line that is no flat JSON object.
pub static LINE_NOT_AN_OBJECT: Rule = Rule {
    code: "line_not_an_object",
    kind: Kind::Unfit,
    title: Bilingual { en: "A line is not a JSON object", zh: "某行不是 JSON 对象" },
    detail: Bilingual {
        en: "Row {row} on line {line} is not one JSON object of texts, numbers and nulls.",
        zh: "第 {row} 行数据（文件第 {line} 行）不是由文本、数字和 null 组成的 JSON 对象。",
    },
    advice: Bilingual {
        en: "Write each record as one object on one line.",
        zh: "请将每条记录写成一行一个 JSON 对象。",
    },
};

/// The same record twice in a file.
pub static ROW_REPEATED: Rule = Rule {
    code: "row_repeated",
    kind: Kind::Unfit,
    title: Bilingual { en: "Two rows name the same record", zh: "两行指向同一条记录" },
    detail: Bilingual {
        en: "Row {row} on line {line} has the same `{column}` as row {first_row}.",
        zh: "第 {row} 行数据（文件第 {line} 行）与第 {first_row} 行的 `{column}` 相同。",
    },
    advice: Bilingual {
        en: "Keep one row for each record. Push an order of several lines through `PUT` instead.",
        zh: "每条记录只保留一行；含多行明细的订单请通过 `PUT` 推送。",
    },
};

/// A file beyond the limit.
pub static TOO_MANY_ROWS: Rule = Rule {
    code: "too_many_rows",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many rows", zh: "行数过多" },
    detail: Bilingual {
        en: "The file has more than {limit} rows.", zh: "文件超过 {limit} 行。"
    },
    advice: Bilingual { en: "Split the file.", zh: "请拆分文件。" },
};

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HEADER: [&str; 6] = [
        "order_external_id",
        "customer_external_id",
        "paid_on",
        "quantity",
        "price_minor",
        "currency",
    ];

    fn orders() -> Intake {
        Intake::csv(ImportKind::Orders, &HEADER).unwrap()
    }

    fn row(key: &str) -> [&str; 6] {
        [key, "c-1", "1997-01-01", "2", "2933", "USD"]
    }

    #[test]
    fn a_mark_in_front_of_utf8_is_no_text_and_other_encodings_are_refused() {
        assert_eq!(text(b"\xef\xbb\xbfa,b").unwrap(), "a,b");
        assert_eq!(text(b"a,b").unwrap(), "a,b");
        for (bytes, byte) in [(&b"\xff\xfea\0"[..], 0), (b"name\n\xc0\xee\xc4\xc8", 5)] {
            let refusal = text(bytes).unwrap_err();
            assert_eq!((refusal.rule, &refusal.facts["byte"]), (&FILE_NOT_UTF8, &json!(byte)));
        }
    }

    #[test]
    fn the_first_row_names_each_column_once_and_no_other() {
        let refused = |header: &[&str]| Intake::csv(ImportKind::Orders, header).unwrap_err();
        let missing = refused(&HEADER[..4]);
        assert_eq!(missing.rule, &COLUMNS_MISSING);
        assert_eq!(missing.facts["missing"], json!(["price_minor", "currency"]));
        assert_eq!(refused(&[&HEADER[..], &["colour"]].concat()).rule, &COLUMN_UNKNOWN);
        assert_eq!(refused(&[&HEADER[..], &["currency"]].concat()).rule, &COLUMN_TWICE);
        assert_eq!(refused(&[]).rule, &FILE_EMPTY);
        assert!(Intake::csv(ImportKind::Orders, &[&HEADER[..], &["sku"]].concat()).is_ok());
        let other_sign = refused(&["order_external_id;customer_external_id"]);
        assert_eq!(other_sign.rule, &WRONG_SEPARATOR);
        assert_eq!(other_sign.place.as_deref(), Some("line 1"));
    }

    #[test]
    fn capitals_and_outer_spaces_in_names_of_columns_do_not_matter() {
        let header = HEADER.map(|column| format!(" {} ", column.to_ascii_uppercase()));
        let header = header.each_ref().map(String::as_str);
        let mut intake = Intake::csv(ImportKind::Orders, &header).unwrap();
        intake.take_fields(2, &row("o-1")).unwrap();
        assert_eq!(intake.finish().unwrap()[0].get("currency"), Some("USD"));
    }

    #[test]
    fn a_nul_is_no_text() {
        let mut fields = row("o-1");
        fields[1] = "c\0";
        let refusal = orders().take_fields(2, &fields).unwrap_err();
        assert_eq!(refusal.rule, &NUL_IN_FIELD);
        assert_eq!(refusal.place.as_deref(), Some("line 2, column customer_external_id"));
        let line = r#"{"customer_external_id": "a\u0000b"}"#;
        let refusal = Intake::ndjson(ImportKind::Customers).take_line(7, line).unwrap_err();
        assert_eq!(refusal.rule, &NUL_IN_FIELD);
        assert_eq!(refusal.place.as_deref(), Some("line 7, column customer_external_id"));
    }

    #[test]
    fn half_a_row_refuses_the_file() {
        let mut intake = orders();
        intake.take_fields(2, &row("o-1")).unwrap();
        let refusal = intake.take_fields(3, &["o-2", "c-1"]).unwrap_err();
        assert_eq!(refusal.rule, &ROW_LENGTH_DIFFERS);
        let facts = json!({ "row": 2, "line": 3, "found": 2, "expected": 6 });
        assert_eq!(json!(refusal.facts), facts);
    }

    #[test]
    fn an_open_quotation_mark_refuses_the_file() {
        let mut fields = row("o-1");
        fields[3] = "2\n";
        let refusal = orders().take_fields(2, &fields).unwrap_err();
        assert_eq!(refusal.rule, &LINE_BREAK_IN_FIELD);
        assert_eq!(refusal.facts["column"], "quantity");
    }

    #[test]
    fn a_record_stands_in_a_file_once() {
        let mut intake = orders();
        intake.take_fields(2, &row("o-1")).unwrap();
        let refusal = intake.take_fields(3, &row("o-1")).unwrap_err();
        assert_eq!(refusal.rule, &ROW_REPEATED);
        assert_eq!(refusal.facts["first_row"], 1);
    }

    #[test]
    fn a_file_has_1_to_100_000_rows() {
        assert_eq!(orders().finish().unwrap_err().rule, &FILE_EMPTY);
        let mut intake = orders();
        let keys: Vec<_> = (0..=MOST_ROWS).map(|number| format!("o-{number}")).collect();
        for key in &keys[1..] {
            intake.take_fields(2, &row(key)).unwrap();
        }
        assert_eq!(intake.take_fields(2, &row(&keys[0])).unwrap_err().rule, &TOO_MANY_ROWS);
        assert_eq!(intake.finish().unwrap().len(), 100_000);
    }

    #[test]
    fn json_lines_are_read_like_rows() {
        let mut intake = Intake::ndjson(ImportKind::Customers);
        let line = r#"{"customer_external_id": "c-1", "name": "李娜", "tier": null, "phone": 13800000000}"#;
        intake.take_line(1, line).unwrap();
        for not_flat in ["{", "[]", "7", r#"{"name": ["李娜"]}"#] {
            assert_eq!(intake.take_line(2, not_flat).unwrap_err().rule, &LINE_NOT_AN_OBJECT);
        }
        assert_eq!(intake.take_line(2, r#"{"mail": "x"}"#).unwrap_err().rule, &COLUMN_UNKNOWN);
        let expected = Cells::from([
            ("customer_external_id", "c-1"),
            ("name", "李娜"),
            ("phone", "13800000000"),
        ]);
        assert_eq!(intake.finish().unwrap(), vec![expected]);
    }
}
