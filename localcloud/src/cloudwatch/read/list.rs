//! ListMetrics.

use serde::Deserialize;
use serde_json::{Value, json};

use super::is_listed;
use crate::call::Answer;
use crate::clock::CloudTime;
use crate::cloudwatch::{MetricName, invalid_value};
use crate::page::page;
use crate::world::World;

/// Metrics on a page; the caller has no choice.
const PAGE: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ListMetrics {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Filter>,
    recently_active: Option<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    name: String,
    value: Option<String>,
}

/// Metrics that meet every filter, in order.
pub(crate) fn list(world: &World, now: CloudTime, input: &ListMetrics) -> Answer {
    let recently = input.recently_active.is_some();
    let metrics: Vec<(String, &MetricName)> = world
        .cloudwatch
        .store
        .names()
        .filter(|(name, newest)| is_listed(*newest, now, recently) && input.wants(name))
        .map(|(name, _)| (token(name), name))
        .collect();
    let (metrics, next) = page(metrics, |(token, _)| token, input.next_token.as_deref(), PAGE)
        .ok_or_else(|| invalid_value("The parameter NextToken is not valid."))?;
    let shown: Vec<Value> = metrics.iter().map(|(_, name)| name.view()).collect();
    Ok(json!({"Metrics": shown, "NextToken": next}))
}

/// A metric's name in one text.
fn token(name: &MetricName) -> String {
    let dimensions = name.dimensions.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let parts = [name.namespace.as_str(), name.name.as_str()].into_iter().chain(dimensions);
    parts.map(|part| hex::encode(part) + ".").collect()
}

impl ListMetrics {
    fn wants(&self, name: &MetricName) -> bool {
        let has = |filter: &Filter| {
            let value = name.dimensions.get(&filter.name);
            value.is_some_and(|value| filter.value.as_ref().is_none_or(|wanted| wanted == value))
        };
        self.namespace.as_ref().is_none_or(|wanted| *wanted == name.namespace)
            && self.metric_name.as_ref().is_none_or(|wanted| *wanted == name.name)
            && self.dimensions.iter().all(has)
    }
}
