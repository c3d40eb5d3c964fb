//! The guarded way out: calls to addresses that a brand gave.
//!
//! A brand chooses the address, but not our neighbours: whatever it names, only machines of the public
//! internet are called, without a proxy, without following a redirect, for a short time and a few bytes.

use domain::web::{Loopback, WebAddress};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

#[cfg(test)]
mod tests;

/// How much of another server is put up with.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may take to pick up.
    pub connect_within: Duration,
    /// How long it may take from the first word to the last byte.
    pub answer_within: Duration,
    /// The longest body that is read.
    pub most_answer_bytes: usize,
}

/// What another server answered, whatever it is; a redirect is an answer like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why an address has not answered.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    /// It leads to a machine that is not called. Nothing was sent.
    #[error("the address is not a public one")]
    Guarded,
    /// It did not answer in time.
    #[error("the address did not answer in time")]
    Late,
    /// Its answer is longer than what is read.
    #[error("the answer is too long")]
    TooLong,
    /// Nobody is there, or the connection broke.
    #[error("the address cannot be reached")]
    Unreachable(#[source] reqwest::Error),
}

/// Calls addresses that a brand gave. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    web: reqwest::Client,
    loopback: Loopback,
    most_answer_bytes: usize,
}

impl Client {
    /// Prepares a client. On a development server, `loopback` lets it call this machine.
    ///
    /// # Errors
    ///
    /// [`CallFault::Unreachable`] when the machine has no usable certificates.
    pub fn open(bounds: Bounds, loopback: Loopback) -> Result<Self, CallFault> {
        Self::with_names(bounds, loopback, Arc::new(SystemNames))
    }

    /// The same, with another way to look up names.
    fn with_names(
        bounds: Bounds,
        loopback: Loopback,
        names: Arc<dyn Resolve>,
    ) -> Result<Self, CallFault> {
        let web = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Guard { names, loopback })
            .connect_timeout(bounds.connect_within)
            .timeout(bounds.answer_within)
            .user_agent(concat!("aftercare/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(CallFault::Unreachable)?;
        Ok(Self { web, loopback, most_answer_bytes: bounds.most_answer_bytes })
    }

    /// Asks `address` for something of the media type `accept`.
    ///
    /// # Errors
    ///
    /// Each [`CallFault`].
    pub async fn get(&self, address: &WebAddress, accept: &str) -> Result<Answer, CallFault> {
        let url = Url::parse(address.as_str()).map_err(|_| CallFault::Guarded)?;
        self.get_url(url, accept).await
    }

    async fn get_url(&self, url: Url, accept: &str) -> Result<Answer, CallFault> {
        // A name is judged when it is looked up; an address in figures never is, so it is judged here.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if host.parse::<IpAddr>().is_ok_and(|figures| !self.loopback.lets(figures)) {
            return Err(CallFault::Guarded);
        }
        let answer = self.web.get(url).header("accept", accept).send().await.map_err(fault)?;
        let status = answer.status().as_u16();
        Ok(Answer { status, body: self.body(answer).await? })
    }

    /// Reads an answer up to its longest.
    async fn body(&self, mut answer: reqwest::Response) -> Result<Vec<u8>, CallFault> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(fault)? {
            if body.len().saturating_add(chunk.len()) > self.most_answer_bytes {
                return Err(CallFault::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// What went wrong, as far as it matters to who called.
fn fault(error: reqwest::Error) -> CallFault {
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return CallFault::Guarded;
        }
        cause = error.source();
    }
    if error.is_timeout() { CallFault::Late } else { CallFault::Unreachable(error) }
}

/// A name leads to a machine that is not called.
#[derive(Debug, thiserror::Error)]
#[error("the name does not lead to public addresses alone")]
struct NotPublic;

/// Looks up names, and lets only those through that lead to machines that may be called: what is judged is
/// what is called. One neighbour among the addresses of a name makes all of them suspect.
struct Guard {
    names: Arc<dyn Resolve>,
    loopback: Loopback,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, loopback) = (self.names.resolve(name), self.loopback);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await?.collect();
            if found.is_empty() || !found.iter().all(|address| loopback.lets(address.ip())) {
                return Err(NotPublic.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// Names as this machine knows them.
#[derive(Debug)]
struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}
