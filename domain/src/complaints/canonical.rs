//! The one way in which a JSON value is written: RFC 8785 (JCS), as far as it goes without fractions.
//!
//! Members stand in the order of their names, nothing stands between tokens, texts are escaped where JSON needs it and
//! nowhere else, and numbers are whole. Two programs that agree on a value agree on its bytes.

use serde_json::{Map, Number, Value};

/// The largest number that every reader of JSON keeps whole, 2 to the 53rd less one.
const MOST_WHOLE: u64 = 9_007_199_254_740_991;

/// How deep a value may go; ours go four deep.
const DEEPEST: usize = 32;

/// The value as canonical JSON; nothing when it has a fraction, a number that some readers would round, or is deeper
/// than any of ours.
pub fn canonical(value: &Value) -> Option<String> {
    let mut text = String::new();
    write(value, DEEPEST, &mut text)?;
    Some(text)
}

fn write(value: &Value, depth: usize, text: &mut String) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(&whole(number)?),
        Value::String(string) => text.push_str(&quoted(string)?),
        Value::Array(items) => write_array(items, depth, text)?,
        Value::Object(members) => write_object(members, depth, text)?,
    }
    Some(())
}

fn write_array(items: &[Value], depth: usize, text: &mut String) -> Option<()> {
    text.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write(item, depth, text)?;
    }
    text.push(']');
    Some(())
}

/// Names are compared by their UTF-16 code units, as the RFC says.
fn write_object(members: &Map<String, Value>, depth: usize, text: &mut String) -> Option<()> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    text.push('{');
    for (place, (name, member)) in members.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&quoted(name)?);
        text.push(':');
        write(member, depth, text)?;
    }
    text.push('}');
    Some(())
}

/// A text as serde writes it, which is as the RFC wants it: `\b \t \n \f \r \" \\`, other control characters as
/// `\u00xx` in small letters, and everything else as it is.
fn quoted(text: &str) -> Option<String> {
    serde_json::to_string(text).ok()
}

fn whole(number: &Number) -> Option<String> {
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs))?;
    (magnitude <= MOST_WHOLE).then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_stand_in_order_and_nothing_stands_between() {
        let value = json!({"b": [1, -2, true, null, {}], "a": {"z": "", "ä": 0, "B": false}});
        let text = r#"{"a":{"B":false,"z":"","ä":0},"b":[1,-2,true,null,{}]}"#;
        assert_eq!(canonical(&value).as_deref(), Some(text));
    }

    /// The names of RFC 8785, section 3.2.3, in their order there.
    #[test]
    fn names_are_in_the_order_of_their_utf_16_code_units() {
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5,
            "\u{80}": 6, "\u{f6}": 7});
        let text = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(&value).as_deref(), Some(text));
    }

    /// The text of RFC 8785, section 3.2.2.
    #[test]
    fn texts_are_escaped_where_json_needs_it() {
        let value = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/");
        let text = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"";
        assert_eq!(canonical(&value).as_deref(), Some(text));
        let controls = json!("\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}\u{2028}");
        let text = "\"\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}\u{2028}\"";
        assert_eq!(canonical(&controls).as_deref(), Some(text));
    }

    #[test]
    fn what_readers_would_round_is_not_written() {
        assert_eq!(canonical(&json!(1.5)), None);
        assert_eq!(canonical(&json!({"a": [1.0]})), None);
        assert_eq!(canonical(&json!(MOST_WHOLE)).as_deref(), Some("9007199254740991"));
        assert_eq!(canonical(&json!(MOST_WHOLE + 1)), None);
        assert_eq!(
            canonical(&json!(-9_007_199_254_740_991_i64)).as_deref(),
            Some("-9007199254740991")
        );
    }

    #[test]
    fn a_value_ends_somewhere() {
        let nested = |depth: usize| (1..depth).fold(json!([]), |value, _| json!([value]));
        assert!(canonical(&nested(DEEPEST)).is_some());
        assert_eq!(canonical(&nested(DEEPEST + 1)), None);
    }
}
