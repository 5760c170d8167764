//! Deployments that fail: the circuit breaker, rollbacks, pauses, unhealthy targets.

use std::time::Duration;

use interstella_localcloud::runtime::model::Behaviour;
use serde_json::{Value, json};

use crate::lab::{Lab, text};

fn breaker(rollback: bool) -> Value {
    json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": rollback}}})
}

/// The newest service deployment.
fn newest(lab: &Lab) -> Value {
    let listed = lab.call("ListServiceDeployments", json!({"cluster": "interstella", "service": "monolith"}));
    let arn = &listed["serviceDeployments"][0]["serviceDeploymentArn"];
    lab.call("DescribeServiceDeployments", json!({"serviceDeploymentArns": [arn]}))["serviceDeployments"][0].clone()
}

#[test]
fn a_missing_image_trips_the_breaker_and_the_old_revision_returns() {
    let lab = Lab::new();
    let good = lab.revision("monolith");
    lab.create_balanced(1, breaker(true));
    lab.until_stable();
    let first = lab.service("monolith")["deployments"][0].clone();
    let bad = lab.revision("monolith:missing");
    let updated = lab.update(json!({"taskDefinition": "monolith"}));
    assert_eq!(updated["taskDefinition"], json!(bad));
    assert_eq!(updated["currentServiceDeployment"], newest(&lab)["serviceDeploymentArn"]);
    lab.until("rolled back", |lab| newest(lab)["status"] == "ROLLBACK_SUCCESSFUL");
    let service = lab.service("monolith");
    assert_eq!(service["taskDefinition"], json!(good));
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["deployments"][0]["id"], first["id"]);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(service.get("currentServiceDeployment"), None);
    assert_eq!(lab.tasks("RUNNING").len(), 1, "the old task was never touched");
    let deployment = newest(&lab);
    assert_eq!(
        deployment["deploymentCircuitBreaker"],
        json!({"status": "TRIGGERED", "failureCount": 3, "threshold": 3})
    );
    let target = deployment["targetServiceRevision"]["arn"].clone();
    let revision = lab.call("DescribeServiceRevisions", json!({"serviceRevisionArns": [target]}));
    assert_eq!(revision["serviceRevisions"][0]["taskDefinition"], json!(bad));
    let back = deployment["rollback"]["serviceRevisionArn"].clone();
    assert!(text(&back).ends_with(text(&first["id"]).trim_start_matches("ecs-svc/")));
    let events = lab.events().join("\n");
    assert!(events.contains("deployment failed: tasks failed to start."), "{events}");
    assert!(events.contains("rolling back to deployment ecs-svc/"), "{events}");
    assert_eq!(lab.tasks("STOPPED").len(), 3);
}

#[test]
fn tasks_that_never_become_healthy_trip_the_breaker_too() {
    let lab = Lab::new();
    let good = lab.revision("monolith");
    lab.create_balanced(1, breaker(true));
    lab.until_stable();
    lab.bad(Behaviour::NeverHealthy);
    lab.revision("bad");
    lab.update(json!({"taskDefinition": "monolith"}));
    lab.until("rolled back", |lab| newest(lab)["status"] == "ROLLBACK_SUCCESSFUL");
    assert_eq!(lab.service("monolith")["taskDefinition"], json!(good));
    let stopped = lab.tasks("STOPPED");
    assert!(stopped.iter().any(|task| text(&task["stoppedReason"]).starts_with("Task failed ELB health checks in (target-group arn:")));
    let events = lab.events().join("\n");
    assert!(events.contains(" is unhealthy in (target-group arn:"), "{events}");
    assert!(events.contains(") due to (reason Health checks failed)"), "{events}");
}

