//! Values in, statistics out.

use serde_json::{Value, json};

use super::lab::{Lab, START};

fn query(id: &str, more: Value) -> Value {
    let metric = json!({"Namespace": "Test", "MetricName": "Load"});
    let stat = json!({"Metric": metric, "Period": 60, "Stat": "Sum"});
    super::lab::merged(json!({"Id": id, "MetricStat": stat}), more)
}

fn expression(id: &str, text: &str) -> Value {
    json!({"Id": id, "Expression": text})
}

/// GetMetricData over the `minutes` since the start.
fn data(lab: &Lab, minutes: i64, queries: Value, more: Value) -> Value {
    let input = json!({"StartTime": START, "EndTime": START + 60 * minutes, "MetricDataQueries": queries});
    lab.call("GetMetricData", super::lab::merged(input, more))
}

/// Each result as `id: minute=value …`.
fn shown(answer: &Value) -> Vec<String> {
    let results = answer["MetricDataResults"].as_array().unwrap().iter().map(|result| {
        let times = result["Timestamps"].as_array().unwrap().iter().map(|at| (at.as_i64().unwrap() - START) / 60);
        let values = result["Values"].as_array().unwrap();
        let points: Vec<String> = times.zip(values).map(|(minute, value)| format!("{minute}={value}")).collect();
        format!("{}: {} {}", result["Id"].as_str().unwrap(), points.join(" "), result["StatusCode"].as_str().unwrap())
    });
    results.collect()
}

#[test]
fn values_of_every_kind_become_statistics() {
    let lab = Lab::new();
    let dimensions = json!([{"Name": "Service", "Value": "web"}]);
    let put = |values: Value| {
        let datum =
            super::lab::merged(json!({"MetricName": "Time", "Dimensions": dimensions, "Unit": "Seconds"}), values);
        lab.call("PutMetricData", json!({"Namespace": "Test", "MetricData": [datum]}));
    };
    put(json!({"Value": 1}));
    put(json!({"Values": [2, 4], "Counts": [3, 1], "Timestamp": START + 59}));
    put(json!({"StatisticValues": {"SampleCount": 2, "Sum": 10, "Minimum": 3, "Maximum": 7}, "Timestamp": START + 60}));
    put(json!({"Value": 5, "Unit": "Milliseconds", "Timestamp": START + 60}));
    let statistics = |more: Value| {
        let base = json!({
            "Namespace": "Test", "MetricName": "Time", "Dimensions": dimensions, "Period": 60,
            "StartTime": START, "EndTime": START + 120,
        });
        lab.call("GetMetricStatistics", super::lab::merged(base, more))["Datapoints"].clone()
    };
    let wanted = json!([
        {"SampleCount": 5.0, "Average": 2.2, "Maximum": 4.0, "Timestamp": START, "Unit": "Seconds"},
        {"SampleCount": 1.0, "Average": 5.0, "Maximum": 5.0, "Timestamp": START + 60, "Unit": "Milliseconds"},
        {"SampleCount": 2.0, "Average": 5.0, "Maximum": 7.0, "Timestamp": START + 60, "Unit": "Seconds"},
    ]);
    assert_eq!(statistics(json!({"Statistics": ["SampleCount", "Average", "Maximum"]})), wanted);
    let percentiles = statistics(json!({"ExtendedStatistics": ["p50", "p99"], "Unit": "Seconds"}));
    assert_eq!(percentiles[0]["ExtendedStatistics"], json!({"p50": 2.0, "p99": 4.0}));
    assert_eq!(percentiles[1]["ExtendedStatistics"], json!({}), "of a statistic set no percentile is known");
}

