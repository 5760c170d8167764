//! Policies act: metrics go in, minutes pass, counts and activities come out.

use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use crate::scene::Scene;

#[test]
fn trap_11_and_12_target_tracking_scales_out_on_metrics_and_in_after_fifteen_low_minutes() {
    let scene = Scene::new(2);
    scene.register(1, 10);
    let alarms = scene.track("load", 100.0, json!({}));
    scene.minutes(2, &[("load", 150.0)]);
    assert_eq!((scene.desired(), scene.state(&alarms[0]).as_str()), (2, "INSUFFICIENT_DATA"));
    scene.minutes(1, &[("load", 150.0)]);
    assert_eq!((scene.desired(), scene.state(&alarms[0]).as_str()), (3, "ALARM"));
    scene.until_fulfilled();
    scene.minutes(14, &[("load", 50.0)]);
    assert_eq!(scene.desired(), 3, "fourteen low minutes are too few");
    scene.minutes(3, &[("load", 50.0)]);
    scene.until_fulfilled();
    assert_eq!(scene.desired(), 2);
    insta::assert_snapshot!(scene.activities().join("\n"), @r"
    Successful: Setting desired count to 3. monitor alarm TargetTracking-service/interstella/worker-AlarmHigh in state ALARM triggered policy load
    Successful: Setting desired count to 2. monitor alarm TargetTracking-service/interstella/worker-AlarmLow in state ALARM triggered policy load
    ");
}

#[test]
fn nothing_scales_in_on_missing_data() {
    let scene = Scene::new(3);
    scene.register(1, 10);
    let alarms = scene.track("load", 100.0, json!({}));
    scene.minutes(14, &[("load", 10.0)]);
    scene.advance(1_800.0);
    assert_eq!((scene.desired(), scene.state(&alarms[1]).as_str()), (3, "INSUFFICIENT_DATA"));
}

#[test]
fn the_largest_capacity_wins() {
    let scene = Scene::new(2);
    scene.register(1, 10);
    scene.track("cpu", 50.0, json!({}));
    scene.track("requests", 100.0, json!({}));
    scene.minutes(3, &[("cpu", 60.0), ("requests", 250.0)]);
    assert_eq!(scene.desired(), 5);
}

#[test]
fn scale_in_needs_all_policies_to_agree() {
    let scene = Scene::new(4);
    scene.register(1, 10);
    let cpu = scene.track("cpu", 50.0, json!({}));
    scene.track("requests", 100.0, json!({}));
    scene.minutes(20, &[("cpu", 10.0), ("requests", 95.0)]);
    assert_eq!((scene.desired(), scene.state(&cpu[1]).as_str()), (4, "ALARM"));
    scene.minutes(17, &[("cpu", 10.0), ("requests", 40.0)]);
    assert_eq!(scene.desired(), 2, "the larger need of the two");
}

#[test]
fn trap_13_no_scale_in_while_a_deployment_runs_but_scale_out() {
    let scene = Scene::new(4);
    scene.register(1, 10);
    scene.track("load", 100.0, json!({}));
    scene.minutes(14, &[("load", 10.0)]);
    // A revision whose image cannot be pulled keeps the deployment going.
    let container = json!({"name": "worker", "image": "absent", "memoryReservation": 128});
    let role = "arn:aws:iam::123456789012:role/execution";
    scene.ecs(
        "RegisterTaskDefinition",
        json!({"family": "worker", "executionRoleArn": role, "containerDefinitions": [container]}),
    );
    scene.update(json!({"taskDefinition": "worker"}));
    scene.minutes(6, &[("load", 10.0)]);
    assert_eq!(scene.desired(), 4);
    scene.minutes(4, &[("load", 150.0)]);
    assert_eq!(scene.desired(), 6);
}

#[test]
fn trap_13_the_bounds_hold_and_an_activity_says_so_once() {
    let scene = Scene::new(2);
    scene.register(1, 3);
    scene.track("load", 100.0, json!({}));
    scene.minutes(3, &[("load", 900.0)]);
    scene.until_fulfilled();
    scene.minutes(6, &[("load", 900.0)]);
    assert_eq!(scene.desired(), 3);
    assert_eq!(
        scene.activities(),
        [
            "Successful: Setting desired count to 3. monitor alarm \
             TargetTracking-service/interstella/worker-AlarmHigh in state ALARM triggered policy load",
            "Failed: Attempting to scale due to alarm triggered monitor alarm \
             TargetTracking-service/interstella/worker-AlarmHigh in state ALARM triggered policy load \
             (AlreadyAtMaxCapacity)",
        ]
    );
    let all = scene.call("DescribeScalingActivities", json!({"IncludeNotScaledActivities": true}));
    let reasons = &all["ScalingActivities"][0]["NotScaledReasons"];
    assert_eq!(reasons, &json!([{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}]));
    assert_eq!(scene.messages().len(), 1, "only where they are asked for");
}

#[test]
fn trap_13_a_cooldown_begins_with_the_activitys_success() {
    let scene = Scene::new(2);
    scene.register(1, 10);
    scene.track("load", 100.0, json!({"ScaleOutCooldown": 240}));
    scene.minutes(3, &[("load", 150.0)]);
    assert_eq!(scene.desired(), 3);
    scene.until_fulfilled();
    // The same load is what the scale-out was for; a larger one is not.
    scene.minutes(2, &[("load", 150.0)]);
    assert_eq!(scene.desired(), 3);
    scene.minutes(1, &[("load", 250.0)]);
    assert_eq!(scene.desired(), 5);
    scene.until_fulfilled();
    scene.minutes(5, &[("load", 120.0)]);
    assert_eq!(scene.desired(), 6, "after the cooldown it counts from what is");
}

#[test]
fn what_is_suspended_does_not_happen() {
    let scene = Scene::new(4);
    scene.register(1, 10);
    scene.track("load", 100.0, json!({}));
    let suspend = |scale_in: bool, scale_out: bool| {
        let state = json!({"DynamicScalingInSuspended": scale_in, "DynamicScalingOutSuspended": scale_out});
        scene.call("RegisterScalableTarget", json!({"SuspendedState": state}));
    };
    suspend(false, true);
    scene.minutes(5, &[("load", 150.0)]);
    assert_eq!(scene.desired(), 4);
    suspend(true, false);
    scene.minutes(1, &[("load", 150.0)]);
    assert_eq!(scene.desired(), 6, "an alarm still in ALARM acts once it may");
    scene.minutes(20, &[("load", 10.0)]);
    assert_eq!(scene.desired(), 6);
    suspend(false, false);
    scene.minutes(1, &[("load", 10.0)]);
    assert!(scene.desired() < 6);
}

#[test]
fn a_step_policy_acts_on_the_users_alarm() {
    let scene = Scene::new(2);
    scene.register(1, 10);
    let steps = json!([
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 50.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 50.0, "ScalingAdjustment": 4},
    ]);
    let configuration = json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps, "Cooldown": 600});
    let put =
        json!({"PolicyName": "steps", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration});
    let arn = scene.call("PutScalingPolicy", put)["PolicyARN"].clone();
    put_alarm(&scene, &arn);
    scene.minutes(1, &[("load", 120.0)]);
    assert_eq!(scene.desired(), 3);
    scene.until_fulfilled();
    scene.minutes(2, &[("load", 120.0)]);
    assert_eq!(scene.desired(), 3, "the same step within the cooldown");
    scene.minutes(1, &[("load", 160.0)]);
    assert_eq!(scene.desired(), 6, "a bigger step adds the difference");
    assert!(scene.activities()[0].ends_with("monitor alarm mine in state ALARM triggered policy steps"));
}

fn put_alarm(scene: &Scene, action: &Value) {
    let alarm = json!({"AlarmName": "mine", "Namespace": "Test", "MetricName": "load", "Statistic": "Average",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 100.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [action]});
    scene.ok(Service::CloudWatch, "PutMetricAlarm", alarm);
}

#[test]
fn a_count_set_by_hand_is_answered_by_auto_scaling() {
    let scene = Scene::new(2);
    scene.register(1, 10);
    scene.track("load", 100.0, json!({}));
    scene.set_by_hand(8);
    scene.minutes(17, &[("load", 20.0)]);
    assert_eq!(scene.desired(), 2);
}
