//! Where tasks find a place, and what is said when they do not.

use serde_json::json;

use crate::lab::{Lab, merged, text};

fn container(more: serde_json::Value) -> serde_json::Value {
    merged(json!({"name": "monolith", "image": "monolith", "memoryReservation": 128}), more)
}

/// The placement event, with the container instance's ID blanked.
fn placement_event(lab: &Lab) -> String {
    let events = lab.events();
    let event = events.iter().find(|event| event.contains("unable to place")).unwrap_or_else(|| panic!("{events:?}"));
    let (before, after) = event.split_once("(container-instance ").unwrap();
    format!("{before}(container-instance …){}", after.split_once(')').unwrap().1)
}

#[test]
fn the_third_task_with_a_static_port_conflicts() {
    let lab = Lab::new();
    lab.revision_with(container(json!({"portMappings": [{"containerPort": 5000, "hostPort": 5000}]})));
    lab.create(3, json!({}));
    lab.advance(1.0);
    assert_eq!(lab.service("monolith")["runningCount"], 2);
    assert_eq!(
        placement_event(&lab),
        "(service monolith) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance …) is already using a port required by your task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    );
    let instances: Vec<_> = lab.tasks("RUNNING").iter().map(|task| text(&task["containerInstanceArn"])).collect();
    assert_ne!(instances[0], instances[1]);
    // The port is free once its task has stopped, and the waiting one takes it.
    let task = text(&lab.tasks("RUNNING")[0]["taskArn"]);
    lab.call("StopTask", json!({"cluster": "interstella", "task": task}));
    lab.advance(1.0);
    assert_eq!(lab.service("monolith")["runningCount"], 2);
}

#[test]
fn memory_and_cpu_run_out() {
    let lab = Lab::new();
    lab.revision_with(container(json!({"memoryReservation": 2000})));
    lab.create(3, json!({}));
    lab.advance(1.0);
    assert_eq!(lab.service("monolith")["runningCount"], 2);
    assert!(placement_event(&lab).contains(" has insufficient memory available. "));
    let lab = Lab::new();
    lab.revision_with(container(json!({"cpu": 2000})));
    lab.create(3, json!({}));
    lab.advance(1.0);
    assert!(placement_event(&lab).contains(" has insufficient CPU units available. "));
}

#[test]
fn run_task_says_what_is_lacking() {
    let lab = Lab::new();
    lab.revision_with(container(json!({"portMappings": [{"containerPort": 5000, "hostPort": 5000}]})));
    let answer = lab.call("RunTask", json!({"cluster": "interstella", "taskDefinition": "monolith", "count": 3}));
    assert_eq!(answer["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(answer["failures"][0]["reason"], "RESOURCE:PORTS");
    lab.call("CreateCluster", json!({"clusterName": "bare"}));
    assert_eq!(
        lab.refused("RunTask", json!({"cluster": "bare", "taskDefinition": "monolith"})),
        "InvalidParameterException: No Container Instances were found in your cluster."
    );
}

#[test]
fn dynamic_ports_differ_and_instances_show_what_is_left() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(4, json!({}));
    lab.advance(1.0);
    let bindings: Vec<_> = lab
        .tasks("RUNNING")
        .iter()
        .map(|task| {
            let binding = task["containers"][0]["networkBindings"][0].clone();
            assert_eq!(binding["containerPort"], 5000);
            (text(&task["containerInstanceArn"]), binding["hostPort"].as_u64().unwrap())
        })
        .collect();
    assert!(bindings.iter().all(|(_, port)| (32_768..=60_999).contains(port)));
    assert_eq!(bindings.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    let arns = lab.call("ListContainerInstances", json!({"cluster": "interstella"}))["containerInstanceArns"].clone();
    let shown = lab.call("DescribeContainerInstances", json!({"cluster": "interstella", "containerInstances": arns}));
    for instance in shown["containerInstances"].as_array().unwrap() {
        assert_eq!(instance["runningTasksCount"], 2);
        assert_eq!(instance["remainingResources"][1]["integerValue"], 3900 - 256);
    }
}

#[test]
fn awsvpc_tasks_have_addresses_of_their_own() {
    let lab = Lab::new();
    lab.call("RegisterTaskDefinition", json!({
        "family": "monolith",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "monolith", "image": "monolith", "portMappings": [{"containerPort": 5000}]}],
    }));
    let group = lab.target_group("ip", 5);
    let base = json!({"launchType": "FARGATE", "loadBalancers": [{"targetGroupArn": group, "containerName": "monolith", "containerPort": 5000}]});
    let input = merged(
        json!({"cluster": "interstella", "serviceName": "monolith", "taskDefinition": "monolith", "desiredCount": 2}),
        base.clone(),
    );
    assert_eq!(
        lab.refused("CreateService", input),
        "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified."
    );
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]}});
    let run = json!({"cluster": "interstella", "taskDefinition": "monolith", "launchType": "FARGATE", "networkConfiguration": network});
    assert_eq!(
        lab.refused("RunTask", merged(run, json!({"placementStrategy": [{"type": "random"}]}))),
        "InvalidParameterException: placementConstraints and placementStrategy are not supported with launch type FARGATE."
    );
    let created = lab.create(2, merged(base, json!({"networkConfiguration": network})));
    assert_eq!(
        (&created["platformVersion"], &created["deployments"][0]["platformVersion"]),
        (&json!("LATEST"), &json!("1.4.0"))
    );
    assert_eq!(created["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"], json!([]));
    lab.until_stable();
    let tasks = lab.tasks("RUNNING");
    let address = |task: &serde_json::Value| text(&task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]);
    assert!(tasks.iter().all(|task| address(task).starts_with("10.0.") && task.get("containerInstanceArn").is_none()));
    assert_ne!(address(&tasks[0]), address(&tasks[1]));
}

