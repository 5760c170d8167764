//! What the worker counts. Labels come from fixed sets, so that the number of series is bounded.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

type Labels = [(&'static str, &'static str); 1];
type Counters = Family<Labels, Counter<u64, AtomicU64>>;

/// The worker's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    rejected: Counters,
    orders: Counters,
    alarms: Counters,
    /// Orders whose processing panicked.
    pub panics: Counter,
    /// Connections that are open.
    pub connections: Gauge,
    /// Orders that wait until others are done.
    pub waiting: Gauge,
    /// Seconds from a message's timestamp to its order's end.
    pub order_age_s: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let ages_s = [0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0];
        let mut metrics = Metrics {
            registry: Registry::with_prefix("worker"),
            rejected: Counters::default(),
            orders: Counters::default(),
            alarms: Counters::default(),
            panics: Counter::default(),
            connections: Gauge::default(),
            waiting: Gauge::default(),
            order_age_s: Histogram::new(ages_s),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let Metrics { registry, rejected, orders, alarms, panics, connections, waiting, order_age_s } = self;
        registry.register("rejected", "Requests that were not processed, by reason", rejected.clone());
        registry.register("orders", "Orders by what became of the delivery", orders.clone());
        registry.register("alarms", "Events that a person should look at", alarms.clone());
        registry.register("panics", "Orders whose processing panicked", panics.clone());
        registry.register("connections", "Open connections", connections.clone());
        registry.register("waiting", "Orders that wait until others are done", waiting.clone());
        registry.register("order_age_seconds", "Time from publication to the order's end", order_age_s.clone());
    }

    /// Counts a request that was not processed.
    pub(crate) fn reject(&self, reason: &'static str) {
        self.rejected.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts what became of a delivery.
    pub(crate) fn order(&self, result: &'static str) {
        self.orders.get_or_create(&[("result", result)]).inc();
    }

    /// Counts, and says in the log, that a person should look at something.
    pub(crate) fn alarm(&self, kind: &'static str) {
        self.alarms.get_or_create(&[("kind", kind)]).inc();
        tracing::error!(alarm = kind, "a person should look at this");
    }

    /// In the OpenMetrics text format.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
