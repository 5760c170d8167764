//! The cache of signing keys.
//!
//! Anyone can send messages that name certificates which do not exist. So one URL is fetched once at a time, refusals are
//! remembered, new URLs are fetched at a slow rate, and what is remembered is bounded; keys that are known stay unaffected.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use tokio::sync::OnceCell;

use super::certificate::{self, SigningKey, Trust};
use super::{Refusal, Topic};
use crate::clock::{Clock, Skew};
use crate::outbound::{Answer, Outbound, SendError};

const MAX_KEYS: usize = 16;
const MAX_REFUSED: usize = 256;
const REFUSED_FOR_MS: i64 = 5 * 60 * 1000;
/// Between the fetches of new certificates.
const FETCH_EVERY_MS: i64 = 1000;

type Found = Result<Arc<SigningKey>, Refusal>;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct KeyCache {
    outbound: Outbound,
    clock: Clock,
    skew: Arc<Skew>,
    local: bool,
    deadline: Duration,
    anchors: Vec<TrustAnchor<'static>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// With the time of the last use.
    keys: HashMap<String, (Arc<SigningKey>, i64)>,
    /// With the time until which the refusal holds.
    refused: HashMap<String, (Refusal, i64)>,
    in_flight: HashMap<String, Arc<OnceCell<Found>>>,
    /// When the next fetch may start.
    next_fetch_ms: i64,
}

impl KeyCache {
    /// `local` says that certificates come from the local cloud; `deadline` is for one file.
    pub(crate) fn new(outbound: Outbound, clock: Clock, skew: Arc<Skew>, local: bool, deadline: Duration) -> Self {
        let anchors = certificate::amazon_roots();
        KeyCache { outbound, clock, skew, local, deadline, anchors, known: Mutex::default() }
    }

    /// The key at `url`, which must have been found to be a certificate URL of the topic's own SNS.
    pub(super) async fn get(&self, url: &str, topic: &Topic) -> Found {
        let now = self.clock.now();
        let flight = match self.known().look_up(url, now) {
            LookUp::Found(found) => return found,
            LookUp::Join(flight) => flight,
        };
        // In boxes, because fetching is rare and its future has kilobytes, which every order would move about.
        let found = Box::pin(flight.get_or_init(|| Box::pin(self.fetch(url, topic)))).await.clone();
        self.known().settle(url, &flight, &found, self.clock.now_ms());
        found
    }

