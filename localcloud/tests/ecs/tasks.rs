//! Single tasks: their life, what they are given, and why they do not start.

use interstella_localcloud::call::Service;
use interstella_localcloud::effect::Effect;
use serde_json::{Value, json};

use crate::lab::{Lab, merged, text};

fn run(lab: &Lab, more: Value) -> Value {
    let base = json!({"cluster": "interstella", "taskDefinition": "monolith"});
    lab.call("RunTask", merged(base, more))["tasks"][0].clone()
}

fn describe(lab: &Lab, task: &Value) -> Value {
    let input = json!({"cluster": "interstella", "tasks": [task["taskArn"]]});
    lab.call("DescribeTasks", input)["tasks"][0].clone()
}

/// Why a task with this container does not start.
fn reason_not_to_start(container: Value) -> String {
    let lab = Lab::new();
    lab.revision_with(merged(json!({"name": "monolith", "image": "monolith", "memoryReservation": 128}), container));
    let task = run(&lab, json!({}));
    lab.advance(1.0);
    let task = describe(&lab, &task);
    assert_eq!((&task["lastStatus"], &task["stopCode"]), (&json!("STOPPED"), &json!("TaskFailedToStart")));
    assert_eq!(task.get("startedAt"), None);
    text(&task["stoppedReason"])
}

#[test]
fn a_task_lives_and_is_forgotten_after_an_hour() {
    let lab = Lab::new();
    lab.revision("monolith");
    let task = run(&lab, json!({"startedBy": "me"}));
    let mut states = vec![text(&task["lastStatus"])];
    let mut watch = |steps: u32| {
        for _ in 0..steps {
            lab.advance(0.01);
            let state = text(&describe(&lab, &task)["lastStatus"]);
            if states.last() != Some(&state) {
                states.push(state);
            }
        }
        states.clone()
    };
    watch(100);
    let input = json!({"cluster": "interstella", "task": task["taskArn"], "reason": "enough"});
    let stopping = lab.call("StopTask", input)["task"].clone();
    assert_eq!(stopping["desiredStatus"], "STOPPED");
    assert_eq!(watch(100), ["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "STOPPED"]);
    let stopped = describe(&lab, &task);
    assert_eq!((&stopped["stopCode"], &stopped["stoppedReason"]), (&json!("UserInitiated"), &json!("enough")));
    assert_eq!((&stopped["group"], &stopped["startedBy"]), (&json!("family:monolith"), &json!("me")));
    assert_eq!(stopped["containers"][0]["exitCode"], 0);
    lab.advance(3590.0);
    assert_eq!(describe(&lab, &task)["lastStatus"], "STOPPED");
    lab.advance(20.0);
    let gone = lab.call("DescribeTasks", json!({"cluster": "interstella", "tasks": [task["taskArn"]]}));
    assert_eq!(gone["failures"], json!([{"arn": task["taskArn"], "reason": "MISSING"}]));
}

#[test]
fn a_task_shows_the_digest_of_what_was_pulled() {
    let lab = Lab::new();
    lab.revision("bad");
    let input = json!({"cluster": "interstella", "taskDefinition": "monolith"});
    let run = |lab: &Lab| lab.call("RunTask", input.clone())["tasks"][0].clone();
    let started = run(&lab);
    assert_eq!(started["containers"][0].get("imageDigest"), None, "nothing has been pulled yet");
    lab.advance(1.0);
    let digest = describe(&lab, &started)["containers"][0]["imageDigest"].as_str().unwrap().to_owned();
    lab.revision(&format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/bad@{digest}"));
    let by_digest = run(&lab);
    lab.advance(1.0);
    let by_digest = describe(&lab, &by_digest);
    assert_eq!(by_digest["lastStatus"], "RUNNING");
    assert_eq!(by_digest["containers"][0]["imageDigest"], digest);
}

#[test]
fn what_is_missing_is_named() {
    let none = "monolith@sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    for image in ["nowhere:1", "monolith:v99", "other/monolith:latest", none] {
        let expected = format!(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
        );
        assert_eq!(reason_not_to_start(json!({"image": image})), expected);
    }
    let secrets = json!({"secrets": [{"name": "KEY", "valueFrom": "/interstella/other"}]});
    let reason = reason_not_to_start(secrets);
    assert!(reason.starts_with("ResourceInitializationError: unable to pull secrets or registry auth"), "{reason}");
    assert!(reason.ends_with("/interstella/other"), "{reason}");
    let logs = json!({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "none", "awslogs-region": "us-west-2"}}});
    assert!(reason_not_to_start(logs).ends_with("The specified log group does not exist."));
}