#[test]
fn several_queries_and_math_at_once() {
    let lab = Lab::new();
    for value in [10.0, 20.0] {
        lab.put(value);
        lab.advance(60);
    }
    lab.advance(60);
    lab.put(40.0);
    let queries = json!([
        query("m1", json!({"Label": "load"})),
        query(
            "m2",
            json!({"ReturnData": false, "MetricStat": {
                "Metric": {"Namespace": "Test", "MetricName": "Load"}, "Period": 60, "Stat": "SampleCount",
            }})
        ),
        expression("e1", "FILL(m1, 0) / 10"),
        expression("e2", "e1 + m2"),
        query(
            "m3",
            json!({"MetricStat": {"Metric": {"Namespace": "Test", "MetricName": "None"}, "Period": 60, "Stat": "Sum"}})
        ),
    ]);
    let answer = data(&lab, 4, queries, json!({"ScanBy": "TimestampAscending"}));
    let wanted = [
        "m1: 0=10.0 1=20.0 3=40.0 Complete",
        "e1: 0=1.0 1=2.0 2=0.0 3=4.0 Complete",
        "e2: 0=2.0 1=3.0 3=5.0 Complete",
        "m3:  Complete",
    ];
    assert_eq!(shown(&answer), wanted);
    let labels = super::lab::texts(&answer["MetricDataResults"], "Label");
    assert_eq!(labels, ["load", "e1", "e2", "None"]);
    let newest_first = data(&lab, 4, json!([query("m1", json!({}))]), json!({}));
    assert_eq!(shown(&newest_first), ["m1: 3=40.0 1=20.0 0=10.0 Complete"]);
}

#[test]
fn pages_hold_every_point_once() {
    let lab = Lab::new();
    for value in [1.0, 2.0, 3.0] {
        lab.put(value);
        lab.advance(60);
    }
    let queries = json!([query("a", json!({})), query("b", json!({})), expression("c", "FILL(a, 0) * 0")]);
    let mut pages = Vec::new();
    let mut more = json!({"MaxDatapoints": 4, "ScanBy": "TimestampAscending"});
    loop {
        let answer = data(&lab, 3, queries.clone(), more.clone());
        pages.push(shown(&answer).join("; "));
        more["NextToken"] = answer["NextToken"].clone();
        if answer["NextToken"].is_null() {
            break;
        }
    }
    let wanted = [
        "a: 0=1.0 1=2.0 2=3.0 Complete; b: 0=1.0 PartialData",
        "b: 1=2.0 2=3.0 Complete; c: 0=0.0 1=0.0 PartialData",
        "c: 2=0.0 Complete",
    ];
    assert_eq!(pages, wanted);
}

#[test]
fn metrics_are_listed_by_filter_while_they_have_values() {
    let lab = Lab::new();
    let put = |name: &str, service: &str| {
        let dimensions = json!([{"Name": "Service", "Value": service}]);
        let datum = json!({"MetricName": name, "Dimensions": dimensions, "Value": 1});
        lab.call("PutMetricData", json!({"Namespace": "Test", "MetricData": [datum]}));
    };
    put("Load", "web");
    lab.advance(4 * 3600);
    put("Load", "worker");
    put("Time", "web");
    let listed = |filter: Value| -> Vec<String> {
        let answer = lab.call("ListMetrics", filter);
        let metrics = answer["Metrics"].as_array().unwrap().iter();
        metrics
            .map(|metric| format!("{} {}", metric["MetricName"], metric["Dimensions"][0]["Value"]).replace('"', ""))
            .collect()
    };
    let cases = [
        (json!({}), vec!["Load web", "Load worker", "Time web"]),
        (json!({"Namespace": "AWS/ECS"}), vec![]),
        (json!({"MetricName": "Load", "Dimensions": [{"Name": "Service"}]}), vec!["Load web", "Load worker"]),
        (json!({"Dimensions": [{"Name": "Service", "Value": "web"}]}), vec!["Load web", "Time web"]),
        (json!({"RecentlyActive": "PT3H"}), vec!["Load worker", "Time web"]),
    ];
    for (filter, wanted) in cases {
        assert_eq!(listed(filter.clone()), wanted, "{filter}");
    }
}
