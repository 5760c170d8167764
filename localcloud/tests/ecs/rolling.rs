//! Rolling updates, from outside: counts of the deployments as they change, and the events.

use serde_json::{Value, json};

use crate::lab::{Lab, text};

/// One line for every change of the deployments: seconds, then `running+pending` of each, the PRIMARY first.
fn watch(lab: &Lab, seconds: u32) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut last = String::new();
    for tenth in 0..seconds * 10 {
        let service = lab.service("monolith");
        let of = |d: &Value| {
            format!("{} {}+{} {}", text(&d["status"]), d["runningCount"], d["pendingCount"], text(&d["rolloutState"]))
        };
        let line = service["deployments"].as_array().unwrap().iter().map(of).collect::<Vec<_>>().join(", ");
        if line != last {
            lines.push(format!("{:>5.1}s {line}", f64::from(tenth) / 10.0));
            last = line;
        }
        lab.advance(0.1);
    }
    lines.join("\n")
}

/// Events since `count` of them, without identifiers.
fn events_after(lab: &Lab, count: usize) -> String {
    let ids = regex::Regex::new(r"(ecs-svc/|task |instance i-|port |targetgroup/monolith-instance/)[0-9a-f]+").unwrap();
    lab.events()[count..].iter().map(|event| ids.replace_all(event, "$1…").into_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_rolling_update_starts_new_tasks_before_old_ones_drain() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create_balanced(2, json!({}));
    lab.until_stable();
    let before = lab.events().len();
    let second = lab.revision("monolith");
    lab.update(json!({"taskDefinition": "monolith"}));
    insta::assert_snapshot!(watch(&lab, 20), @r"
        0.0s PRIMARY 0+2 IN_PROGRESS, ACTIVE 2+0 COMPLETED
        0.2s PRIMARY 2+0 IN_PROGRESS, ACTIVE 2+0 COMPLETED
        0.3s PRIMARY 2+0 IN_PROGRESS, ACTIVE 0+0 COMPLETED
        5.4s PRIMARY 2+0 COMPLETED
    ");
    insta::assert_snapshot!(events_after(&lab, before), @r"
        (service monolith) has started 2 tasks: (task …) (task …).
        (service monolith) registered 1 targets in (target-group arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/monolith-instance/…)
        (service monolith) registered 1 targets in (target-group arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/monolith-instance/…)
        (service monolith) has begun draining connections on 2 tasks.
        (service monolith) deregistered 1 targets in (target-group arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/monolith-instance/…)
        (service monolith) deregistered 1 targets in (target-group arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/monolith-instance/…)
        (service monolith) has stopped 2 running tasks: (task …) (task …).
        (service monolith) (deployment ecs-svc/…) deployment completed.
        (service monolith) has reached a steady state.
    ");
    assert_eq!(lab.service("monolith")["taskDefinition"], json!(second));
}

#[test]
fn without_a_load_balancer_tasks_are_healthy_after_forty_seconds() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(1, json!({}));
    insta::assert_snapshot!(watch(&lab, 60), @r"
         0.0s PRIMARY 0+1 IN_PROGRESS
         0.2s PRIMARY 1+0 IN_PROGRESS
        40.2s PRIMARY 1+0 COMPLETED
    ");
}

#[test]
fn a_service_without_tasks_completes_after_a_while() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(0, json!({}));
    insta::assert_snapshot!(watch(&lab, 30), @r"
         0.0s PRIMARY 0+0 IN_PROGRESS
        17.0s PRIMARY 0+0 COMPLETED
    ");
}

#[test]
fn scaling_keeps_the_deployment() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create_balanced(1, json!({}));
    lab.until_stable();
    let deployment = lab.service("monolith")["deployments"][0].clone();
    lab.advance(10.0);
    let updated = lab.update(json!({"desiredCount": 3}))["deployments"][0].clone();
    assert_eq!(updated["id"], deployment["id"]);
    assert!(updated["updatedAt"].as_f64() > deployment["updatedAt"].as_f64());
    lab.until_stable();
    assert_eq!(lab.tasks("RUNNING").len(), 3);
    lab.update(json!({"desiredCount": 1}));
    lab.until_stable();
    let stopped = lab.tasks("STOPPED");
    assert_eq!(stopped.len(), 2);
    let reason = format!("Scaling activity initiated by (deployment {})", text(&deployment["id"]));
    assert!(
        stopped
            .iter()
            .all(|task| task["stoppedReason"] == json!(reason) && task["stopCode"] == "ServiceSchedulerInitiated")
    );
}

#[test]
fn the_same_task_definition_is_no_deployment_unless_forced() {
    let lab = Lab::new();
    lab.revision("monolith");
    let created = lab.create(0, json!({}));
    let same = lab.update(json!({"taskDefinition": "monolith:1"}));
    assert_eq!(same["deployments"][0]["id"], created["deployments"][0]["id"]);
    let forced = lab.update(json!({"forceNewDeployment": true}));
    assert_ne!(forced["deployments"][0]["id"], created["deployments"][0]["id"]);
}

#[test]
fn a_deployment_that_its_bounds_forbid_says_so() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(3, json!({"deploymentConfiguration": {"maximumPercent": 125, "minimumHealthyPercent": 100}}));
    lab.until_stable();
    lab.update(json!({"forceNewDeployment": true}));
    lab.advance(5.0);
    assert!(lab.events().last().unwrap().contains("was unable to stop or start tasks during a deployment"));
}
