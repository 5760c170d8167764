//! Counters for Prometheus. Labels are bounded: kinds of resources and classes of errors, never names, ARNs or texts.

use std::collections::BTreeMap;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::app::AppName;
use crate::reconcile::Outcome;
use crate::status::AppStatus;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    action: String,
    resource: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    class: String,
}

/// What the controller counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    passes: Counter,
    actions: Family<ActionLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    apps: Gauge,
    apps_ready: Gauge,
    apps_stalled: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("interstella");
        let passes = Counter::default();
        let actions = Family::<ActionLabels, Counter>::default();
        let errors = Family::<ErrorLabels, Counter>::default();
        let (apps, apps_ready, apps_stalled) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("passes", "Passes over due apps", passes.clone());
        registry.register("actions", "Changes that AWS accepted", actions.clone());
        registry.register("errors", "Calls that failed", errors.clone());
        registry.register("apps", "Apps under management", apps.clone());
        registry.register("apps_ready", "Apps that are as they should be and serve", apps_ready.clone());
        registry.register("apps_stalled", "Apps that only a person can help", apps_stalled.clone());
        Self { registry, passes, actions, errors, apps, apps_ready, apps_stalled }
    }
}

impl Metrics {
    /// Counts one pass.
    pub fn count(&self, outcomes: &BTreeMap<AppName, Outcome>) {
        self.passes.inc();
        for outcome in outcomes.values() {
            for summary in &outcome.executed {
                let (action, resource) = (summary.action.to_string(), summary.resource.to_owned());
                self.actions.get_or_create(&ActionLabels { action, resource }).inc();
            }
            for error in outcome.errors() {
                self.errors.get_or_create(&ErrorLabels { class: format!("{:?}", error.class) }).inc();
            }
        }
    }

    /// Notes how the apps are.
    pub fn note<'a>(&self, apps: impl Iterator<Item = &'a AppStatus> + Clone) {
        let count = |apps: usize| i64::try_from(apps).unwrap_or(i64::MAX);
        self.apps.set(count(apps.clone().count()));
        self.apps_ready.set(count(apps.clone().filter(|app| app.is_ready()).count()));
        self.apps_stalled.set(count(apps.filter(|app| app.is_stalled()).count()));
    }

    /// All of it in Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
