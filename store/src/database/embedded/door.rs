//! The door to the engine: one connection after the other.

use super::{
    EngineError,
    wire::{self, Greeting},
};
use pglite_oxide::{ExecProtocolOptions, Pglite};
use std::{
    io::{self, Write as _},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What clients are told of the server, beside what they set themselves.
const PARAMETERS: [(&str, &str); 5] = [
    ("server_version", "17.5"),
    ("server_encoding", "UTF8"),
    ("client_encoding", "UTF8"),
    ("integer_datetimes", "on"),
    ("standard_conforming_strings", "on"),
];
/// What a client says of itself that is not a setting.
const NOT_SETTINGS: [&str; 4] = ["user", "database", "options", "replication"];

/// Why a connection ends other than by its client's wish.
enum Broken {
    /// The client is gone, or speaks another language.
    Client,
    /// The engine cannot go on.
    Engine(String),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Client
    }
}

/// Who is inside, so that they can be shown out.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    stream: Arc<Mutex<Option<UnixStream>>>,
    closed: Arc<AtomicBool>,
}

impl Visitor {
    /// Closes the door: whoever is inside is cut off, and nobody is let in any more.
    pub(super) fn turn_away(&self, socket: &Path) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(stream) = self.lock().as_ref() {
            // It may have gone by itself.
            drop(stream.shutdown(Shutdown::Both));
        }
        // Whoever waits at the door learns that it is closed from one more knock.
        drop(UnixStream::connect(socket));
    }

    fn enters(&self, stream: &UnixStream) -> io::Result<()> {
        *self.lock() = Some(stream.try_clone()?);
        Ok(())
    }

    fn leaves(&self) {
        *self.lock() = None;
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<UnixStream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The door.
pub(super) struct Door {
    listener: UnixListener,
    visitor: Visitor,
}

impl Door {
    pub(super) fn new(listener: UnixListener, visitor: Visitor) -> Self {
        Self { listener, visitor }
    }

    /// Lets one client after the other in to `engine` until the door is closed. An engine that cannot go on
    /// is opened again; what it had committed is there.
    pub(super) fn keep(self, mut engine: Pglite, open: impl Fn() -> Result<Pglite, EngineError>) {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::error!(%error, "the embedded PostgreSQL hears nobody any more");
                    return;
                }
            };
            if self.visitor.is_closed() {
                break;
            }
            if let Err(why) = self.receive(&mut engine, stream) {
                tracing::error!(%why, "the embedded PostgreSQL fell and is opened again");
                // Two engines cannot have the same folder.
                drop(engine);
                match open() {
                    Ok(opened) => engine = opened,
                    Err(error) => {
                        tracing::error!(%error, "the embedded PostgreSQL does not open again");
                        return;
                    }
                }
            }
        }
        if let Err(error) = engine.close() {
            tracing::error!(error = %format!("{error:#}"), "the embedded PostgreSQL did not close");
        }
    }

    /// Serves one client, and leaves the session as if they had never been there.
    fn receive(&self, engine: &mut Pglite, stream: UnixStream) -> Result<(), String> {
        if self.visitor.enters(&stream).is_ok() {
            let served = serve(engine, stream);
            self.visitor.leaves();
            if let Err(Broken::Engine(why)) = served {
                return Err(why);
            }
        }
        leave_nothing(engine)
    }
}

/// Makes the session new for the next client: no transaction, no scope, no name, no prepared statement.
fn leave_nothing(engine: &mut Pglite) -> Result<(), String> {
    // After an error the session hears nothing before a Sync, which the client may not have sent any more.
    send(engine, &wire::sync())?;
    for sql in ["ROLLBACK", "DISCARD ALL"] {
        let answer = send(engine, &wire::query(sql))?;
        if wire::error_in(&answer).is_some() || !wire::is_idle(&answer) {
            return Err(format!("{sql} had no effect"));
        }
    }
    Ok(())
}

/// Speaks with one client until they leave.
fn serve(engine: &mut Pglite, mut stream: UnixStream) -> Result<(), Broken> {
    let Some(parameters) = greet(&mut stream)? else { return Ok(()) };
    for sql in settings(&parameters) {
        let answer = ask(engine, &mut stream, &wire::query(&sql))?;
        if let Some(error) = wire::error_in(&answer) {
            stream.write_all(error)?;
            return Ok(());
        }
    }
    stream.write_all(&wire::welcome(&PARAMETERS))?;
    let mut batch = Vec::new();
    loop {
        match wire::read_message(&mut stream, &mut batch)? {
            b'X' => return Ok(()),
            // The client waits for an answer now: to a query, a function, or what it sent until here.
            b'Q' | b'F' | b'S' | b'H' => {
                let answer = ask(engine, &mut stream, &batch)?;
                batch.clear();
                stream.write_all(&answer)?;
            }
            _ => {}
        }
    }
}

/// Reads how a client begins; none when it only came to cancel something.
fn greet(stream: &mut UnixStream) -> io::Result<Option<Vec<(String, String)>>> {
    loop {
        match Greeting::read(stream)? {
            Greeting::Encryption => stream.write_all(b"N")?,
            Greeting::Cancel => return Ok(None),
            Greeting::Startup(parameters) => return Ok(Some(parameters)),
        }
    }
}

/// What makes the session that of its client: their settings, and last their name, behind which there is no
/// more power than it has.
fn settings(parameters: &[(String, String)]) -> Vec<String> {
    let set = parameters.iter().filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()));
    let mut statements: Vec<String> = set
        .map(|(name, value)| {
            let (name, value) = (name.replace('"', "\"\""), value.replace('\'', "''"));
            format!("SET \"{name}\" TO '{value}'")
        })
        .collect();
    let user = parameters.iter().find(|(name, _)| name == "user").map(|(_, user)| user.as_str());
    let user = user.unwrap_or_default().replace('"', "\"\"");
    statements.push(format!("SET SESSION AUTHORIZATION \"{user}\""));
    statements
}

/// Sends to the engine; tells the client when it fell.
fn ask(engine: &mut Pglite, stream: &mut UnixStream, bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    send(engine, bytes).map_err(|why| {
        // The client may be gone already.
        drop(stream.write_all(&wire::farewell("57P02", "the embedded PostgreSQL fell")));
        Broken::Engine(why)
    })
}

fn send(engine: &mut Pglite, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let sent = engine.exec_protocol_raw(bytes, ExecProtocolOptions::no_sync());
    sent.map_err(|error| format!("{error:#}"))
}
