//! Addresses that must not be called, and servers that take too much time or room.

use super::*;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const BOUNDS: Bounds = Bounds {
    connect_within: Duration::from_secs(30),
    answer_within: Duration::from_secs(30),
    most_answer_bytes: 1_000,
};

/// How a server of a test answers.
#[derive(Clone)]
enum Says {
    /// With these bytes.
    Text(String),
    /// With the head and the first byte of a body that does not go on.
    Stops,
    /// With a body that comes byte by byte and does not end.
    Drips,
    /// With a body that comes as fast as it is read and does not end.
    Floods,
}

/// A server on this machine that counts who comes.
struct Door {
    port: u16,
    opened: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
}

impl Door {
    async fn opens(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (opened, left) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let same = TcpListener::bind(("::1", port)).await.ok();
        for listener in [Some(listener), same].into_iter().flatten() {
            let (opened, left, says) = (Arc::clone(&opened), Arc::clone(&left), says.clone());
            #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    opened.fetch_add(1, Ordering::SeqCst);
                    answers(stream, &says).await;
                    left.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { port, opened, left }
    }

    fn address(&self) -> WebAddress {
        format!("http://127.0.0.1:{}/keys", self.port).parse().unwrap()
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

/// Answers one caller, until it is done or the caller has gone.
async fn answers(mut stream: TcpStream, says: &Says) {
    let mut question = [0; 4_096];
    if stream.read(&mut question).await.is_err() {
        return;
    }
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let (first, rest) = match says {
        Says::Text(text) => (text.clone(), None),
        Says::Stops => (format!("{head}x"), Some(Vec::new())),
        Says::Drips => (head.to_owned(), Some(vec![b'x'])),
        Says::Floods => (head.to_owned(), Some(vec![b'x'; 65_536])),
    };
    if stream.write_all(first.as_bytes()).await.is_err() {
        return;
    }
    match rest {
        Some(rest) if !rest.is_empty() => while stream.write_all(&rest).await.is_ok() {},
        // The caller says nothing more, so this ends when it has gone.
        Some(_) => drop(stream.read(&mut question).await),
        None => {}
    }
}

fn body_of(bytes: usize) -> Says {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
    Says::Text(format!("{head}{}", "x".repeat(bytes)))
}

fn development(bounds: Bounds) -> Client {
    Client::open(bounds, Loopback::Allowed).unwrap()
}

async fn asks(client: &Client, door: &Door) -> Result<Answer, CallFault> {
    client.get(&door.address(), "application/json").await
}

/// Names as a test has them; any other leads to this machine, where the door is.
struct Names {
    known: BTreeMap<String, Vec<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let here = vec![IpAddr::from([127, 0, 0, 1])];
        let found = self.known.get(name.as_str()).cloned().unwrap_or(here);
        Box::pin(async move {
            let found: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(found)
        })
    }
}

/// One line of the corpus: what it is, the address, and where its name leads.
struct Form {
    name: String,
    url: String,
    leads_to: Vec<IpAddr>,
}

/// The corpus, with the port of the test's own door in it.
fn forms(port: u16) -> Vec<Form> {
    let text = include_str!("../../tests/data/refused-addresses.json");
    let corpus: Vec<Value> = serde_json::from_str(text).unwrap();
    let form = |line: &Value| Form {
        name: line["form"].as_str().unwrap().to_owned(),
        url: line["url"].as_str().unwrap().replace("PORT", &port.to_string()),
        leads_to: serde_json::from_value(line["leads_to"].clone()).unwrap_or_default(),
    };
    corpus.iter().map(form).collect()
}

#[tokio::test]
async fn no_form_of_address_leads_to_us_or_our_neighbours() {
    let door = Door::opens(body_of(2)).await;
    let forms = forms(door.port);
    let names: BTreeSet<_> = forms.iter().map(|form| &form.name).collect();
    assert_eq!(names.len(), forms.len(), "each form has a name of its own");
    assert!(forms.len() >= 120, "{} forms", forms.len());

    let host = |text: &str| Url::parse(text).ok()?.host_str().map(str::to_owned);
    let known = forms.iter().filter(|form| !form.leads_to.is_empty());
    let known = known.filter_map(|form| Some((host(&form.url)?, form.leads_to.clone()))).collect();
    let names = Arc::new(Names { known, asked: Arc::default() });
    let client = Client::with_names(BOUNDS, Loopback::Refused, names).unwrap();
    let mut guarded = 0;
    for Form { name, url, .. } in &forms {
        // The guard does not rely on what is an address of ours to begin with.
        if let Ok(url) = Url::parse(url) {
            assert!(client.get_url(url, "*/*").await.is_err(), "{name} was called");
        }
        if let Ok(address) = url.parse::<WebAddress>() {
            let answer = client.get(&address, "*/*").await;
            assert!(matches!(answer, Err(CallFault::Guarded)), "{name}: {url}: {answer:?}");
            guarded += 1;
        }
    }
    assert!(guarded >= 60, "{guarded} forms were judged by the guard alone");
    // Who comes is let in one after the other: when this one is, nobody was before it.
    asks(&development(BOUNDS), &door).await.unwrap();
    assert_eq!(door.opened(), 1, "nobody but the last caller came");
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_called_where_it_was_judged() {
    let door = Door::opens(body_of(2)).await;
    let asked = Arc::<AtomicUsize>::default();
    let names = Arc::new(Names { known: BTreeMap::new(), asked: Arc::clone(&asked) });
    let client = Client::with_names(BOUNDS, Loopback::Allowed, names).unwrap();
    let url = format!("http://login.example.com:{}/keys", door.port);
    client.get_url(Url::parse(&url).unwrap(), "*/*").await.unwrap();
    assert_eq!((door.opened(), asked.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_development_server_calls_itself_and_no_neighbour() {
    let door = Door::opens(body_of(2)).await;
    let answer = asks(&development(BOUNDS), &door).await.unwrap();
    assert_eq!(answer, Answer { status: 200, body: b"xx".to_vec() });
    let neighbour = "https://10.0.0.1/keys".parse().unwrap();
    let answer = development(BOUNDS).get(&neighbour, "*/*").await;
    assert!(matches!(answer, Err(CallFault::Guarded)), "{answer:?}");
}

#[tokio::test]
async fn a_body_is_read_up_to_its_longest() {
    let door = Door::opens(body_of(BOUNDS.most_answer_bytes)).await;
    let answer = asks(&development(BOUNDS), &door).await.unwrap();
    assert_eq!(answer.body.len(), BOUNDS.most_answer_bytes);
    for says in [body_of(BOUNDS.most_answer_bytes + 1), Says::Floods] {
        let door = Door::opens(says).await;
        let answer = asks(&development(BOUNDS), &door).await;
        assert!(matches!(answer, Err(CallFault::TooLong)), "{answer:?}");
        // The server could not go on writing: nobody reads any more.
        while door.left.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_body_that_takes_its_time_is_left() {
    let answer_within = Duration::from_millis(200);
    let bounds = Bounds { answer_within, most_answer_bytes: usize::MAX, ..BOUNDS };
    for says in [Says::Stops, Says::Drips] {
        let door = Door::opens(says).await;
        let answer = asks(&development(bounds), &door).await;
        assert!(matches!(answer, Err(CallFault::Late)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Door::opens(body_of(2)).await;
        let location = elsewhere.address();
        let head = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\n");
        let door = Door::opens(Says::Text(format!("{head}content-length: 0\r\n\r\n"))).await;
        let answer = asks(&development(BOUNDS), &door).await.unwrap();
        assert_eq!((answer.status, door.opened(), elsewhere.opened()), (status, 1, 0));
    }
}

#[tokio::test]
async fn where_nobody_listens_nobody_is_reached() {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/keys", door.local_addr().unwrap()).parse().unwrap();
    drop(door);
    let answer = development(BOUNDS).get(&address, "*/*").await;
    assert!(matches!(answer, Err(CallFault::Unreachable(_))), "{answer:?}");
}
