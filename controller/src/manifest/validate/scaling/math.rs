//! A metric of the user's choosing: one by its names, or several with expressions over them.

use std::collections::HashSet;

use super::metrics::{Identity, Metric};
use super::{Problems, grammar, shorten};
use crate::manifest::pointer::Pointer;
use crate::manifest::{CustomMetric, Manifest, MetricQuery, MetricStat, Statistic};

/// Most queries of a policy (AWS: CloudWatch alarms on metric math).
const MAX_QUERIES: usize = 10;
/// Longest expression (AWS: Application Auto Scaling API reference).
const MAX_EXPRESSION: usize = 2048;

pub(super) fn check(metric: &CustomMetric, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    if metric.metrics.is_empty() {
        return single(metric, manifest, path, problems);
    }
    let CustomMetric { namespace, metric_name, dimensions, statistic, unit, metrics } = metric;
    let given = [
        ("namespace", namespace.is_some()),
        ("metricName", metric_name.is_some()),
        ("dimensions", dimensions.is_some()),
        ("statistic", statistic.is_some()),
        ("unit", unit.is_some()),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        let remedy = "remove it, or remove `metrics`: a policy tracks one metric, or metric math";
        problems.add(path.key(key), format!("`{key}` and `metrics` exclude each other"), remedy);
    }
    queries(metrics, manifest, &path.key("metrics"), problems);
}

fn single(metric: &CustomMetric, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    let needed = [
        ("namespace", metric.namespace.is_some()),
        ("metricName", metric.metric_name.is_some()),
        ("statistic", metric.statistic.is_some()),
    ];
    for (key, _) in needed.iter().filter(|(_, given)| !*given) {
        let remedy = format!("add `{key}` under `{path}`, or give `metrics` instead for metric math");
        problems.add(path.clone(), format!("`{key}` is missing"), remedy);
    }
    if let Some((metric, _)) = named(metric) {
        metric.check(manifest, path, problems);
    }
}

/// The metric that is named without metric math.
fn named(metric: &CustomMetric) -> Option<(Metric<'_>, Statistic)> {
    let CustomMetric { namespace, metric_name, dimensions, statistic, unit, metrics: _ } = metric;
    let (namespace, name) = (namespace.as_deref()?, metric_name.as_deref()?);
    let metric = Metric { namespace, name, dimensions: dimensions.as_ref(), unit: unit.as_deref() };
    Some((metric, (*statistic)?))
}

fn word(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Average => "Average",
        Statistic::Minimum => "Minimum",
        Statistic::Maximum => "Maximum",
        Statistic::SampleCount => "SampleCount",
        Statistic::Sum => "Sum",
    }
}

fn of_query(stat: &MetricStat) -> Metric<'_> {
    let MetricStat { namespace, metric_name, dimensions, stat: _, unit } = stat;
    Metric { namespace, name: metric_name, dimensions: dimensions.as_ref(), unit: unit.as_deref() }
}

/// Every metric that is read.
pub(super) fn identities(metric: &CustomMetric, manifest: &Manifest) -> Vec<Identity> {
    let single = named(metric).map(|(metric, statistic)| metric.identity(word(statistic), manifest));
    let stats = metric.metrics.iter().filter_map(|query| query.metric_stat.as_ref());
    single.into_iter().chain(stats.map(|stat| of_query(stat).identity(&stat.stat, manifest))).collect()
}

/// The metric that is tracked, if it is one and no expression.
pub(super) fn identity(metric: &CustomMetric, manifest: &Manifest) -> Option<Identity> {
    let plain = metric.metrics.len() <= 1 && metric.metrics.iter().all(|query| query.expression.is_none());
    if plain { identities(metric, manifest).pop() } else { None }
}

fn queries(queries: &[MetricQuery], manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    if queries.len() > MAX_QUERIES {
        let what = format!("metric math has up to {MAX_QUERIES} queries, not {}", queries.len());
        problems.add(path.clone(), what, "remove some");
    }
    let mut known = HashSet::new();
    for (index, query) in queries.iter().enumerate() {
        let at = path.index(index).key("id");
        problems.grammar(at.clone(), &query.id, grammar::query_id, grammar::QUERY_ID);
        if !known.insert(query.id.as_str()) {
            problems.add(at, format!("the id `{}` is taken", shorten(&query.id)), "give each query an id of its own");
        }
    }
    returned(queries, path, problems);
    for (index, query) in queries.iter().enumerate() {
        one(query, &known, manifest, &path.index(index), problems);
    }
}

/// Exactly one series is tracked.
fn returned(queries: &[MetricQuery], path: &Pointer, problems: &mut Problems) {
    let ids: Vec<String> =
        queries.iter().filter(|query| query.return_data).map(|query| format!("`{}`", query.id)).collect();
    match ids.as_slice() {
        [_] => {}
        [] => {
            let what = "no query returns data, so nothing is tracked";
            problems.add(path.clone(), what, "remove one `returnData: false`");
        }
        several => {
            let what = format!("{} queries return data: {}", several.len(), shorten(&several.join(", ")));
            let remedy = "set `returnData: false` on all but the one whose value is tracked";
            problems.add(path.clone(), what, remedy);
        }
    }
}

fn one(query: &MetricQuery, known: &HashSet<&str>, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    match (&query.expression, &query.metric_stat) {
        (Some(text), None) => expression(text, &query.id, known, path.key("expression"), problems),
        (None, Some(stat)) => {
            let here = path.key("metricStat");
            of_query(stat).check(manifest, &here, problems);
            problems.grammar(here.key("stat"), &stat.stat, grammar::statistic, grammar::STATISTIC);
        }
        (Some(_), Some(_)) => {
            let what = "`expression` and `metricStat` exclude each other";
            problems.add(path.key("expression"), what, "make two queries of it, each with an id of its own");
        }
        (None, None) => {
            let what = "a query needs `metricStat` or `expression`";
            problems.add(path.clone(), what, "add the metric that it reads, or what it computes from other queries");
        }
    }
}

fn expression(text: &str, own: &str, known: &HashSet<&str>, path: Pointer, problems: &mut Problems) {
    if !(1..=MAX_EXPRESSION).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        let remedy = format!("use 1 to {MAX_EXPRESSION} characters, such as `m1 / m2`");
        return problems.add(path, format!("`{}` is not an expression", shorten(text)), remedy);
    }
    for id in references(text) {
        if id == own {
            let what = format!("`{}` is computed from itself", shorten(own));
            problems.add(path.clone(), what, "name other queries in it");
        } else if !known.contains(id) {
            let what = format!("no query has the id `{}`", shorten(id));
            let remedy = "name a query of this list; names of functions are in capitals";
            problems.add(path.clone(), what, remedy);
        }
    }
}

/// Words outside of quotes that start as an id does; names of functions and constants are in capitals.
fn references(text: &str) -> impl Iterator<Item = &str> {
    let unquoted = text.split(['"', '\'']).step_by(2);
    let words = unquoted.flat_map(|part| part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::references;

    #[test]
    fn only_ids_are_references() {
        for (text, expected) in [
            ("m1 / m2", vec!["m1", "m2"]),
            ("IF(m1 > 1e3, FILL(backlog, 0), REPEAT)", vec!["m1", "backlog"]),
            ("SUM(METRICS('m')) * 2.5 + METRICS(\"a b\")", vec![]),
            ("a_B9*-c", vec!["a_B9", "c"]),
            ("", vec![]),
        ] {
            assert_eq!(references(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
