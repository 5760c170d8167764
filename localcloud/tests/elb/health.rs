//! Trap 9: targets take their time to become healthy and to go.

use std::time::Duration;

use interstella_localcloud::effect::CheckResult;
use serde_json::{Value, json};

use crate::Elb;

/// A group in use with one target, `i-1` on port 32768.
fn with_target() -> (Elb, String) {
    let elb = Elb::new();
    let group = elb.target_group("web");
    elb.listener(&elb.load_balancer("shop"), 5000, &elb.forward(&group));
    register(&elb, &group);
    (elb, group)
}

fn register(elb: &Elb, group: &str) {
    elb.ok("RegisterTargets", json!({ "TargetGroupArn": group, "Targets": [{ "Id": "i-1", "Port": 32768 }] }));
}

fn answer(elb: &Elb, result: CheckResult) {
    *elb.checks.answer.lock().unwrap() = result;
}

/// State, reason and description of the first target, or nothing.
fn health(elb: &Elb, group: &str) -> String {
    let output = elb.ok("DescribeTargetHealth", json!({ "TargetGroupArn": group }));
    let health = &output["TargetHealthDescriptions"][0]["TargetHealth"];
    let parts = ["State", "Reason", "Description"].map(|part| health[part].as_str().unwrap_or("-"));
    parts.join(" ")
}

#[test]
fn trap_9_a_new_target_is_initial_until_one_check_passes() {
    let (elb, group) = with_target();
    assert_eq!(health(&elb, &group), "initial Elb.RegistrationInProgress Target registration is in progress");
    answer(&elb, CheckResult::Failed);
    elb.advance_seconds(1);
    assert_eq!(health(&elb, &group), "initial Elb.InitialHealthChecking Initial health checks in progress");
    answer(&elb, CheckResult::Status(200));
    elb.advance_seconds(1);
    assert_eq!(health(&elb, &group), "healthy - -");
    let asked = elb.checks.asked.lock().unwrap();
    let first = asked.first().unwrap();
    assert_eq!((first.path.as_str(), first.timeout, first.target.port), ("/", Duration::from_secs(5), 32768));
}

#[test]
fn trap_9_thresholds_decide_afterwards_and_reasons_say_why() {
    let (elb, group) = with_target();
    elb.advance_seconds(1);
    answer(&elb, CheckResult::Status(503));
    elb.advance_seconds(31);
    assert_eq!(health(&elb, &group), "healthy - -");
    elb.advance_seconds(30);
    let mismatch = "unhealthy Target.ResponseCodeMismatch Health checks failed with these codes: [503]";
    assert_eq!(health(&elb, &group), mismatch);
    answer(&elb, CheckResult::Timeout);
    elb.advance_seconds(30);
    assert_eq!(health(&elb, &group), "unhealthy Target.Timeout Request timed out");
    answer(&elb, CheckResult::Failed);
    elb.advance_seconds(30);
    assert_eq!(health(&elb, &group), "unhealthy Target.FailedHealthChecks Health checks failed");
    answer(&elb, CheckResult::Status(200));
    elb.advance_seconds(4 * 30);
    assert!(health(&elb, &group).starts_with("unhealthy"));
    elb.advance_seconds(30);
    assert_eq!(health(&elb, &group), "healthy - -");
}

#[test]
fn trap_9_a_target_drains_for_the_deregistration_delay() {
    let (elb, group) = with_target();
    elb.advance_seconds(1);
    let targets = json!({ "TargetGroupArn": group, "Targets": [{ "Id": "i-1" }] });
    elb.ok("DeregisterTargets", targets.clone());
    elb.advance_seconds(299);
    assert_eq!(health(&elb, &group), "draining Target.DeregistrationInProgress Target deregistration is in progress");
    elb.advance_seconds(1);
    assert_eq!(health(&elb, &group), "- - -");
    elb.ok("DeregisterTargets", targets);
    let asked = json!({ "TargetGroupArn": group, "Targets": [{ "Id": "i-1", "Port": 32768 }] });
    let output = elb.ok("DescribeTargetHealth", asked);
    assert_eq!(output["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"], "Target.NotRegistered");
}

#[test]
fn a_target_that_is_registered_again_while_draining_stays() {
    let (elb, group) = with_target();
    elb.advance_seconds(1);
    elb.ok("DeregisterTargets", json!({ "TargetGroupArn": group, "Targets": [{ "Id": "i-1" }] }));
    elb.advance_seconds(100);
    register(&elb, &group);
    assert!(health(&elb, &group).starts_with("initial"));
    elb.advance_seconds(1000);
    assert_eq!(health(&elb, &group), "healthy - -");
}

#[test]
fn targets_of_a_group_without_load_balancer_are_unused_and_not_checked() {
    let elb = Elb::new();
    let group = elb.target_group("web");
    register(&elb, &group);
    elb.advance_seconds(100);
    assert_eq!(
        health(&elb, &group),
        "unused Target.NotInUse Target group is not configured to receive traffic from the load balancer"
    );
    assert!(elb.checks.asked.lock().unwrap().is_empty());
    let listener = elb.listener(&elb.load_balancer("shop"), 5000, &elb.forward(&group));
    elb.advance_seconds(1);
    assert_eq!(health(&elb, &group), "healthy - -");
    elb.ok("DeleteListener", json!({ "ListenerArn": listener }));
    assert!(health(&elb, &group).starts_with("unused"));
    let before = elb.checks.asked.lock().unwrap().len();
    elb.advance_seconds(100);
    assert_eq!(elb.checks.asked.lock().unwrap().len(), before);
}

#[test]
fn a_changed_health_check_holds_from_the_next_check() {
    let (elb, group) = with_target();
    elb.advance_seconds(1);
    let input = json!({ "TargetGroupArn": group, "HealthCheckPath": "/livez", "HealthCheckIntervalSeconds": 6 });
    let output = elb.ok("ModifyTargetGroup", input);
    assert_eq!(output["TargetGroups"][0]["HealthCheckPath"], "/livez");
    assert_eq!(output["TargetGroups"][0]["HealthCheckTimeoutSeconds"], Value::from(5));
    elb.checks.asked.lock().unwrap().clear();
    elb.advance_seconds(60);
    let asked = elb.checks.asked.lock().unwrap();
    assert_eq!(asked.len(), 10);
    assert!(asked.iter().all(|request| request.path == "/livez"));
}
