//! A client that costs little: keep-alive connections over HTTP/1.1, one request on each at a time, all in the one
//! thread we have, so that it leaves the machine to what is measured.

use crate::{numbers::float_of, trouble::Trouble};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout},
};

/// Connections that put a load on the program.
pub(crate) const CONNECTIONS: usize = 48;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read at a time: an answer with a page of records fits.
const BUFFER: usize = 64 * 1024;

/// What somebody says on a connection, again and again.
pub(crate) trait Talk: Send + 'static {
    /// Writes the next request.
    fn ask(&mut self, request: &mut Vec<u8>);
    /// Hears the answer to it, when it was a good one.
    fn hear(&mut self, body: &[u8]);
}

/// What happened on all connections in a while.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// Requests that were answered well.
    pub(crate) done: u64,
    /// Others, by their status; 0 when there was no answer.
    pub(crate) failed: BTreeMap<u16, u64>,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
}

impl Window {
    /// Good answers a second.
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { float_of(self.done) / self.seconds } else { 0.0 }
    }

    /// Requests that were not answered well.
    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects to `place`.
    pub(crate) async fn open(place: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(place).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Sends a request and waits for its answer: the status, and where the body begins in the buffer.
    async fn exchange(&mut self, request: &[u8]) -> std::io::Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((status, begin, length)) = head(&self.buffer)?
                && self.buffer.len() >= begin.saturating_add(length)
            {
                return Ok((status, begin));
            }
        }
    }

    /// Sends a request and takes the answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        let (status, begin) = timeout(PATIENCE, self.exchange(request)).await.map_err(late)??;
        Ok(Answer { status, body: self.buffer.split_off(begin) })
    }
}

/// Status, begin of the body and its length, as soon as the head is whole.
fn head(read: &[u8]) -> std::io::Result<Option<(u16, usize, usize)>> {
    let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let text = read.get(..end).map(String::from_utf8_lossy).unwrap_or_default();
    let strange = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let status = text.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(strange)?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let length = if status == 204 || status == 304 { Some(0) } else { length };
    Ok(Some((status, end.saturating_add(4), length.ok_or_else(strange)?)))
}

/// Asks once, on a connection of its own.
pub(crate) async fn once(place: SocketAddr, request: &[u8]) -> std::io::Result<Answer> {
    Connection::open(place).await?.ask(request).await
}

/// Lets `talks` go on at once for `length`. Each has a connection; what has begun is heard to its end.
pub(crate) async fn window<T: Talk>(
    place: SocketAddr,
    talks: Vec<T>,
    length: Duration,
) -> Result<Window, Trouble> {
    let mut connected = Vec::with_capacity(talks.len());
    for talk in talks {
        let connection = Connection::open(place).await;
        connected.push((connection.map_err(Trouble::during("the program is not there"))?, talk));
    }
    let began = Instant::now();
    let mut running = JoinSet::new();
    for (connection, talk) in connected {
        running.spawn(go_on(connection, talk, (began, length)));
    }
    let mut all = Window::default();
    while let Some(ended) = running.join_next().await {
        let one = ended.map_err(|error| Trouble::unexpected(error.to_string()))?;
        all.done = all.done.saturating_add(one.done);
        for (status, count) in one.failed {
            let sum = all.failed.entry(status).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    all.seconds = began.elapsed().as_secs_f64();
    Ok(all)
}

async fn go_on<T: Talk>(
    mut connection: Connection,
    mut talk: T,
    (began, length): (Instant, Duration),
) -> Window {
    let mut window = Window::default();
    let mut request = Vec::with_capacity(1024);
    while began.elapsed() < length {
        request.clear();
        talk.ask(&mut request);
        let answer = timeout(PATIENCE, connection.exchange(&request)).await;
        match answer {
            Ok(Ok((200..300, begin))) => {
                window.done = window.done.saturating_add(1);
                talk.hear(connection.buffer.get(begin..).unwrap_or_default());
            }
            other => {
                let status = other.map_or(0, |answer| answer.map_or(0, |(status, _)| status));
                let count = window.failed.entry(status).or_default();
                *count = count.saturating_add(1);
                if status == 0 {
                    // The connection is of no use any more.
                    return window;
                }
            }
        }
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(head(text).unwrap(), Some((201, 43, 2)));
        assert_eq!(head(&text[..20]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
    }
}
