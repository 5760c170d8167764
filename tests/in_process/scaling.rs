//! Whose the count of tasks is: auto scaling's while the manifest has `scaling`, and the manifest's again afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use interstella_localcloud::call::Service;
use interstella_localcloud::elb::{Counts, Traffic};
use serde_json::{Value, json};

use crate::lab::{Lab, MANIFEST};
use crate::state;
use crate::workload::{edited, rest, scaled};

/// As many requests as the test says, to every target group.
#[derive(Default)]
struct Told(AtomicU64);

impl Traffic for Told {
    fn counts(&self, _target_group_arn: &str) -> Counts {
        Counts { requests: self.0.load(Ordering::Relaxed), ..Counts::default() }
    }
}

async fn converged(manifest: &str) -> (Lab, Arc<Told>) {
    let lab = Lab::new().await;
    let told = Arc::new(Told::default());
    lab.cloud.with_world(|world, _| world.elb.count_with(Arc::<Told>::clone(&told)));
    lab.converge(manifest).await;
    (lab, told)
}

fn desired_count(lab: &Lab) -> u64 {
    let input = json!({"cluster": "interstella", "services": ["monolith"]});
    lab.call(Service::Ecs, "DescribeServices", input)["services"][0]["desiredCount"].as_u64().unwrap()
}

fn set_by_hand(lab: &Lab, count: u64) {
    let input = json!({"cluster": "interstella", "service": "monolith", "desiredCount": count});
    lab.call(Service::Ecs, "UpdateService", input);
}

fn target(lab: &Lab) -> Value {
    let targets =
        lab.call(Service::ApplicationAutoScaling, "DescribeScalableTargets", json!({"ServiceNamespace": "ecs"}));
    targets["ScalableTargets"][0].clone()
}

#[tokio::test]
async fn two_hundred_passes_while_the_count_moves_change_nothing() {
    let (lab, told) = converged(&scaled()).await;
    let mut controller = lab.controller(lab.present(&scaled()));
    let before = lab.cloud.journal.last();
    let mut counts = Vec::new();
    for pass in 0..200 {
        told.0.fetch_add(if pass < 60 { 100 } else { 5 }, Ordering::Relaxed);
        let outcome = controller.pass().await;
        assert_eq!(outcome.plan.unwrap().to_string(), "nothing to do\n", "pass {pass}");
        counts.push(desired_count(&lab));
    }
    assert_eq!(lab.mutations(before), Vec::<String>::new());
    assert!(counts.iter().max() > Some(&4), "{counts:?}");
    assert_eq!(counts.last(), Some(&1), "{counts:?}");
}

#[tokio::test]
async fn a_count_set_by_hand_is_answered_by_auto_scaling() {
    let (lab, _told) = converged(&scaled()).await;
    let mut controller = lab.controller(lab.present(&scaled()));
    set_by_hand(&lab, 6);
    let before = lab.cloud.journal.last();
    controller.pass_times(3).await;
    assert_eq!(desired_count(&lab), 6, "the controller leaves it");
    controller.pass_times(40).await;
    assert_eq!(desired_count(&lab), 1, "without requests it scales in");
    assert_eq!(lab.mutations(before), Vec::<String>::new());
}

#[tokio::test]
async fn without_scaling_the_declared_count_returns_at_once() {
    let (lab, _told) = converged(&scaled()).await;
    set_by_hand(&lab, 5);
    let before = lab.cloud.journal.last();
    let mut controller = lab.controller(lab.present(MANIFEST));
    let (outcome, wait) = controller.pass_only().await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(plan.contains("desiredCount goes from 5 to 1 once its scalable target is gone"), "{plan}");
    assert!(wait.as_secs() < 1, "the next pass comes at once, not after {wait:?}");
    lab.cloud.advance(wait);
    controller.pass_only().await;
    assert_eq!(desired_count(&lab), 1);
    let calls = lab.mutations(before);
    let place = |operation: &str| calls.iter().position(|call| call.contains(operation)).unwrap();
    assert!(place("DeregisterScalableTarget") < place("UpdateService"), "{calls:#?}");
}

#[tokio::test]
async fn scaling_added_leaves_the_count() {
    let three = |manifest: &str| edited(manifest, &[("  desiredCount: 1", "  desiredCount: 3")]);
    let (lab, _told) = converged(&three(MANIFEST)).await;
    let before = lab.cloud.journal.last();
    let mut controller = lab.controller(lab.present(&three(&scaled())));
    for _ in 0..5 {
        controller.pass_only().await;
        assert_eq!(desired_count(&lab), 3);
    }
    let mut calls = lab.mutations(before);
    calls.sort();
    let wanted = [
        "application-autoscaling:PutScalingPolicy Ok",
        "application-autoscaling:PutScalingPolicy Ok",
        "application-autoscaling:PutScheduledAction Ok",
        "application-autoscaling:RegisterScalableTarget Ok",
        "monitoring:PutMetricAlarm Ok",
    ];
    assert_eq!(calls, wanted);
}

#[tokio::test]
async fn bounds_that_a_schedule_has_set_are_no_drift_and_others_are() {
    let often = edited(&scaled(), &[("at(2030-01-01T00:00:00)", "rate(5 minutes)")]);
    let (lab, _told) = converged(&often).await;
    let mut controller = lab.controller(lab.present(&often));
    let before = lab.cloud.journal.last();
    controller.pass_times(10).await;
    assert_eq!((target(&lab)["MinCapacity"].clone(), desired_count(&lab)), (json!(4), 4), "the schedule has fired");
    assert_eq!(lab.mutations(before), Vec::<String>::new());
    let mut edit = target(&lab);
    edit.as_object_mut()
        .unwrap()
        .retain(|key, _| ["ServiceNamespace", "ResourceId", "ScalableDimension"].contains(&key.as_str()));
    edit["MinCapacity"] = json!(2);
    lab.call(Service::ApplicationAutoScaling, "RegisterScalableTarget", edit);
    controller.pass_only().await;
    assert_eq!(target(&lab)["MinCapacity"], json!(1), "a minimum that nothing declares is put back");
    assert_eq!(lab.mutations(before), ["application-autoscaling:RegisterScalableTarget Ok"]);
}

#[tokio::test]
async fn a_service_that_was_made_anew_scales_again() {
    let (lab, _told) = converged(&scaled()).await;
    let before = rest(&lab);
    lab.call(Service::Ecs, "DeleteService", json!({"cluster": "interstella", "service": "monolith", "force": true}));
    assert_eq!(target(&lab), Value::Null, "the target has gone with its service");
    lab.converge(&scaled()).await;
    assert_eq!(rest(&lab), before);
}

#[tokio::test]
async fn destroy_removes_all_of_it_and_no_alarm_of_others() {
    let (lab, _told) = converged(&scaled()).await;
    let alarm = json!({
        "AlarmName": "mine", "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 50.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    lab.call(Service::CloudWatch, "PutMetricAlarm", alarm);
    lab.controller(lab.absent(&scaled())).converge().await;
    let left = state::value(&lab.cloud);
    for kind in ["scalableTargets", "scalingPolicies", "scheduledActions", "services"] {
        assert_eq!(left[kind], json!([]), "{kind}");
    }
    let alarms: Vec<&Value> = left["alarms"].as_array().unwrap().iter().map(|alarm| &alarm["AlarmName"]).collect();
    assert_eq!(alarms, [&json!("mine")]);
}
