//! What RegisterTaskDefinition refuses as AWS does, and what it takes.

use serde_json::{Value, json};

use crate::lab::{Lab, merged};

/// What registering these containers leads to, with `more` of the task definition.
fn register(containers: &[Value], more: Value) -> String {
    let base = json!({"image": "monolith", "memory": 64});
    let containers: Vec<Value> = containers.iter().map(|container| merged(base.clone(), container.clone())).collect();
    let input = merged(json!({"family": "f", "containerDefinitions": containers}), more);
    let lab = Lab::new();
    match lab.cloud.call(interstella_localcloud::call::Service::Ecs, "RegisterTaskDefinition", input) {
        Ok(_) => "registered".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Two containers, `a` depending on `b`.
fn pair(condition: &str, b: Value) -> [Value; 2] {
    let depends = json!([{"containerName": "b", "condition": condition}]);
    [json!({"name": "a", "dependsOn": depends}), merged(json!({"name": "b"}), b)]
}

#[test]
fn a_container_is_not_larger_than_its_task() {
    let task = json!({"cpu": "256", "memory": "512"});
    let one = |more: Value| register(&[merged(json!({"name": "a"}), more)], task.clone());
    assert_eq!(one(json!({"cpu": 256, "memory": 512, "memoryReservation": 512})), "registered");
    let refused = |member: &str, own: u32, whole: u32| {
        format!(
            "ClientException: Invalid setting for container 'a'. Its '{member}' of {own} exceeds the task's {whole}."
        )
    };
    assert_eq!(one(json!({"cpu": 257})), refused("cpu", 257, 256));
    assert_eq!(one(json!({"memory": 513})), refused("memory", 513, 512));
    assert_eq!(one(json!({"memory": 600, "memoryReservation": 600})), refused("memory", 600, 512));
    let two = |more: Value| {
        register(&[merged(json!({"name": "a"}), more.clone()), merged(json!({"name": "b"}), more)], task.clone())
    };
    assert_eq!(two(json!({"cpu": 128, "memory": 512, "memoryReservation": 256})), "registered");
    assert_eq!(
        two(json!({"cpu": 129})),
        "ClientException: The containers reserve 258 CPU units together, more than the task's 256."
    );
    assert_eq!(
        two(json!({"memory": 257})),
        "ClientException: The containers reserve 514 MiB of memory together, more than the task's 512."
    );
}

#[test]
fn mounts_are_of_volumes_and_containers_that_there_are() {
    let mount = |name: &str| json!({"name": "a", "mountPoints": [{"sourceVolume": name, "containerPath": "/data"}]});
    let volumes = json!({"volumes": [{"name": "data"}]});
    assert_eq!(register(&[mount("data")], volumes.clone()), "registered");
    let wanted = "ClientException: Invalid setting for container 'a'. Unknown volume 'date'.";
    assert_eq!(register(&[mount("date")], volumes), wanted);
    let twice = json!({"volumes": [{"name": "data"}, {"name": "data"}]});
    assert_eq!(register(&[mount("data")], twice), "ClientException: Volume names should be unique.");
    let from = |name: &str| [json!({"name": "a", "volumesFrom": [{"sourceContainer": name}]}), json!({"name": "b"})];
    assert_eq!(register(&from("b"), json!({})), "registered");
    let wanted = "ClientException: Invalid setting for container 'a'. 'volumesFrom' names no other container with 'c'.";
    assert_eq!(register(&from("c"), json!({})), wanted);
}

#[test]
fn dependencies_can_be_met() {
    let check = json!({"healthCheck": {"command": ["CMD", "check"]}});
    let minor = json!({"essential": false});
    for (condition, b) in [("START", json!({})), ("SUCCESS", minor.clone()), ("COMPLETE", minor), ("HEALTHY", check)] {
        assert_eq!(register(&pair(condition, b), json!({})), "registered", "{condition}");
    }
    let refused = |containers: &[Value]| register(containers, json!({}));
    for condition in ["SUCCESS", "COMPLETE"] {
        let wanted = format!(
            "ClientException: Invalid 'dependsOn' setting for container 'a': the condition {condition} can't be set on 'b', which is essential."
        );
        assert_eq!(refused(&pair(condition, json!({}))), wanted);
    }
    assert_eq!(
        refused(&pair("HEALTHY", json!({}))),
        "ClientException: Invalid 'dependsOn' setting for container 'a': the condition HEALTHY needs a health check of 'b'."
    );
    assert_eq!(
        refused(&pair("START", json!({"name": "c"}))),
        "ClientException: Invalid 'dependsOn' setting for container 'a': there is no container 'b'."
    );
    let on = |name: &str| json!({"dependsOn": [{"containerName": name, "condition": "START"}]});
    let cycle = "ClientException: There is a cycle in the 'dependsOn' settings of containers: a, b.";
    assert_eq!(refused(&pair("START", on("a"))), cycle);
    let own = "ClientException: There is a cycle in the 'dependsOn' settings of containers: a.";
    assert_eq!(refused(&[merged(json!({"name": "a"}), on("a"))]), own);
}

#[test]
fn health_checks_are_within_their_bounds() {
    let with = |check: Value| register(&[json!({"name": "a", "healthCheck": check})], json!({}));
    let command = json!({"command": ["CMD-SHELL", "exit 0"]});
    let greatest = json!({"interval": 300, "timeout": 60, "retries": 10, "startPeriod": 300});
    assert_eq!(with(merged(command.clone(), greatest)), "registered");
    for (member, value, bounds) in [
        ("interval", 4, "5 and 300"),
        ("interval", 301, "5 and 300"),
        ("timeout", 61, "2 and 60"),
        ("retries", 0, "1 and 10"),
        ("startPeriod", 301, "0 and 300"),
    ] {
        let wanted = format!(
            "ClientException: Invalid setting for container 'a'. 'healthCheck.{member}' must be between {bounds}."
        );
        assert_eq!(with(merged(command.clone(), json!({member: value}))), wanted);
    }
    for command in [json!([]), json!(["CMD"]), json!(["curl", "-f", "http://localhost/"])] {
        let wanted = "ClientException: Invalid setting for container 'a'. 'healthCheck.command' must begin with CMD or CMD-SHELL, followed by a command.";
        assert_eq!(with(json!({"command": command})), wanted);
    }
}

#[test]
fn placement_constraints_can_be_evaluated() {
    let with = |constraint: Value| register(&[json!({"name": "a"})], json!({"placementConstraints": [constraint]}));
    let member = |expression: &str| with(json!({"type": "memberOf", "expression": expression}));
    assert_eq!(member("attribute:ecs.availability-zone in [us-west-2a, us-west-2b]"), "registered");
    assert_eq!(
        member("agentVersion > 1"),
        "ClientException: The expression of the placement constraint memberOf cannot be evaluated: the subject 'agentVersion' is not known here."
    );
    assert_eq!(
        with(json!({"type": "distinctInstance"})),
        "ClientException: The placement constraint type of a task definition must be memberOf."
    );
}
