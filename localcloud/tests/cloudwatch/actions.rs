//! Whom alarms tell of their states.

use interstella_localcloud::call::Service;
use interstella_localcloud::cloudwatch;
use interstella_localcloud::event::Event;
use interstella_localcloud::runtime::model::Model;
use serde_json::{Value, json};

use super::lab::Lab;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:alarms";
const POLICY: &str = "arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:1:resource/ecs/service/c/s:policyName/p";

/// A lab with a topic whose messages go to a queue, carried there by the `model` runtime.
fn with_topic() -> Lab {
    let lab = Lab::with(Box::new(Model::default()));
    let ok = |service, operation: &str, input: Value| lab.cloud.call(service, operation, input).unwrap();
    ok(Service::Sns, "CreateTopic", json!({"Name": "alarms"}));
    ok(Service::Sqs, "CreateQueue", json!({"QueueName": "alarms"}));
    let attributes = json!({"RawMessageDelivery": "true"});
    let queue = "arn:aws:sqs:us-west-2:123456789012:alarms";
    let input = json!({"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": queue, "Attributes": attributes});
    ok(Service::Sns, "Subscribe", input);
    lab
}

/// Every message of the queue.
fn messages(lab: &Lab) -> Vec<Value> {
    let input = json!({"QueueUrl": "http://127.0.0.1:4566/123456789012/alarms", "MaxNumberOfMessages": 10});
    let answer = lab.cloud.call(Service::Sqs, "ReceiveMessage", input).unwrap();
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()).collect()
}

#[test]
fn a_topic_hears_of_changes_only() {
    let lab = with_topic();
    lab.alarm("a", json!({"EvaluationPeriods": 1, "AlarmActions": [TOPIC], "OKActions": [TOPIC]}));
    assert_eq!(lab.minutes("90 90 90 10 10"), "ALARM ALARM ALARM OK OK");
    let messages = messages(&lab);
    let states: Vec<_> =
        messages.iter().map(|message| (&message["OldStateValue"], &message["NewStateValue"])).collect();
    assert_eq!(states, [(&json!("INSUFFICIENT_DATA"), &json!("ALARM")), (&json!("ALARM"), &json!("OK"))]);
    let first = json!({
        "AlarmName": "a",
        "AlarmDescription": null,
        "AWSAccountId": "123456789012",
        "AlarmConfigurationUpdatedTimestamp": "2026-09-21T14:14:00.000+0000",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [90.0 (21/09/26 14:14:00)] was greater than the \
            threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
        "StateChangeTime": "2026-09-21T14:15:00.000+0000",
        "Region": "US West (Oregon)",
        "AlarmArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:a",
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [TOPIC],
        "AlarmActions": [TOPIC],
        "InsufficientDataActions": [],
        "Trigger": {
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 50.0,
            "TreatMissingData": "",
            "EvaluateLowSampleCountPercentile": "",
            "MetricName": "Load",
            "Namespace": "Test",
            "StatisticType": "Statistic",
            "Statistic": "AVERAGE",
            "Unit": null,
            "Dimensions": [],
        },
    });
    assert_eq!(messages[0], first);
    assert_eq!(
        lab.history("a").iter().filter(|item| **item == format!("Successfully executed action {TOPIC}")).count(),
        2
    );
}

/// Actions that an evaluation at this moment invokes.
fn invoked(lab: &Lab) -> Vec<(String, Vec<f64>)> {
    let events = lab.cloud.with_world(|world, now| {
        cloudwatch::evaluate(world, now);
        std::mem::take(&mut world.events)
    });
    let shown = events.into_iter().map(|event| match event {
        Event::AlarmAction(action) => (action.action_arn, action.datapoints.iter().map(|(_, value)| *value).collect()),
        other => panic!("not an alarm's action: {other:?}"),
    });
    shown.collect()
}

#[test]
fn a_policy_hears_every_minute_while_the_alarm_stays() {
    let lab = with_topic();
    lab.alarm("a", json!({"EvaluationPeriods": 1, "AlarmActions": [POLICY, TOPIC]}));
    lab.minutes("90");
    lab.put(91.0);
    lab.advance(30);
    assert_eq!(invoked(&lab), [], "half a minute is no evaluation");
    lab.advance(30);
    assert_eq!(invoked(&lab), [(POLICY.to_owned(), vec![91.0])]);
    lab.call("DisableAlarmActions", json!({"AlarmNames": ["a"]}));
    assert_eq!(lab.described("a")["ActionsEnabled"], false);
    assert_eq!(lab.minutes("92"), "ALARM");
    assert_eq!(invoked(&lab), [], "actions are disabled");
    lab.call("EnableAlarmActions", json!({"AlarmNames": ["a"]}));
    assert_eq!(invoked(&lab), [(POLICY.to_owned(), vec![92.0])]);
}

#[test]
fn a_state_that_was_set_acts_and_lasts_until_the_next_evaluation() {
    let lab = with_topic();
    lab.alarm("a", json!({"EvaluationPeriods": 1, "AlarmActions": [TOPIC]}));
    assert_eq!(lab.minutes("10"), "OK");
    let data = json!({"recentDatapoints": [70.0, 80.0]}).to_string();
    let set = json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "a drill", "StateReasonData": data});
    lab.call("SetAlarmState", set);
    let described = lab.described("a");
    assert_eq!((&described["StateReason"], &described["StateReasonData"]), (&json!("a drill"), &json!(data)));
    let datapoints = lab.cloud.with_world(|world, _| cloudwatch::alarm(world, "a").unwrap().datapoints.clone());
    assert_eq!(
        datapoints.iter().map(|(at, value)| (at.as_second() - lab.now(), *value)).collect::<Vec<_>>(),
        [(-120, 70.0), (-60, 80.0)]
    );
    assert_eq!(messages(&lab).len(), 1);
    assert_eq!(lab.minutes("10"), "OK");
}
