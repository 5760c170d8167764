//! How many orders are worked on at once, for a worker that is told to have a limit, and how long the others wait for
//! their turn. An order waits before it is claimed: until then it may as well be delivered to another worker.

use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Config;
use crate::limits::Limits;

/// The places at which orders are worked on. The default is without limit.
#[derive(Debug, Default)]
pub(crate) struct Capacity(Option<Limited>);

#[derive(Debug)]
struct Limited {
    /// One permit for each place; given out in the order of arrival.
    places: Semaphore,
    /// The longest wait for a place.
    wait: Duration,
    /// How many wait now.
    waiting: Gauge,
}

/// A place at which an order is worked on, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

impl Capacity {
    /// As many places as `config` says. Gathering is known to come after the wait, and shortens it.
    /// `waiting` is kept at the number of orders that wait.
    pub(crate) fn new(config: &Config, limits: Limits, waiting: Gauge) -> Self {
        let wait = limits.begin.saturating_sub(config.gather);
        Self(config.max_concurrent_orders.map(|count| Limited { places: Semaphore::new(count), wait, waiting }))
    }

    /// Waits for a place. None if there was none in time, or if the worker ends.
    pub(crate) async fn place(&self) -> Option<Place<'_>> {
        let Some(Limited { places, wait, waiting }) = &self.0 else { return Some(Place { _permit: None }) };
        waiting.inc();
        let permit = tokio::time::timeout(*wait, places.acquire()).await;
        waiting.dec();
        Some(Place { _permit: Some(permit.ok()?.ok()?) })
    }

    /// Sends away whoever waits, so that only what is being worked on has to be finished.
    pub(crate) fn close(&self) {
        if let Some(Limited { places, .. }) = &self.0 {
            places.close();
        }
    }
}
