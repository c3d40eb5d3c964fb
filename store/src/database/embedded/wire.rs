//! The few messages of PostgreSQL's protocol, version 3, that the door reads and writes itself.
//!
//! Source: "Frontend/Backend Protocol" in PostgreSQL's documentation. A message is a letter, the length of
//! what follows as four bytes that count themselves, and a body; the first message has no letter.

use std::io::{self, Read};

/// Longer messages are refused: no statement of ours comes near it.
const LONGEST_BYTES: usize = 64 * 1024 * 1024;
/// What a client asks instead of beginning, by its number.
const ENCRYPTION_ASKED: [u32; 2] = [80_877_103, 80_877_104];
/// A client that wants another's statement to end.
const CANCEL_ASKED: u32 = 80_877_102;

/// "Ready, and in no transaction", as the engine says it.
const IDLE: [u8; 6] = [b'Z', 0, 0, 0, 5, b'I'];

/// How a connection begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// The client asks for encryption first.
    Encryption,
    /// The client asks to end somebody's statement.
    Cancel,
    /// The client begins, with these parameters.
    Startup(Vec<(String, String)>),
}

impl Greeting {
    /// Reads the first message of a client.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let body = read_body(from)?;
        let (number, rest) = body.split_first_chunk().ok_or_else(broken)?;
        let number = u32::from_be_bytes(*number);
        if ENCRYPTION_ASKED.contains(&number) {
            return Ok(Self::Encryption);
        }
        if number == CANCEL_ASKED {
            return Ok(Self::Cancel);
        }
        let text = std::str::from_utf8(rest).map_err(|_| broken())?;
        let words: Vec<&str> =
            text.split_terminator('\0').filter(|word| !word.is_empty()).collect();
        let pair = |pair: &[&str]| match pair {
            [name, value] => Some(((*name).to_owned(), (*value).to_owned())),
            _ => None,
        };
        Ok(Self::Startup(words.chunks(2).filter_map(pair).collect()))
    }
}

/// Reads one message, with its letter and length, onto the end of `batch`; answers its letter.
pub(super) fn read_message(from: &mut impl Read, batch: &mut Vec<u8>) -> io::Result<u8> {
    let mut letter = [0];
    from.read_exact(&mut letter)?;
    let body = read_body(from)?;
    let [letter] = letter;
    push_message(batch, letter, &body);
    Ok(letter)
}

/// A query of our own.
pub(super) fn query(sql: &str) -> Vec<u8> {
    let mut message = Vec::new();
    push_message(&mut message, b'Q', &terminated(&[sql]));
    message
}

/// The end of a row of messages, after which the session listens again.
pub(super) fn sync() -> Vec<u8> {
    let mut message = Vec::new();
    push_message(&mut message, b'S', &[]);
    message
}

/// What a client that was let in reads first.
pub(super) fn welcome(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut answer = Vec::new();
    push_message(&mut answer, b'R', &0_u32.to_be_bytes());
    for (name, value) in parameters {
        push_message(&mut answer, b'S', &terminated(&[name, value]));
    }
    push_message(&mut answer, b'K', &[0; 8]);
    answer.extend_from_slice(&IDLE);
    answer
}

/// What a client reads before it is cut off.
pub(super) fn farewell(code: &str, message: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    let fields = [
        "SFATAL".to_owned(),
        "VFATAL".to_owned(),
        format!("C{code}"),
        format!("M{message}"),
        String::new(),
    ];
    push_message(&mut answer, b'E', &terminated(&fields));
    answer
}

/// The first error in an answer of the engine, if it holds one.
pub(super) fn error_in(mut answer: &[u8]) -> Option<&[u8]> {
    while let [letter, a, b, c, d, ..] = answer {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?;
        let (message, rest) = answer.split_at_checked(length.checked_add(1)?)?;
        if *letter == b'E' {
            return Some(message);
        }
        answer = rest;
    }
    None
}

/// Whether the engine, after this answer, waits for a query outside a transaction.
pub(super) fn is_idle(answer: &[u8]) -> bool {
    answer.ends_with(&IDLE)
}

fn read_body(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| broken())?;
    let length =
        length.checked_sub(4).filter(|length| *length <= LONGEST_BYTES).ok_or_else(broken)?;
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(body)
}

fn push_message(to: &mut Vec<u8>, letter: u8, body: &[u8]) {
    let length = u32::try_from(body.len().saturating_add(4)).unwrap_or(u32::MAX);
    to.push(letter);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(body);
}

/// Texts, each with the zero byte that ends it.
fn terminated(texts: &[impl AsRef<str>]) -> Vec<u8> {
    texts.iter().flat_map(|text| text.as_ref().bytes().chain([0])).collect()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is not PostgreSQL's protocol")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_startup_is_read_with_its_parameters() {
        let mut message = 3_u32.rotate_right(16).to_be_bytes().to_vec();
        message.extend(terminated(&["user", "ada", "database", "postgres", ""]));
        let mut whole = Vec::new();
        push_message(&mut whole, 0, &message);
        let greeting = Greeting::read(&mut &whole[1..]).unwrap();
        let parameter = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![parameter("user", "ada"), parameter("database", "postgres")];
        assert_eq!(greeting, Greeting::Startup(expected));
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for length in [0_u32, 3, u32::MAX] {
            let bytes = length.to_be_bytes();
            let error = Greeting::read(&mut bytes.as_slice()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{length}");
        }
    }

    #[test]
    fn an_error_is_found_behind_other_messages() {
        let error = farewell("57P01", "over");
        let mut answer = Vec::new();
        push_message(&mut answer, b'S', &terminated(&["is_superuser", "off"]));
        assert_eq!(error_in(&answer), None);
        answer.extend_from_slice(&error);
        assert_eq!(error_in(&answer), Some(error.as_slice()));
    }
}
