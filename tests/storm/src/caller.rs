//! A caller of the API: it repeats what was not answered under the same key, remembers every answer, and insists that
//! the same key is always answered alike.

use crate::{chance::Chance, report::Report};
use reqwest::Method;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long an answer is waited for, usually.
const PATIENCE: Duration = Duration::from_secs(4);
/// An impatient caller hangs up after 20 to so many milliseconds.
const IMPATIENCE_MILLIS: u64 = 300;
/// One of so many requests is impatient.
const IMPATIENT_ONE_IN: u64 = 10;
/// One of so many answered intentions is sent again at once.
const REPEAT_ONE_IN: u64 = 6;
/// How long an intention may go unanswered: far longer than any fault, on a machine however busy.
const GIVE_UP: Duration = Duration::from_mins(5);
/// Between two tries, at most.
const MOST_PAUSE_MILLIS: u64 = 400;
/// Refusals that say that sending the same again helps.
const TRY_AGAIN: [&str; 2] = ["request_still_running", "conflict_try_again"];

/// An answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Reply {
    /// Whether the intention was carried out.
    pub(crate) fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A text of the record, or empty.
    pub(crate) fn text(&self, member: &str) -> String {
        self.json().get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Whether sending the same again may help.
    fn is_passing(&self) -> bool {
        let again = || TRY_AGAIN.contains(&&*self.text("code"));
        matches!(self.status, 408 | 429 | 503) || (self.status == 409 && again())
    }
}

/// Something that was wanted.
#[derive(Debug, Clone)]
pub(crate) struct Intention {
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// An intention that was carried out, with the answer.
type Kept = (Intention, Reply);

/// Somebody who calls for a brand; clones call for the same one.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    web: reqwest::Client,
    doors: Vec<String>,
    key: String,
    kept: Arc<Mutex<Vec<Kept>>>,
    pub(crate) report: Report,
}

