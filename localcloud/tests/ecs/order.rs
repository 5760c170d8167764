//! `dependsOn`: in which order the containers of a task start and end.

use std::time::Duration;

use interstella_localcloud::runtime::model::Behaviour;
use serde_json::{Value, json};

use crate::lab::{Lab, merged, text};

/// Runs a task of `app`, which depends on `base` under `condition`, and of `base`, whose image is `bad`.
fn run(lab: &Lab, condition: &str, base: Value) -> Value {
    let container = |name: &str, image: &str| json!({"name": name, "image": image, "memoryReservation": 64});
    let app =
        merged(container("app", "monolith"), json!({"dependsOn": [{"containerName": "base", "condition": condition}]}));
    let input = json!({"family": "pair", "containerDefinitions": [app, merged(container("base", "bad"), base)]});
    lab.call("RegisterTaskDefinition", input);
    let input = json!({"cluster": "interstella", "taskDefinition": "pair"});
    lab.call("RunTask", input)["tasks"][0]["taskArn"].clone()
}

fn describe(lab: &Lab, task: &Value) -> Value {
    lab.call("DescribeTasks", json!({"cluster": "interstella", "tasks": [task]}))["tasks"][0].clone()
}

/// The task's status, and those of `app` and `base`.
fn statuses(lab: &Lab, task: &Value) -> String {
    let task = describe(lab, task);
    let of = |value: &Value| text(&value["lastStatus"]);
    format!("{}: {} {}", of(&task), of(&task["containers"][0]), of(&task["containers"][1]))
}

fn check() -> Value {
    json!({"healthCheck": {"command": ["CMD", "check"], "interval": 10}})
}

#[test]
fn start_waits_for_the_start_and_ends_in_reverse() {
    let lab = Lab::new();
    let task = run(&lab, "START", json!({}));
    lab.advance(0.16);
    assert_eq!(statuses(&lab, &task), "PENDING: PENDING RUNNING");
    lab.advance(0.1);
    assert_eq!(statuses(&lab, &task), "RUNNING: RUNNING RUNNING");
    lab.call("StopTask", json!({"cluster": "interstella", "task": task}));
    lab.advance(0.11);
    assert_eq!(statuses(&lab, &task), "STOPPING: STOPPED RUNNING");
    lab.advance(0.1);
    assert_eq!(statuses(&lab, &task), "STOPPED: STOPPED STOPPED");
}

#[test]
fn complete_and_success_wait_for_the_end() {
    for condition in ["COMPLETE", "SUCCESS"] {
        let lab = Lab::new();
        lab.bad(Behaviour::ExitsAfter(Duration::from_secs(20), 0));
        let task = run(&lab, condition, json!({"essential": false}));
        lab.advance(20.0);
        assert_eq!(statuses(&lab, &task), "PENDING: PENDING RUNNING");
        lab.advance(1.0);
        assert_eq!(statuses(&lab, &task), "RUNNING: RUNNING STOPPED");
    }
}

#[test]
fn healthy_waits_for_a_check_that_passes() {
    let lab = Lab::new();
    lab.fail_checks(true);
    let task = run(&lab, "HEALTHY", check());
    lab.advance(15.0);
    assert_eq!(statuses(&lab, &task), "PENDING: PENDING RUNNING");
    lab.fail_checks(false);
    lab.advance(10.0);
    assert_eq!(statuses(&lab, &task), "RUNNING: RUNNING RUNNING");
    assert_eq!(describe(&lab, &task)["containers"][1]["healthStatus"], "HEALTHY");
}

/// Why the task did not start.
fn reason(lab: &Lab, task: &Value) -> String {
    lab.until("stopped", |lab| describe(lab, task)["lastStatus"] == "STOPPED");
    let task = describe(lab, task);
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert_eq!(task.get("startedAt"), None);
    assert_eq!(task["containers"][0].get("exitCode"), None, "it never started");
    assert_eq!(task["containers"][0]["reason"], task["stoppedReason"]);
    text(&task["stoppedReason"])
}

#[test]
fn what_can_never_be_met_ends_the_task() {
    let lab = Lab::new();
    lab.bad(Behaviour::ExitsAfter(Duration::from_secs(2), 7));
    let task = run(&lab, "SUCCESS", json!({"essential": false}));
    let wanted = "CannotStartContainerError: container app cannot start: container base, of which it needs SUCCESS, ended with exit code 7";
    assert_eq!(reason(&lab, &task), wanted);
    let task = run(&lab, "HEALTHY", merged(check(), json!({"essential": false})));
    let wanted = "CannotStartContainerError: container app cannot start: container base, of which it needs HEALTHY, ended with exit code 7";
    assert_eq!(reason(&lab, &task), wanted);
    lab.bad(Behaviour::FailsToStart);
    let task = run(&lab, "START", json!({"essential": false}));
    let wanted =
        "CannotStartContainerError: container app cannot start: container base, of which it needs START, never started";
    assert_eq!(reason(&lab, &task), wanted);
}

#[test]
fn a_start_timeout_ends_the_wait() {
    let lab = Lab::new();
    lab.fail_checks(true);
    let task = run(&lab, "HEALTHY", merged(check(), json!({"startTimeout": 25})));
    lab.advance(25.0);
    assert_eq!(statuses(&lab, &task), "PENDING: PENDING RUNNING");
    let wanted = "CannotStartContainerError: container app cannot start: container base did not reach HEALTHY within its startTimeout of 25 s";
    assert_eq!(reason(&lab, &task), wanted);
    assert_eq!(describe(&lab, &task)["containers"][1]["exitCode"], 0, "what runs already is ended");
}

#[test]
fn an_essential_container_takes_the_others_along_and_its_target_is_deregistered() {
    let lab = Lab::new();
    lab.bad(Behaviour::ExitsAfter(Duration::from_secs(60), 3));
    let container = |name: &str, image: &str| json!({"name": name, "image": image, "memoryReservation": 64});
    let main = merged(container("monolith", "bad"), json!({"portMappings": [{"containerPort": 5000}]}));
    let input = json!({"family": "monolith", "containerDefinitions": [main, container("side", "monolith")]});
    lab.call("RegisterTaskDefinition", input);
    let group = lab.create_balanced(1, json!({}));
    lab.until("a crash", |lab| lab.tasks("STOPPED").iter().any(|task| task["lastStatus"] == "STOPPED"));
    let stopped = &lab.tasks("STOPPED")[0];
    assert_eq!(stopped["stopCode"], "EssentialContainerExited");
    assert_eq!((&stopped["containers"][0]["exitCode"], &stopped["containers"][1]["exitCode"]), (&json!(3), &json!(0)));
    lab.advance(30.0);
    let input = json!({"TargetGroupArn": group});
    let health = lab.cloud.call(interstella_localcloud::call::Service::Elb, "DescribeTargetHealth", input).unwrap();
    assert_eq!(health["TargetHealthDescriptions"].as_array().unwrap().len(), 1, "only the new task's: {health}");
}
