//! Calls of functions that travel with other statements in one message.

use domain::time::Timestamp;
use uuid::Uuid;

/// The call of a function with its arguments written out: a message of several statements takes no parameters.
/// What callers say is written in hexadecimal digits, in which nothing can hide that the server would read as SQL.
#[derive(Debug)]
pub(crate) struct Call(String);

impl Call {
    /// A call of the function `name`, so far without arguments.
    pub(crate) fn of(name: &'static str) -> Self {
        Self(format!("SELECT * FROM {name}("))
    }

    /// The call after another statement, which answers nothing.
    pub(crate) fn after(self, statement: &'static str) -> Self {
        Self(format!("{statement}; {}", self.0))
    }

    /// The call with a text as its next argument.
    pub(crate) fn text(mut self, value: &str) -> Self {
        self.next("convert_from(");
        self.hex(value.as_bytes());
        self.0.push_str(", 'UTF8')");
        self
    }

    /// The call with bytes as its next argument.
    pub(crate) fn bytes(mut self, value: &[u8]) -> Self {
        self.next("");
        self.hex(value);
        self
    }

    /// The call with a number as its next argument.
    pub(crate) fn number(mut self, value: u16) -> Self {
        self.next(&value.to_string());
        self
    }

    /// The call with identifiers as its next argument, a list.
    pub(crate) fn ids(mut self, values: impl IntoIterator<Item = Uuid>) -> Self {
        let list: Vec<_> = values.into_iter().map(|id| id.to_string()).collect();
        self.next(&format!("'{{{}}}'::uuid[]", list.join(",")));
        self
    }

    /// The call with an identifier as its next argument.
    pub(crate) fn id(mut self, value: Uuid) -> Self {
        self.next(&format!("'{value}'::uuid"));
        self
    }

    /// The call with an instant as its next argument, to the microsecond.
    pub(crate) fn instant(mut self, value: Timestamp) -> Self {
        let at = chrono::DateTime::<chrono::Utc>::from(value);
        self.next(&at.format("'%Y-%m-%d %H:%M:%S%.6f+00'::timestamptz").to_string());
        self
    }

    /// The statement.
    pub(crate) fn sql(&self) -> String {
        format!("{})", self.0)
    }

    fn next(&mut self, begin: &str) {
        if !self.0.ends_with('(') {
            self.0.push_str(", ");
        }
        self.0.push_str(begin);
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.0.push_str("'\\x");
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        self.0.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
        self.0.push_str("'::bytea");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_caller_says_is_read_as_sql() {
        let call = Call::of("f").text("a'); --\\").bytes(b"'").number(201).text("");
        assert_eq!(
            call.sql(),
            "SELECT * FROM f(convert_from('\\x6127293b202d2d5c'::bytea, 'UTF8'), '\\x27'::bytea, 201, \
             convert_from('\\x'::bytea, 'UTF8'))"
        );
    }

    #[test]
    fn another_statement_may_go_before() {
        let call = Call::of("f").after("SET LOCAL lock_timeout = '1s'").number(1);
        assert_eq!(call.sql(), "SET LOCAL lock_timeout = '1s'; SELECT * FROM f(1)");
    }

    #[test]
    fn identifiers_are_listed() {
        let [one, two] = [Uuid::nil(), Uuid::max()];
        assert_eq!(
            Call::of("f").ids([one, two]).id(one).sql(),
            "SELECT * FROM f('{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff}'::uuid[], \
             '00000000-0000-0000-0000-000000000000'::uuid)"
        );
    }

    #[test]
    fn instants_keep_their_microseconds() {
        let at: Timestamp = "2026-11-27T21:14:41.000123Z".parse().unwrap();
        assert_eq!(
            Call::of("f").instant(at).sql(),
            "SELECT * FROM f('2026-11-27 21:14:41.000123+00'::timestamptz)"
        );
    }
}
