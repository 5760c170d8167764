//! How alarms come to their states, and what is shown of them.

use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use super::lab::Lab;

#[test]
fn from_insufficient_data_through_alarm_to_ok() {
    let cases = [
        ("missing", "90 90 90 10 - - - - -", "? ? ALARM OK OK OK OK OK ?"),
        ("ignore", "90 90 90 - - - - - -", "? ? ALARM ALARM ALARM ALARM ALARM ALARM ALARM"),
        ("breaching", "10 - - - - -", "OK OK OK OK OK ALARM"),
        ("notBreaching", "90 90 90 - - - -", "OK OK ALARM ALARM ALARM OK OK"),
    ];
    for (missing, values, wanted) in cases {
        let lab = Lab::new();
        lab.alarm("a", json!({"TreatMissingData": missing}));
        assert_eq!(lab.minutes(values), wanted, "{missing}");
    }
}

#[test]
fn two_of_three_and_other_comparisons() {
    let cases = [
        (json!({"DatapointsToAlarm": 2}), "90 10 90 10 10", "? OK ALARM OK OK"),
        (json!({"EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold"}), "50 49 51", "OK ALARM OK"),
        (json!({"EvaluationPeriods": 1, "Statistic": null, "ExtendedStatistic": "p90"}), "50 51", "OK ALARM"),
        (json!({"EvaluationPeriods": 1, "Unit": "Percent", "TreatMissingData": "notBreaching"}), "90 90", "OK OK"),
        (json!({"EvaluationPeriods": 1, "Period": 120, "Statistic": "Sum"}), "20 20 40 40", "? OK OK ALARM"),
    ];
    for (settings, values, wanted) in cases {
        let lab = Lab::new();
        lab.alarm("a", settings.clone());
        assert_eq!(lab.minutes(values), wanted, "{settings}");
    }
}

#[test]
fn short_periods_are_evaluated_every_ten_seconds() {
    let lab = Lab::new();
    lab.alarm("a", json!({"Period": 20, "EvaluationPeriods": 2}));
    let mut states = Vec::new();
    for value in [90.0, 90.0, 90.0, 90.0, 10.0, 10.0] {
        lab.put(value);
        lab.advance(10);
        states.push(lab.state("a"));
    }
    // The period from 0:40 to 1:00 ends with the sixth value.
    assert_eq!(states, ["?", "?", "?", "ALARM", "ALARM", "OK"]);
}

#[test]
fn an_alarm_on_metric_math() {
    let lab = Lab::new();
    let load = json!({
        "Id": "load", "ReturnData": false,
        "MetricStat": {"Metric": {"Namespace": "Test", "MetricName": "Load"}, "Period": 60, "Stat": "Sum"},
    });
    let expression = json!({"Id": "e1", "Expression": "FILL(load, 0) * 2", "Label": "twice"});
    let alone = json!({
        "Metrics": [load, expression], "EvaluationPeriods": 1,
        "Namespace": null, "MetricName": null, "Statistic": null, "Period": null,
    });
    lab.alarm("a", alone);
    assert_eq!(lab.minutes("25 26 - 30"), "OK ALARM OK ALARM");
    let described = lab.described("a");
    assert_eq!(
        described["Metrics"][1],
        json!({"Id": "e1", "Expression": "FILL(load, 0) * 2", "Label": "twice", "ReturnData": true})
    );
    assert_eq!(described["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"], json!([]));
    assert_eq!(described.get("MetricName"), None);
}

#[test]
fn what_is_shown_of_an_alarm() {
    let lab = Lab::new();
    let settings = json!({
        "AlarmDescription": "too much", "Dimensions": [], "DatapointsToAlarm": 1, "EvaluationPeriods": 1, "Unit": "None",
    });
    lab.alarm("a", settings);
    let new = lab.described("a");
    assert_eq!(new["StateReason"], "Unchecked: Initial alarm creation");
    assert_eq!((new.get("StateReasonData"), new.get("TreatMissingData")), (None, None));
    lab.minutes("90");
    let wanted = json!({
        "AlarmName": "a",
        "ActionsEnabled": true,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "EvaluationPeriods": 1,
        "Threshold": 50.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmDescription": "too much",
        "DatapointsToAlarm": 1,
        "Namespace": "Test",
        "MetricName": "Load",
        "Dimensions": [],
        "Period": 60,
        "Unit": "None",
        "Statistic": "Average",
        "AlarmArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:a",
        "AlarmConfigurationUpdatedTimestamp": 1_790_000_040.0,
        "StateValue": "ALARM",
        "StateReason": "Threshold Crossed: 1 out of the last 1 datapoints [90.0 (21/09/26 14:14:00)] was greater than the \
            threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
        "StateReasonData": "{\"version\":\"1.0\",\"queryDate\":\"2026-09-21T14:15:00.000+0000\",\
            \"startDate\":\"2026-09-21T14:14:00.000+0000\",\"statistic\":\"Average\",\"unit\":\"None\",\"period\":60,\
            \"recentDatapoints\":[90.0],\"threshold\":50.0,\
            \"evaluatedDatapoints\":[{\"timestamp\":\"2026-09-21T14:14:00.000+0000\",\"value\":90.0}]}",
        "StateUpdatedTimestamp": 1_790_000_100.0,
        "StateTransitionedTimestamp": 1_790_000_100.0,
    });
    assert_eq!(lab.described("a"), wanted);
}