impl Caller {
    /// Calls at `doors` with an API key.
    pub(crate) fn new(doors: Vec<String>, key: String, report: Report) -> reqwest::Result<Self> {
        let web = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { web, doors, key, kept: Arc::default(), report })
    }

    /// Has an intention carried out: sends it until it is answered for good. A refusal is an answer too.
    pub(crate) async fn intends(&self, chance: &mut Chance, intention: Intention) -> Reply {
        self.report.note(|seen| seen.intentions = seen.intentions.saturating_add(1));
        let reply = self.insists(chance, &intention).await;
        if reply.is_done() {
            self.keep(&intention, &reply);
            if chance.one_in(REPEAT_ONE_IN) {
                self.repeats(chance, &intention, &reply).await;
            }
        }
        reply
    }

    /// Sends an intention once, perhaps hanging up before it is answered, and never comes back to it.
    pub(crate) async fn tries(&self, chance: &mut Chance, intention: Intention) -> Option<Reply> {
        self.report.note(|seen| seen.intentions = seen.intentions.saturating_add(1));
        let patience = chance.millis(1, IMPATIENCE_MILLIS);
        let reply = self.sends(chance, &intention, patience).await?;
        if reply.is_done() {
            self.keep(&intention, &reply);
        }
        Some(reply).filter(|reply| !reply.is_passing())
    }

    /// Reads something, until it is answered.
    pub(crate) async fn reads(&self, chance: &mut Chance, path: &str) -> Reply {
        let read = async |chance: &mut Chance| {
            let door = chance.pick(&self.doors)?;
            let request = self.web.get(format!("{door}{path}")).bearer_auth(&self.key);
            self.answered(request.timeout(PATIENCE)).await
        };
        self.until_answered(chance, path, read).await.0
    }

    /// Answers a survey's page as a browser does, until it is answered; says how it was, and whether an answer to it
    /// may have been lost before.
    pub(crate) async fn fills_in(
        &self,
        chance: &mut Chance,
        page: &str,
        score: u64,
    ) -> (Reply, bool) {
        let send = async |chance: &mut Chance| {
            let door = chance.pick(&self.doors)?;
            let request = self.web.post(format!("{door}{page}")).form(&[("score", score)]);
            self.answered(request.timeout(PATIENCE)).await
        };
        self.until_answered(chance, page, send).await
    }

    /// Sends everything that was carried out once more: each key must be answered as it was.
    pub(crate) async fn repeats_all(&self, chance: &mut Chance) {
        for (intention, reply) in self.kept() {
            self.repeats(chance, &intention, &reply).await;
        }
    }

    /// The keys of everything that was carried out.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.kept().into_iter().map(|(intention, _)| intention.key).collect()
    }

    fn kept(&self) -> Vec<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, intention: &Intention, reply: &Reply) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((intention.clone(), reply.clone()));
    }

    async fn repeats(&self, chance: &mut Chance, intention: &Intention, first: &Reply) {
        self.report.note(|seen| seen.repeated = seen.repeated.saturating_add(1));
        let second = self.insists(chance, intention).await;
        if second != *first {
            let (key, path) = (&intention.key, &intention.path);
            self.report.violation(format!(
                "the key {key} of {path} was answered with {first:?} and later with {second:?}"
            ));
        }
    }

    async fn insists(&self, chance: &mut Chance, intention: &Intention) -> Reply {
        let send = async |chance: &mut Chance| {
            let patience = if chance.one_in(IMPATIENT_ONE_IN) {
                chance.millis(20, IMPATIENCE_MILLIS)
            } else {
                PATIENCE
            };
            self.sends(chance, intention, patience).await
        };
        self.until_answered(chance, &intention.path, send).await.0
    }

    async fn sends(
        &self,
        chance: &mut Chance,
        intention: &Intention,
        patience: Duration,
    ) -> Option<Reply> {
        let Intention { key, path, body } = intention;
        let door = chance.pick(&self.doors)?;
        let request = self.web.request(Method::POST, format!("{door}{path}"));
        let request = request.bearer_auth(&self.key).header("idempotency-key", key).json(body);
        self.answered(request.timeout(patience)).await
    }

    /// Sends until there is an answer for good; says too whether one may have been lost before. Callers who are never
    /// answered are told so by a status of 0, and the report by a sentence.
    async fn until_answered(
        &self,
        chance: &mut Chance,
        path: &str,
        send: impl AsyncFn(&mut Chance) -> Option<Reply>,
    ) -> (Reply, bool) {
        let (began, mut is_repeated) = (Instant::now(), false);
        let mut last = None;
        while began.elapsed() < GIVE_UP {
            last = send(chance).await;
            match last.clone() {
                Some(reply) if !reply.is_passing() => return (reply, is_repeated),
                Some(_) => {}
                None => is_repeated = true,
            }
            sleep(chance.millis(20, MOST_PAUSE_MILLIS)).await;
        }
        self.report
            .violation(format!("{path} was not answered for minutes; at last with {last:?}"));
        (Reply { status: 0, body: String::new() }, is_repeated)
    }

    /// Sends one request; nothing when it was not answered. A fault of the service's own is never an answer.
    async fn answered(&self, request: reqwest::RequestBuilder) -> Option<Reply> {
        self.report.note(|seen| seen.requests = seen.requests.saturating_add(1));
        let answer = async {
            let answer = request.send().await?;
            let (status, url) = (answer.status().as_u16(), answer.url().path().to_owned());
            Ok::<_, reqwest::Error>((url, Reply { status, body: answer.text().await? }))
        };
        let Ok((url, reply)) = answer.await else {
            self.report.note(|seen| seen.unanswered = seen.unanswered.saturating_add(1));
            return None;
        };
        if reply.status >= 500 && reply.status != 503 {
            self.report.violation(format!("{url} was answered with {reply:?}"));
        }
        Some(reply)
    }
}
