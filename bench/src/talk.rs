//! What callers of the API say: each request with the token of a brand of its own, by chance.

use crate::{
    data::{Amount, Caller, clerk, customer, dealer},
    http::Talk,
    numbers::Chance,
};
use std::{io::Write as _, sync::Arc};

/// How many pages of a list somebody turns before they begin another.
const PAGES: u32 = 10;

/// Somebody who calls for many brands.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    amount: Amount,
    callers: Arc<[Caller]>,
    chance: Chance,
}

/// Reads one customer after the other.
#[derive(Debug)]
pub(crate) struct Reads(Voice);

/// Reads one dealer after the other.
#[derive(Debug)]
pub(crate) struct ReadsDealers(Voice);

/// Turns the pages of lists of customers.
#[derive(Debug)]
pub(crate) struct Lists {
    voice: Voice,
    at: Option<Place>,
}

/// Where a reader of a list is.
#[derive(Debug)]
struct Place {
    caller: Caller,
    cursor: Option<String>,
    page: u32,
}

/// Opens one complaint after the other.
#[derive(Debug)]
pub(crate) struct Complains {
    voice: Voice,
    key: u64,
}

/// Asks for one gesture after the other.
#[derive(Debug)]
pub(crate) struct Asks {
    voice: Voice,
    hot: Option<u64>,
    key: u64,
}

impl Voice {
    /// Voices for so many connections, which say something else in each window.
    pub(crate) fn all(
        amount: Amount,
        callers: &Arc<[Caller]>,
        window: u64,
        connections: usize,
    ) -> Vec<Self> {
        let seed = |number: usize| {
            window.wrapping_mul(1_000).wrapping_add(u64::try_from(number).unwrap_or_default())
        };
        let voice = |number| Self {
            amount,
            callers: Arc::clone(callers),
            chance: Chance::of(seed(number)),
        };
        (0..connections).map(voice).collect()
    }

    fn caller(&mut self) -> Option<Caller> {
        let count = u64::try_from(self.callers.len()).unwrap_or_default();
        let chosen = usize::try_from(self.chance.below(count)).unwrap_or_default();
        self.callers.get(chosen).cloned()
    }
}

impl Reads {
    /// Reads with this voice.
    pub(crate) fn with(voice: Voice) -> Self {
        Self(voice)
    }
}

impl Talk for Reads {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let Some(caller) = self.0.caller() else { return };
        let customer = self.0.amount.customer(caller.tenant, &mut self.0.chance);
        drop(write!(
            request,
            "GET /v1/customers/{customer} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
            caller.token
        ));
    }

    fn hear(&mut self, _: &[u8]) {}
}

impl ReadsDealers {
    /// Reads with this voice.
    pub(crate) fn with(voice: Voice) -> Self {
        Self(voice)
    }
}

impl Talk for ReadsDealers {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let Some(caller) = self.0.caller() else { return };
        let dealer = dealer(caller.tenant);
        drop(write!(
            request,
            "GET /v1/dealers/{dealer} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
            caller.token
        ));
    }

    fn hear(&mut self, _: &[u8]) {}
}

impl Lists {
    /// Lists with this voice.
    pub(crate) fn with(voice: Voice) -> Self {
        Self { voice, at: None }
    }
}

impl Talk for Lists {
    fn ask(&mut self, request: &mut Vec<u8>) {
        if self.at.is_none() {
            let place = |caller| Place { caller, cursor: None, page: 0 };
            self.at = self.voice.caller().map(place);
        }
        let Some(place) = &self.at else { return };
        let cursor = place.cursor.as_ref().map(|cursor| format!("&cursor={cursor}"));
        drop(write!(
            request,
            "GET /v1/customers?limit=50{} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
            cursor.unwrap_or_default(),
            place.caller.token
        ));
    }

    fn hear(&mut self, body: &[u8]) {
        let Some(mut place) = self.at.take() else { return };
        place.cursor = next_cursor(body);
        place.page = place.page.saturating_add(1);
        if place.cursor.is_some() && place.page < PAGES {
            self.at = Some(place);
        }
    }
}

/// The cursor at the end of a page, found without reading the page.
fn next_cursor(body: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"\"next_cursor\":\"";
    let tail = body.get(body.len().saturating_sub(1_200)..)?;
    let begin = tail.windows(KEY.len()).position(|bytes| bytes == KEY)?.saturating_add(KEY.len());
    let rest = tail.get(begin..)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
}

/// Writes a change under a key of its own.
fn post(request: &mut Vec<u8>, path: &str, (caller, key): (&Caller, u64), body: &str) {
    drop(write!(
        request,
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\
         Idempotency-Key: {key:016x}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        caller.token,
        body.len()
    ));
}

impl Complains {
    /// Complains with this voice.
    pub(crate) fn with(mut voice: Voice) -> Self {
        let key = voice.chance.next();
        Self { voice, key }
    }
}

impl Talk for Complains {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let Some(caller) = self.voice.caller() else { return };
        let customer = self.voice.amount.customer(caller.tenant, &mut self.voice.chance);
        self.key = self.key.wrapping_add(1);
        let body = format!(
            "{{\"customer_id\":\"{customer}\",\"source\":\"phone\",\"kind\":\"quality\",\"severity\":2,\
             \"description\":\"The filter leaks again, two days after it was changed.\"}}"
        );
        post(request, "/v1/complaints", (&caller, self.key), &body);
    }

    fn hear(&mut self, _: &[u8]) {}
}

impl Asks {
    /// Asks with this voice, for customers by chance or for one alone: the first brand's with this number.
    pub(crate) fn with(mut voice: Voice, hot: Option<u64>) -> Self {
        let key = voice.chance.next();
        Self { voice, hot, key }
    }
}

impl Talk for Asks {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let caller = match self.hot {
            Some(_) => self.voice.callers.first().cloned(),
            None => self.voice.caller(),
        };
        let Some(caller) = caller else { return };
        let customer = match self.hot {
            Some(number) => customer(number),
            None => self.voice.amount.customer(caller.tenant, &mut self.voice.chance),
        };
        self.key = self.key.wrapping_add(1);
        let body = format!(
            "{{\"customer_id\":\"{customer}\",\"kind\":\"gift\",\"currency\":\"CNY\",\"estimate_minor\":1,\
             \"problem_solved\":\"The family waited an hour for us.\",\"requester_id\":\"{}\"}}",
            clerk(caller.tenant)
        );
        post(request, "/v1/gestures", (&caller, self.key), &body);
    }

    fn hear(&mut self, _: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stands_at_the_end_of_a_page() {
        let page = br#"{"data":[{"name":"next_cursor"}],"has_more":true,"next_cursor":"abc"}"#;
        assert_eq!(next_cursor(page), Some("abc".to_owned()));
        assert_eq!(next_cursor(br#"{"data":[],"has_more":false,"next_cursor":null}"#), None);
    }
}
