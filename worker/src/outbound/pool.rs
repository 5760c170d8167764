//! Idle connections, by origin. The last one used is the first to be used again, so that those beyond the need grow old and go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::time::Instant;

use super::link::Link;

const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// For each origin.
const IDLE_CONNECTIONS: usize = 64;

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    /// None if the URL is not absolute.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        Some(Origin { scheme: uri.scheme()?.clone(), authority: uri.authority()?.clone() })
    }
}

/// A connection, and since when nobody uses it.
type Idle = (Box<Link>, Instant);

/// See the module's text. Clones are the same pool.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Shelves>>);

#[derive(Default)]
struct Shelves {
    /// A worker talks to a handful of hosts.
    by_origin: Vec<(Origin, Vec<Idle>)>,
    is_swept: bool,
}

impl Pool {
    /// The idle connection that was used last.
    pub(super) fn take(&self, origin: &Origin) -> Option<Box<Link>> {
        lock(&self.0).pop(origin)
    }

    /// Keeps a connection whose last answer was read to its end, if it takes more requests.
    pub(super) fn put(&self, origin: Origin, link: Box<Link>) {
        if !link.is_reusable() {
            return;
        }
        let mut shelves = lock(&self.0);
        shelves.push(origin, link);
        if !shelves.is_swept {
            shelves.is_swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
    }
}

fn lock(shelves: &Mutex<Shelves>) -> MutexGuard<'_, Shelves> {
    shelves.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes connections in their time, also when nobody takes any, until none are left.
async fn sweep(shelves: Weak<Mutex<Shelves>>) {
    let mut ticks = tokio::time::interval(IDLE_TIMEOUT / 2);
    loop {
        ticks.tick().await;
        let Some(shelves) = shelves.upgrade() else { return };
        let mut shelves = lock(&shelves);
        shelves.drop_old(Instant::now());
        if shelves.by_origin.is_empty() {
            shelves.is_swept = false;
            return;
        }
    }
}

impl Shelves {
    fn pop(&mut self, origin: &Origin) -> Option<Box<Link>> {
        let (_, idle) = self.by_origin.iter_mut().find(|(known, _)| known == origin)?;
        let (link, since) = idle.pop()?;
        if since.elapsed() < IDLE_TIMEOUT {
            return Some(link);
        }
        // The others are older.
        idle.clear();
        None
    }

    fn push(&mut self, origin: Origin, link: Box<Link>) {
        let idle = match self.by_origin.iter_mut().position(|(known, _)| *known == origin) {
            Some(place) => self.by_origin.get_mut(place),
            None => {
                self.by_origin.push((origin, Vec::new()));
                self.by_origin.last_mut()
            }
        };
        if let Some((_, idle)) = idle.filter(|(_, idle)| idle.len() < IDLE_CONNECTIONS) {
            idle.push((link, Instant::now()));
        }
    }

    /// What is older than the time-out at `now` goes.
    fn drop_old(&mut self, now: Instant) {
        for (_, idle) in &mut self.by_origin {
            idle.retain(|(_, since)| now.duration_since(*since) < IDLE_TIMEOUT);
        }
        self.by_origin.retain(|(_, idle)| !idle.is_empty());
    }
}