    /// Asks the server of a known key what time it is, unless that was done a short while ago.
    pub(super) async fn ask_the_time(&self, url: &str) {
        if self.skew.is_old(self.clock.reading()) {
            // Only its Date is wanted; without it the clock stays in doubt.
            let _ = Box::pin(self.download(url)).await;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, url: &str, topic: &Topic) -> Found {
        const UNREACHABLE: Refusal = Refusal::Unverifiable("the signing certificate cannot be fetched");
        let answer = self.download(url).await.map_err(|error| match error {
            SendError::TooLong => Refusal::Forged("the certificate file is too long"),
            SendError::NotSent | SendError::Unknown => UNREACHABLE,
        })?;
        match answer.status {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => return Err(UNREACHABLE),
            _ => return Err(Refusal::Forged("there is no such signing certificate")),
        }
        let mut chain = certificate::parse_pem(&answer.body).ok_or(Refusal::Forged("not a certificate file"))?;
        let trust = if self.local {
            Trust::Loopback
        } else {
            self.complete(&mut chain).await?;
            Trust::Chain { anchors: &self.anchors, host: topic.host() }
        };
        // Time and trust in it come from one reading of the clocks.
        let now = self.clock.reading();
        let checked = certificate::check(&chain, trust, now.wall);
        checked.map(Arc::new).map_err(|reason| {
            tracing::warn!(reason, "a signing certificate was refused");
            let clock_is_wrong = self.skew.is_trustworthy(now) == Some(false);
            if clock_is_wrong { Refusal::Unverifiable(reason) } else { Refusal::Forged(reason) }
        })
    }

    /// SNS serves the signing certificate alone; its issuer's comes from where the certificate says.
    async fn complete(&self, chain: &mut Vec<CertificateDer<'static>>) -> Result<(), Refusal> {
        let [leaf] = &chain[..] else { return Ok(()) };
        let Some(url) = certificate::issuer_url(leaf) else { return Ok(()) };
        let answer = self.download(&url).await.ok().filter(|answer| answer.status == StatusCode::OK);
        let answer = answer.ok_or(Refusal::Unverifiable("the signing certificate's issuer cannot be fetched"))?;
        chain.push(CertificateDer::from(answer.body.to_vec()));
        Ok(())
    }

    async fn download(&self, url: &str) -> Result<Answer, SendError> {
        let request = Request::get(url).body(Full::<Bytes>::default()).map_err(|_| SendError::NotSent)?;
        let answer = self.outbound.send(request, self.deadline, certificate::MAX_BYTES).await;
        let answer = answer.inspect_err(|error| tracing::warn!(%error, "no certificate"))?;
        if let Some(date) = answer.headers.get(http::header::DATE).and_then(|date| date.to_str().ok()) {
            self.skew.note(date, self.clock.reading());
        }
        Ok(answer)
    }
}

enum LookUp {
    Found(Found),
    Join(Arc<OnceCell<Found>>),
}

impl Known {
    fn look_up(&mut self, url: &str, now: Timestamp) -> LookUp {
        let now_ms = now.as_millisecond();
        if let Some((key, used_ms)) = self.keys.get_mut(url) {
            if key.is_valid_at(now) {
                *used_ms = now_ms;
                return LookUp::Found(Ok(Arc::clone(key)));
            }
            self.keys.remove(url);
        }
        if let Some((refusal, until_ms)) = self.refused.get(url)
            && *until_ms > now_ms
        {
            return LookUp::Found(Err(*refusal));
        }
        if let Some(flight) = self.in_flight.get(url) {
            return LookUp::Join(Arc::clone(flight));
        }
        if !self.may_fetch(now_ms) {
            return LookUp::Found(Err(Refusal::Unverifiable("too many new signing certificates at once")));
        }
        let flight = Arc::<OnceCell<Found>>::default();
        self.in_flight.insert(url.to_owned(), Arc::clone(&flight));
        LookUp::Join(flight)
    }

    /// A clock that jumped back starts afresh.
    fn may_fetch(&mut self, now_ms: i64) -> bool {
        let may = self.next_fetch_ms <= now_ms || self.next_fetch_ms > now_ms + FETCH_EVERY_MS;
        if may {
            self.next_fetch_ms = now_ms + FETCH_EVERY_MS;
        }
        may
    }

    /// An unreachable host is not remembered: the next delivery tries again.
    fn settle(&mut self, url: &str, flight: &Arc<OnceCell<Found>>, found: &Found, now_ms: i64) {
        if self.in_flight.get(url).is_some_and(|current| Arc::ptr_eq(current, flight)) {
            self.in_flight.remove(url);
            match found {
                Ok(key) => {
                    make_room(&mut self.keys, MAX_KEYS, |(_, used_ms)| *used_ms);
                    self.keys.insert(url.to_owned(), (Arc::clone(key), now_ms));
                }
                Err(refusal @ Refusal::Forged(_)) => {
                    make_room(&mut self.refused, MAX_REFUSED, |(_, until_ms)| *until_ms);
                    self.refused.insert(url.to_owned(), (*refusal, now_ms + REFUSED_FOR_MS));
                }
                Err(_) => {}
            }
        }
    }
}

/// Drops the entry that is oldest by `age` if the map is full.
fn make_room<V>(map: &mut HashMap<String, V>, capacity: usize, age: impl Fn(&V) -> i64) {
    if map.len() >= capacity
        && let Some(oldest) = map.iter().min_by_key(|(_, value)| age(value)).map(|(url, _)| url.clone())
    {
        map.remove(&oldest);
    }
}