#[test]
fn the_same_configuration_again_changes_nothing_and_another_keeps_the_state() {
    let lab = Lab::new();
    let tagged = |value: &str| json!({"EvaluationPeriods": 1, "Tags": [{"Key": "app", "Value": value}]});
    lab.alarm("a", tagged("one"));
    lab.minutes("90");
    let before = lab.described("a");
    lab.alarm("a", tagged("two"));
    assert_eq!(lab.described("a"), before);
    lab.advance(20);
    lab.alarm("a", json!({"EvaluationPeriods": 1, "Threshold": 95}));
    let after = lab.described("a");
    assert_eq!(after["StateValue"], "ALARM");
    assert_eq!(after["StateUpdatedTimestamp"], before["StateUpdatedTimestamp"]);
    assert_eq!(after["AlarmConfigurationUpdatedTimestamp"], json!(1_790_000_120.0));
    let tags = lab.call("ListTagsForResource", json!({"ResourceARN": before["AlarmArn"]}));
    assert_eq!(tags, json!({"Tags": [{"Key": "app", "Value": "one"}]}));
    assert_eq!(
        lab.history("a"),
        ["Alarm \"a\" updated", "Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm \"a\" created"]
    );
}

#[test]
fn filters_and_pages() {
    let lab = Lab::new();
    for name in ["web-high", "web-low", "worker"] {
        lab.alarm(name, json!({"AlarmActions": [format!("arn:aws:sns:us-west-2:123456789012:{name}")]}));
    }
    lab.call("SetAlarmState", json!({"AlarmName": "web-low", "StateValue": "OK", "StateReason": "test"}));
    let cases = [
        (json!({}), vec!["web-high", "web-low", "worker"]),
        (json!({"AlarmNames": ["worker", "missing"]}), vec!["worker"]),
        (json!({"AlarmNamePrefix": "web-"}), vec!["web-high", "web-low"]),
        (json!({"StateValue": "OK"}), vec!["web-low"]),
        (json!({"ActionPrefix": "arn:aws:sns:us-west-2:123456789012:wor"}), vec!["worker"]),
        (json!({"AlarmTypes": ["CompositeAlarm"]}), vec![]),
        (json!({"MaxRecords": 2}), vec!["web-high", "web-low"]),
        (json!({"MaxRecords": 2, "NextToken": "web-low"}), vec!["worker"]),
    ];
    for (filter, wanted) in cases {
        assert_eq!(lab.found(filter.clone()), wanted, "{filter}");
    }
    assert_eq!(lab.call("DescribeAlarms", json!({"MaxRecords": 2}))["NextToken"], "web-low");
    let metric = json!({"Namespace": "Test", "MetricName": "Load", "Statistic": "Average", "Period": 60});
    let of_metric = lab.call("DescribeAlarmsForMetric", metric);
    assert_eq!(of_metric["MetricAlarms"].as_array().map(Vec::len), Some(3));
    let other = json!({"Namespace": "Test", "MetricName": "Load", "Dimensions": [{"Name": "a", "Value": "b"}]});
    assert_eq!(lab.call("DescribeAlarmsForMetric", other), json!({"MetricAlarms": []}));
}

#[test]
fn history_is_paged_filtered_and_outlives_the_alarm() {
    let lab = Lab::new();
    lab.alarm("a", json!({"EvaluationPeriods": 1}));
    lab.alarm("b", json!({}));
    lab.minutes("90 10");
    lab.call("DeleteAlarms", json!({"AlarmNames": ["a", "missing"]}));
    let all = [
        "Alarm \"a\" deleted",
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm \"a\" created",
    ];
    assert_eq!(lab.history("a"), all);
    let mut paged = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut input = json!({"AlarmName": "a", "MaxRecords": 3});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = lab.call("DescribeAlarmHistory", input);
        paged.extend(super::lab::texts(&page["AlarmHistoryItems"], "HistorySummary"));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(paged, all);
    let filter = json!({"HistoryItemType": "StateUpdate", "ScanBy": "TimestampAscending", "EndDate": 1_790_000_100});
    let updates = lab.call("DescribeAlarmHistory", filter);
    assert_eq!(super::lab::texts(&updates["AlarmHistoryItems"], "HistorySummary"), [all[2]]);
    let data: Value = serde_json::from_str(updates["AlarmHistoryItems"][0]["HistoryData"].as_str().unwrap()).unwrap();
    assert_eq!(data["oldState"]["stateValue"], "INSUFFICIENT_DATA");
    assert_eq!(data["newState"]["stateReasonData"]["recentDatapoints"], json!([90.0]));
}

#[test]
fn alarms_are_tagged_by_their_own_calls_and_by_the_tagging_api() {
    let lab = Lab::new();
    lab.alarm("a", json!({"Tags": [{"Key": "app", "Value": "one"}]}));
    let arn = lab.described("a")["AlarmArn"].clone();
    let tagging = |operation: &str, input: Value| lab.cloud.call(Service::Tagging, operation, input).unwrap();
    tagging("TagResources", json!({"ResourceARNList": [arn], "Tags": {"team": "x"}}));
    lab.call("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "app", "Value": "two"}]}));
    let found = tagging("GetResources", json!({"ResourceTypeFilters": ["cloudwatch:alarm"]}));
    let tags = json!([{"Key": "app", "Value": "two"}, {"Key": "team", "Value": "x"}]);
    assert_eq!(found["ResourceTagMappingList"], json!([{"ResourceARN": arn, "Tags": tags}]));
    lab.call("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["app"]}));
    tagging("UntagResources", json!({"ResourceARNList": [arn], "TagKeys": ["team"]}));
    assert_eq!(lab.call("ListTagsForResource", json!({"ResourceARN": arn})), json!({"Tags": []}));
}