#[test]
fn without_rollback_a_failed_deployment_stalls_and_the_old_one_serves() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create_balanced(1, breaker(false));
    lab.until_stable();
    lab.revision("monolith:missing");
    lab.update(json!({"taskDefinition": "monolith"}));
    lab.until("failed", |lab| lab.service("monolith")["deployments"][0]["rolloutState"] == "FAILED");
    lab.advance(120.0);
    let service = lab.service("monolith");
    assert_eq!((&service["runningCount"], &service["pendingCount"]), (&json!(1), &json!(0)));
    assert_eq!(service["deployments"][0]["failedTasks"], 3);
    assert_eq!(service["deployments"][1]["status"], "ACTIVE");
    assert_eq!(newest(&lab)["status"], "STOPPED");
    lab.revision("monolith");
    lab.update(json!({"taskDefinition": "monolith"}));
    lab.until_stable();
}

#[test]
fn a_first_deployment_has_nothing_to_return_to() {
    let lab = Lab::new();
    lab.revision("monolith:missing");
    lab.create(1, breaker(true));
    lab.until("failed", |lab| newest(lab)["status"] == "ROLLBACK_FAILED");
    lab.advance(60.0);
    assert_eq!(lab.tasks("STOPPED").len(), 3);
}

#[test]
fn failing_starts_are_retried_ever_less_often() {
    let lab = Lab::new();
    lab.revision("monolith:missing");
    lab.create(1, json!({}));
    lab.advance(3000.0);
    let attempts = lab.tasks("STOPPED").len();
    assert!((8..=11).contains(&attempts), "{attempts}");
    assert!(
        lab.events()
            .iter()
            .any(|event| event == "(service monolith) is unable to consistently start tasks successfully.")
    );
    lab.revision("monolith");
    lab.update(json!({"taskDefinition": "monolith"}));
    lab.until_stable();
}

#[test]
fn a_crashed_task_is_replaced_at_once_and_says_why() {
    let lab = Lab::new();
    lab.bad(Behaviour::ExitsAfter(Duration::from_secs(60), 137));
    lab.revision("bad");
    lab.create_balanced(1, json!({}));
    lab.until("a crash", |lab| !lab.tasks("STOPPED").is_empty());
    lab.advance(0.5);
    assert_eq!(lab.tasks("RUNNING").len(), 1);
    assert_eq!(lab.service("monolith")["runningCount"], 1);
    let stopped = &lab.tasks("STOPPED")[0];
    assert_eq!(stopped["stopCode"], "EssentialContainerExited");
    assert_eq!(stopped["stoppedReason"], "Essential container in task exited");
    assert_eq!(stopped["containers"][0]["exitCode"], 137);
    let events = lab.events().join("\n");
    assert!(
        events.contains("stopped: Essential container in task exited (container monolith, exit code 137)."),
        "{events}"
    );
    assert_eq!(lab.service("monolith")["deployments"][0]["failedTasks"], 0);
}

#[test]
fn the_grace_period_spares_tasks_that_are_not_healthy_yet() {
    let lab = Lab::new();
    lab.bad(Behaviour::NeverHealthy);
    lab.revision("bad");
    lab.create_balanced(1, json!({"healthCheckGracePeriodSeconds": 120}));
    lab.advance(110.0);
    assert_eq!(lab.tasks("RUNNING").len(), 1);
    lab.advance(20.0);
    assert_eq!(lab.tasks("RUNNING").len(), 2, "a replacement starts before the unhealthy task stops");
    lab.advance(120.0);
    assert_eq!(lab.tasks("STOPPED").len(), 1, "there is no room for a third");
}

#[test]
fn a_deployment_can_be_stopped_by_hand() {
    let lab = Lab::new();
    let good = lab.revision("monolith");
    lab.create_balanced(1, json!({}));
    lab.until_stable();
    lab.revision("monolith");
    let updated = lab.update(json!({"taskDefinition": "monolith"}));
    let arn = updated["currentServiceDeployment"].clone();
    lab.call("StopServiceDeployment", json!({"serviceDeploymentArn": arn, "stopType": "ROLLBACK"}));
    lab.until("rolled back", |lab| newest(lab)["status"] == "ROLLBACK_SUCCESSFUL");
    assert_eq!(lab.service("monolith")["taskDefinition"], json!(good));
}