#[test]
fn a_missing_log_group_is_made_where_the_task_definition_says_so() {
    let lab = Lab::new();
    let options = json!({"awslogs-group": "new", "awslogs-region": "us-west-2", "awslogs-create-group": "true"});
    let logs = json!({"logConfiguration": {"logDriver": "awslogs", "options": options}});
    lab.revision_with(merged(json!({"name": "monolith", "image": "monolith", "memoryReservation": 128}), logs));
    let task = run(&lab, json!({}));
    lab.advance(1.0);
    assert_eq!(describe(&lab, &task)["lastStatus"], "RUNNING");
    let groups = lab.cloud.call(Service::Logs, "DescribeLogGroups", json!({"logGroupNamePrefix": "new"})).unwrap();
    assert_eq!(groups["logGroups"][0]["logGroupName"], "new");
}

#[test]
fn the_runtime_is_given_environment_secrets_ports_and_log_stream() {
    let lab = Lab::new();
    lab.cloud.call(Service::Logs, "CreateLogGroup", json!({"logGroupName": "interstella-monolith"})).unwrap();
    let options =
        json!({"awslogs-group": "interstella-monolith", "awslogs-region": "us-west-2", "awslogs-stream-prefix": "ecs"});
    lab.revision_with(json!({
        "name": "monolith",
        "image": "monolith",
        "memoryReservation": 128,
        "command": ["one"],
        "stopTimeout": 7,
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "secrets": [{"name": "KEY", "valueFrom": "/interstella/apiKey"}],
        "portMappings": [{"containerPort": 5000}],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }));
    let overrides = json!({"containerOverrides": [{"name": "monolith", "command": ["two"], "environment": [{"name": "B", "value": "3"}]}]});
    let task = run(&lab, json!({"overrides": overrides}));
    let id = text(&task["taskArn"]).rsplit('/').next().unwrap().to_owned();
    // The effect is read where it arises, before the runtime takes it.
    let container = lab.cloud.with_world(|world, now| {
        world.fire_due(now.after(std::time::Duration::from_millis(60)));
        let effects = std::mem::take(&mut world.effects);
        let mut launches = effects.into_iter().filter_map(|effect| match effect {
            Effect::StartContainer(launch) => Some(launch),
            _ => None,
        });
        launches.next_back().unwrap()
    });
    let environment: Vec<_> = container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(environment, ["A=1", "B=3", "KEY=key"]);
    assert_eq!(container.command, ["two"]);
    assert_eq!(container.log, Some(("interstella-monolith".to_owned(), format!("ecs/monolith/{id}"))));
    assert_eq!(container.ports.len(), 1);
    assert_eq!(container.ports[0].0, 5000);
    assert!(container.ports[0].1.ip().is_loopback());
}

#[test]
fn a_task_of_a_service_drains_before_it_stops() {
    let lab = Lab::new();
    lab.revision("monolith");
    let group = lab.create_balanced(1, json!({}));
    lab.until_stable();
    let task = lab.tasks("RUNNING")[0].clone();
    lab.call("StopTask", json!({"cluster": "interstella", "task": task["taskArn"]}));
    lab.advance(4.0);
    assert_eq!(describe(&lab, &task)["lastStatus"], "DEACTIVATING");
    let health = lab.cloud.call(Service::Elb, "DescribeTargetHealth", json!({"TargetGroupArn": group})).unwrap();
    let mut states: Vec<_> = health["TargetHealthDescriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| text(&d["TargetHealth"]["State"]))
        .collect();
    states.sort();
    assert_eq!(states, ["draining", "healthy"]);
    lab.advance(2.0);
    assert_eq!(describe(&lab, &task)["lastStatus"], "STOPPED");
    assert_eq!(describe(&lab, &task)["stopCode"], "UserInitiated");
    assert_eq!(lab.service("monolith")["runningCount"], 1);
}

#[test]
fn a_client_token_runs_tasks_once() {
    let lab = Lab::new();
    lab.revision("monolith");
    let first = run(&lab, json!({"clientToken": "t"}));
    assert_eq!(run(&lab, json!({"clientToken": "t"}))["taskArn"], first["taskArn"]);
    let other = json!({"cluster": "interstella", "taskDefinition": "monolith", "clientToken": "t", "count": 2});
    assert!(lab.refused("RunTask", other).starts_with("ConflictException"));
}
