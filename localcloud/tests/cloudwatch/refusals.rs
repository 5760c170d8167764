//! What is refused, and in which words.

use serde_json::{Value, json};

use super::lab::{Lab, START, merged};

#[test]
fn alarms_that_cannot_be() {
    let lab = Lab::new();
    let base = json!({
        "AlarmName": "a", "Namespace": "Test", "MetricName": "Load", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 3, "Threshold": 50, "ComparisonOperator": "GreaterThanThreshold",
    });
    let math = |queries: Value| json!({"Metrics": queries, "Namespace": null, "MetricName": null, "Statistic": null, "Period": null});
    let cases = [
        (json!({"Period": 45}), "ValidationError: The period 45 is invalid"),
        (json!({"EvaluationPeriods": 1441}), "ValidationError: Metrics cannot be checked across more than a day"),
        (json!({"EvaluationPeriods": null}), "MissingParameter: The parameter EvaluationPeriods is required."),
        (json!({"Threshold": null}), "MissingParameter: The parameter Threshold is required."),
        (json!({"Period": null}), "MissingParameter: The parameter Period is required."),
        (json!({"DatapointsToAlarm": 4}), "ValidationError: DatapointsToAlarm must be less than or equal"),
        (json!({"TreatMissingData": "zero"}), "ValidationError: The value 'zero' of TreatMissingData is not one of"),
        (json!({"ExtendedStatistic": "p99"}), "InvalidParameterCombination: Exactly one of"),
        (json!({"Statistic": null, "ExtendedStatistic": "p101"}), "InvalidParameterValue: The value p101"),
        (
            json!({"Statistic": null, "ExtendedStatistic": "tm99"}),
            "NotImplemented: the local cloud does not implement the statistic tm99",
        ),
        (
            json!({"ComparisonOperator": "GreaterThanUpperThreshold"}),
            "NotImplemented: the local cloud does not implement alarms on",
        ),
        (json!({"AlarmActions": ["stop"]}), "ValidationError: Invalid arn syntax: stop"),
        (
            json!({"AlarmActions": ["arn:aws:automate:us-west-2:ec2:stop"]}),
            "NotImplemented: the local cloud does not implement the alarm action",
        ),
        (
            json!({"WarmUpConfiguration": {}}),
            "NotImplemented: the local cloud does not implement cloudwatch PutMetricAlarm with unknown field `WarmUpConfiguration`",
        ),
        (json!({"Metrics": []}), "InvalidParameterCombination: With Metrics"),
        (math(json!([])), "ValidationError: Exactly one element of the metrics list should return data."),
        (math(json!([{"Id": "E1", "Expression": "1"}])), "ValidationError: The query id 'E1' must begin"),
        (
            math(json!([{"Id": "e1", "Expression": "FLY(1)"}])),
            "ValidationError: Error in expression 'e1': the local cloud does not know the function FLY",
        ),
        (math(json!([{"Id": "e1", "Expression": "m1 *"}])), "ValidationError: Error in expression 'e1': it ends where"),
        (
            math(json!([{"Id": "e1", "Expression": "m1"}])),
            "ValidationError: Error in expression 'e1': 'm1' is no other query's id",
        ),
        (math(json!([{"Id": "e1"}])), "ValidationError: The query 'e1' must have either MetricStat or Expression."),
        (
            math(json!([{"Id": "e1", "Expression": "1"}, {"Id": "e1", "Expression": "1"}])),
            "ValidationError: The query id 'e1' is not unique.",
        ),
    ];
    for (settings, wanted) in cases {
        let error = lab.refused("PutMetricAlarm", merged(base.clone(), settings.clone()));
        assert!(error.starts_with(wanted), "{settings}: {error}");
    }
    assert_eq!(lab.found(json!({})), Vec::<String>::new());
}

