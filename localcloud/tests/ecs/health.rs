//! Container health checks: what is shown of them, and what a service makes of them.

use serde_json::{Value, json};

use crate::lab::{Lab, merged, text};

/// A container of the image `bad` that is checked every ten seconds and unhealthy after two failures.
fn checked(more: Value) -> Value {
    let check = json!({"command": ["CMD-SHELL", "exit 0"], "interval": 10, "retries": 2});
    merged(json!({"name": "monolith", "image": "bad", "memoryReservation": 64, "healthCheck": check}), more)
}

fn register(lab: &Lab, containers: Value) {
    lab.call("RegisterTaskDefinition", json!({"family": "monolith", "containerDefinitions": containers}));
}

/// Health of the service's running tasks.
fn shown(lab: &Lab) -> Vec<String> {
    lab.tasks("RUNNING").iter().map(|task| text(&task["healthStatus"])).collect()
}

fn rollout(lab: &Lab) -> String {
    text(&lab.service("monolith")["deployments"][0]["rolloutState"])
}

#[test]
fn a_deployment_waits_until_the_container_is_healthy() {
    let lab = Lab::new();
    register(&lab, json!([checked(json!({}))]));
    lab.create(1, json!({}));
    lab.advance(9.0);
    assert_eq!((shown(&lab), rollout(&lab)), (vec!["UNKNOWN".to_owned()], "IN_PROGRESS".to_owned()));
    lab.advance(2.0);
    assert_eq!((shown(&lab), rollout(&lab)), (vec!["HEALTHY".to_owned()], "COMPLETED".to_owned()));
    assert_eq!(lab.tasks("RUNNING")[0]["containers"][0]["healthStatus"], "HEALTHY");
}

#[test]
fn a_new_task_that_fails_its_checks_never_replaces_a_good_one() {
    let lab = Lab::new();
    let good = lab.revision("monolith");
    let breaker = json!({"deploymentCircuitBreaker": {"enable": true, "rollback": true}});
    lab.create(1, json!({"deploymentConfiguration": breaker}));
    lab.until_stable();
    lab.fail_checks(true);
    register(&lab, json!([checked(json!({}))]));
    lab.update(json!({"taskDefinition": "monolith"}));
    lab.until("rolled back", |lab| lab.service("monolith")["taskDefinition"] == json!(good));
    lab.until_stable();
    let stopped = lab.tasks("STOPPED");
    assert_eq!(stopped.len(), 3, "the breaker's threshold");
    for task in &stopped {
        assert_eq!(task["stopCode"], "ServiceSchedulerInitiated");
        assert_eq!(task["stoppedReason"], "Task failed container health checks");
        assert_eq!(task["healthStatus"], "UNHEALTHY");
        assert_eq!(task["containers"][0]["reason"], "the health check ended with exit code 1");
    }
    let events = lab.events().join("\n");
    assert!(events.contains(") failed container health checks."), "{events}");
}

#[test]
fn a_task_that_turns_unhealthy_is_replaced() {
    let lab = Lab::new();
    register(&lab, json!([checked(json!({}))]));
    lab.create(1, json!({"deploymentConfiguration": {"minimumHealthyPercent": 0, "maximumPercent": 100}}));
    lab.until_stable();
    let first = lab.tasks("RUNNING")[0]["taskArn"].clone();
    lab.fail_checks(true);
    lab.until("unhealthy", |lab| lab.tasks("STOPPED").iter().any(|task| task["healthStatus"] == "UNHEALTHY"));
    lab.fail_checks(false);
    lab.until("replaced", |lab| shown(lab) == ["HEALTHY"]);
    assert_ne!(lab.tasks("RUNNING")[0]["taskArn"], first);
    assert_eq!(lab.tasks("STOPPED")[0]["taskArn"], first);
}

#[test]
fn only_essential_containers_count_and_the_worst_of_them_is_the_tasks() {
    let lab = Lab::new();
    let side = |essential| merged(checked(json!({"essential": essential})), json!({"name": "side"}));
    let main = || merged(checked(json!({})), json!({"image": "monolith"}));
    lab.fail_checks(true);
    let health = |essential| {
        register(&lab, json!([main(), side(essential)]));
        let task = lab.call("RunTask", json!({"cluster": "interstella", "taskDefinition": "monolith"}));
        lab.advance(60.0);
        let input = json!({"cluster": "interstella", "tasks": [task["tasks"][0]["taskArn"]]});
        let task = lab.call("DescribeTasks", input)["tasks"][0].clone();
        // Nobody replaces a task that was run by hand.
        assert_eq!(task["lastStatus"], "RUNNING");
        assert_eq!(task["containers"][1]["healthStatus"], "UNHEALTHY");
        text(&task["healthStatus"])
    };
    assert_eq!(health(false), "HEALTHY");
    assert_eq!(health(true), "UNHEALTHY");
}

#[test]
fn failures_in_the_start_period_and_in_the_grace_period_are_spared() {
    let lab = Lab::new();
    lab.fail_checks(true);
    let check = json!({"command": ["CMD", "check"], "interval": 10, "retries": 1, "startPeriod": 45});
    register(&lab, json!([checked(json!({"healthCheck": check}))]));
    lab.create(1, json!({"healthCheckGracePeriodSeconds": 100}));
    lab.advance(44.0);
    assert_eq!(shown(&lab), ["UNKNOWN"]);
    lab.advance(10.0);
    assert_eq!(shown(&lab), ["UNHEALTHY"]);
    lab.advance(40.0);
    assert_eq!(lab.tasks("RUNNING").len(), 1, "within the grace period nothing is replaced");
    lab.advance(10.0);
    assert_eq!(lab.tasks("RUNNING").len(), 2, "a replacement starts before the unhealthy task stops");
}

#[test]
fn behind_a_load_balancer_both_kinds_of_checks_have_to_pass() {
    let lab = Lab::new();
    lab.fail_checks(true);
    register(&lab, json!([checked(json!({"portMappings": [{"containerPort": 5000}]}))]));
    lab.create_balanced(1, json!({"healthCheckGracePeriodSeconds": 600}));
    lab.advance(30.0);
    assert_eq!(rollout(&lab), "IN_PROGRESS");
    lab.fail_checks(false);
    lab.advance(11.0);
    assert_eq!(rollout(&lab), "COMPLETED");
}