/// IDs of the instances that RunTask placed tasks on, and reasons of its failures.
fn placed(lab: &Lab, more: serde_json::Value) -> (Vec<String>, Vec<String>) {
    let answer = lab.call("RunTask", merged(json!({"cluster": "interstella", "taskDefinition": "monolith"}), more));
    let of = |list: &str, member: &str| {
        answer[list].as_array().unwrap().iter().map(|item| text(&item[member])).collect::<Vec<_>>()
    };
    (of("tasks", "containerInstanceArn"), of("failures", "reason"))
}

#[test]
fn tasks_of_a_group_keep_apart_where_that_is_asked_for() {
    let lab = Lab::new();
    lab.revision("monolith");
    let distinct = json!({"placementConstraints": [{"type": "distinctInstance"}], "count": 3});
    let (instances, failures) = placed(&lab, distinct.clone());
    assert_eq!(instances.len(), 2);
    assert_ne!(instances[0], instances[1]);
    assert_eq!(failures, ["distinctInstance placement constraint unsatisfied."]);
    let (instances, _) = placed(&lab, merged(distinct, json!({"group": "other"})));
    assert_eq!(instances.len(), 2, "another group has all instances to itself");
}

#[test]
fn expressions_of_the_task_definition_and_of_the_request_select_instances() {
    let lab = Lab::new();
    let zone = |zone: &str| json!([{"type": "memberOf", "expression": format!("attribute:ecs.availability-zone == us-west-2{zone}")}]);
    let input = json!({"family": "monolith", "placementConstraints": zone("b"), "containerDefinitions": [container(json!({}))]});
    lab.call("RegisterTaskDefinition", input);
    let (instances, failures) = placed(&lab, json!({"count": 4}));
    assert_eq!((instances.len(), failures.len()), (4, 0));
    assert!(instances.iter().all(|instance| *instance == instances[0]), "{instances:?}");
    let (instances, failures) = placed(&lab, json!({"placementConstraints": zone("a")}));
    assert_eq!((instances.len(), failures), (0, vec!["memberOf placement constraint unsatisfied.".to_owned()]));
    lab.create(1, json!({"placementConstraints": zone("a")}));
    lab.advance(1.0);
    assert!(placement_event(&lab).contains(" encountered error \"memberOf placement constraint unsatisfied.\". "));
}

#[test]
fn strategies_fill_or_spread_by_their_field() {
    let lab = Lab::new();
    lab.revision_with(container(json!({"cpu": 100})));
    let strategy = |kind: &str, field: &str| json!({"placementStrategy": [{"type": kind, "field": field}], "count": 4, "group": kind});
    let distinct = |more| {
        let (mut instances, _) = placed(&lab, more);
        instances.sort();
        instances.dedup();
        instances.len()
    };
    assert_eq!(distinct(strategy("binpack", "cpu")), 1);
    assert_eq!(distinct(strategy("binpack", "memory")), 1);
    assert_eq!(distinct(strategy("spread", "attribute:ecs.availability-zone")), 2);
    let wrong = merged(json!({"cluster": "interstella", "taskDefinition": "monolith"}), strategy("binpack", "disk"));
    assert_eq!(
        lab.refused("RunTask", wrong),
        "InvalidParameterException: Invalid field 'disk' of the placement strategy binpack."
    );
}