#[test]
fn values_that_cannot_be() {
    let lab = Lab::new();
    let cases = [
        (json!({}), "InvalidParameterCombination: For the metric m exactly one of"),
        (json!({"Value": 1, "Values": [1]}), "InvalidParameterCombination: For the metric m exactly one of"),
        (json!({"Value": 1e109}), "InvalidParameterValue: The value 1"),
        (json!({"Values": [1, 2], "Counts": [1]}), "InvalidParameterCombination: The parameters Values and Counts"),
        (json!({"Values": [1], "Counts": [0]}), "InvalidParameterValue: The parameter Counts must"),
        (json!({"Values": vec![1; 151]}), "InvalidParameterValue: The collection Values must not"),
        (
            json!({"Value": 1, "StorageResolution": 30}),
            "InvalidParameterValue: The value 30 for parameter StorageResolution",
        ),
        (
            json!({"Value": 1, "Timestamp": START + 7201}),
            "InvalidParameterValue: The parameter MetricData.member.Timestamp",
        ),
        (
            json!({"Value": 1, "Timestamp": START - 14 * 86_400 - 1}),
            "InvalidParameterValue: The parameter MetricData.member.Timestamp",
        ),
        (
            json!({"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}}),
            "InvalidParameterValue: The parameter SampleCount",
        ),
    ];
    for (datum, wanted) in cases {
        let good = json!({"MetricName": "good", "Value": 1});
        let input =
            json!({"Namespace": "Test", "MetricData": [good, merged(json!({"MetricName": "m"}), datum.clone())]});
        let error = lab.refused("PutMetricData", input);
        assert!(error.starts_with(wanted), "{datum}: {error}");
    }
    let aws = lab.refused("PutMetricData", json!({"Namespace": "AWS/ECS", "MetricData": []}));
    assert_eq!(aws, "InvalidParameterValue: The value AWS/ECS for parameter Namespace is invalid.");
    assert_eq!(lab.call("ListMetrics", json!({}))["Metrics"], json!([]), "a request is taken as a whole or not at all");
}

#[test]
fn reads_that_aws_refuses() {
    let lab = Lab::new();
    let base = json!({
        "Namespace": "Test", "MetricName": "Load", "Statistics": ["Sum"], "Period": 60,
        "StartTime": START - 3600, "EndTime": START,
    });
    let cases = [
        (
            json!({"Period": 45}),
            "InvalidParameterValue: The value 45 for parameter Period is invalid: it is 1, 5, 10, 20, 30",
        ),
        (
            json!({"Period": 30, "StartTime": START - 4 * 3600}),
            "InvalidParameterValue: The value 30 for parameter Period is invalid: for a start time 3 hours",
        ),
        (
            json!({"Period": 60, "StartTime": START - 16 * 86_400}),
            "InvalidParameterValue: The value 60 for parameter Period is invalid: for a start time 15",
        ),
        (
            json!({"Period": 300, "StartTime": START - 64 * 86_400}),
            "InvalidParameterValue: The value 300 for parameter Period is invalid: for a start time 63",
        ),
        (json!({"StartTime": START}), "ValidationError: The parameter StartTime must be less than"),
        (
            json!({"StartTime": START - 60 * 1441}),
            "InvalidParameterCombination: You have requested up to 1441 datapoints, which exceeds",
        ),
        (json!({"Statistics": []}), "InvalidParameterCombination: Exactly one of"),
        (json!({"ExtendedStatistics": ["p50"]}), "InvalidParameterCombination: Exactly one of"),
    ];
    for (settings, wanted) in cases {
        let error = lab.refused("GetMetricStatistics", merged(base.clone(), settings.clone()));
        assert!(error.starts_with(wanted), "{settings}: {error}");
    }
    let touching = json!({"StartTime": START - 60 * 1440 + 30, "EndTime": START + 30});
    lab.call("GetMetricStatistics", merged(base, touching));
    let data = |query: Value| {
        let input = json!({"StartTime": START - 60, "EndTime": START, "MetricDataQueries": [query]});
        lab.refused("GetMetricData", input)
    };
    assert!(data(json!({"Id": "a", "Expression": "m1"})).starts_with("ValidationError: Error in expression 'a'"));
    let search = data(json!({"Id": "a", "Expression": "SEARCH('x', 'Sum')"}));
    assert_eq!(search, "ValidationError: Error in expression 'a': the local cloud does not know the function SEARCH");
}

#[test]
fn what_is_not_there() {
    let lab = Lab::new();
    let cases = [
        ("SetAlarmState", json!({"AlarmName": "a", "StateValue": "OK", "StateReason": "r"}), "ResourceNotFound: "),
        (
            "ListTagsForResource",
            json!({"ResourceARN": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:a"}),
            "ResourceNotFoundException: The alarm",
        ),
        ("DescribeAlarms", json!({"NextToken": "x"}), "InvalidNextToken: The next token is not valid."),
        (
            "DescribeAlarms",
            json!({"AlarmNames": [], "AlarmNamePrefix": "x"}),
            "ValidationError: AlarmNames and AlarmNamePrefix",
        ),
        ("DescribeAlarmHistory", json!({"NextToken": "x"}), "InvalidNextToken: The next token is not valid."),
        ("ListMetrics", json!({"NextToken": "x"}), "InvalidParameterValue: The parameter NextToken"),
        (
            "PutCompositeAlarm",
            json!({}),
            "NotImplemented: the local cloud does not implement cloudwatch PutCompositeAlarm",
        ),
    ];
    for (operation, input, wanted) in cases {
        let error = lab.refused(operation, input);
        assert!(error.starts_with(wanted), "{operation}: {error}");
    }
    lab.alarm("a", json!({}));
    let set = json!({"AlarmName": "a", "StateValue": "OK", "StateReason": "r", "StateReasonData": "{"});
    assert_eq!(lab.refused("SetAlarmState", set), "InvalidFormat: StateReasonData is not valid JSON.");
    assert_eq!(lab.call("DeleteAlarms", json!({"AlarmNames": ["missing"]})), json!({}));
}
