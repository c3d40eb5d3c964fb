//! A proxy of ours between a program and its server, or between callers and the API: what passes it can be slowed down,
//! held back or cut off.

use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// Bytes that are carried at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// How bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// As they come.
    Free,
    /// Each chunk so much later.
    Slow(Duration),
    /// What is asked passes, answers wait.
    Mute,
    /// Everything waits.
    Still,
}

#[derive(Debug, Clone, Copy)]
struct State {
    flow: Flow,
    /// How often everything was cut off.
    cuts: u64,
}

/// A proxy on loopback. Dropped, it is gone with all that passed through it.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) port: u16,
    state: watch::Sender<State>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Listens on `port`, or with 0 on one that is free, and carries to `target`, another port on loopback.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub(crate) async fn open(port: u16, target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let state = watch::Sender::new(State { flow: Flow::Free, cuts: 0 });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, target, state.subscribe()));
        Ok(Self { port, state, _accepting: accepting })
    }

    /// Lets bytes pass otherwise from now on.
    pub(crate) fn turn(&self, flow: Flow) {
        self.state.send_modify(|state| state.flow = flow);
    }

    /// Cuts every connection there is.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts = state.cuts.saturating_add(1));
    }
}

async fn accept(listener: TcpListener, target: u16, state: watch::Receiver<State>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = open.join_next() => {}
            Ok((near, _)) = listener.accept() => {
                open.spawn(carry(near, target, state.clone()));
            }
        }
    }
}

/// One connection, until either side ends it or it is cut.
async fn carry(near: TcpStream, target: u16, state: watch::Receiver<State>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    drop((near.set_nodelay(true), far.set_nodelay(true)));
    let cuts = state.borrow().cuts;
    let mut watched = state.clone();
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        _ = pump(near_read, far_write, state.clone(), false) => {}
        _ = pump(far_read, near_write, state, true) => {}
        _ = watched.wait_for(|state| state.cuts != cuts) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    are_answers: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(());
        };
        let passes = |state: &State| match state.flow {
            Flow::Free | Flow::Slow(_) => true,
            Flow::Mute => !are_answers,
            Flow::Still => false,
        };
        let flow = match state.wait_for(passes).await {
            Ok(state) => state.flow,
            Err(_) => return Ok(()),
        };
        if let Flow::Slow(delay) = flow {
            sleep(delay).await;
        }
        to.write_all(bytes).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    /// An echo behind a proxy, and a connection through it.
    async fn echo() -> (Proxy, TcpStream, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap().port();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut from, mut to) = stream.split();
            drop(tokio::io::copy(&mut from, &mut to).await);
        });
        let proxy = Proxy::open(0, target).await.unwrap();
        let stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        (proxy, stream, serving)
    }

    async fn hears(stream: &mut TcpStream) -> [u8; 2] {
        let mut heard = [0; 2];
        stream.read_exact(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn what_was_held_back_comes_later_and_whole() {
        let (proxy, mut stream, _serving) = echo().await;
        stream.write_all(b"on").await.unwrap();
        assert_eq!(hears(&mut stream).await, *b"on");
        for flow in [Flow::Mute, Flow::Still] {
            proxy.turn(flow);
            stream.write_all(b"in").await.unwrap();
            assert!(hears(&mut stream).now_or_never().is_none());
            proxy.turn(Flow::Slow(Duration::from_millis(1)));
            assert_eq!(hears(&mut stream).await, *b"in");
            proxy.turn(Flow::Free);
        }
    }

    #[tokio::test]
    async fn a_cut_ends_what_is_open() {
        let (proxy, mut stream, _serving) = echo().await;
        stream.write_all(b"on").await.unwrap();
        assert_eq!(hears(&mut stream).await, *b"on");
        proxy.cut();
        assert!(matches!(stream.read(&mut [0; 2]).await, Ok(0) | Err(_)));
    }
}
