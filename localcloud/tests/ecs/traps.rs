//! What other stand-ins for ECS get wrong, one test each.

use serde_json::{Value, json};

use crate::lab::{Lab, text};

#[test]
fn trap_1_registering_loses_nothing() {
    let lab = Lab::new();
    let container = json!({
        "name": "monolith",
        "image": "monolith:1",
        "memoryReservation": 128,
        "command": ["serve", "--now"],
        "entryPoint": ["/monolith"],
        "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": ""}],
        "secrets": [{"name": "KEY", "valueFrom": "/interstella/apiKey"}],
        "healthCheck": {"command": ["CMD", "true"]},
        "stopTimeout": 60,
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-west-2", "mode": "non-blocking"}},
        "portMappings": [{"containerPort": 5000, "name": "http", "appProtocol": "http"}],
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        "dockerLabels": {"a": "b"},
    });
    let input = json!({
        "family": "monolith",
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [container],
        "tags": [{"key": "interstella:app", "value": "interstella/monolith"}],
    });
    lab.call("RegisterTaskDefinition", input);
    let answer = lab.call("DescribeTaskDefinition", json!({"taskDefinition": "monolith", "include": ["TAGS"]}));
    let definition = &answer["taskDefinition"]["containerDefinitions"][0];
    for (member, value) in container.as_object().unwrap() {
        match member.as_str() {
            "healthCheck" => {
                assert_eq!(
                    definition["healthCheck"],
                    json!({"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3})
                );
            }
            "portMappings" => assert_eq!(
                definition["portMappings"],
                json!([{"containerPort": 5000, "name": "http", "appProtocol": "http", "hostPort": 0, "protocol": "tcp"}])
            ),
            _ => assert_eq!(&definition[member], value, "{member}"),
        }
    }
    assert_eq!(definition["cpu"], 0);
    assert_eq!(definition["essential"], true);
    for list in ["mountPoints", "volumesFrom", "systemControls"] {
        assert_eq!(definition[list], json!([]));
    }
    for absent in ["memory", "startTimeout"] {
        assert_eq!(definition.get(absent), None);
    }
    assert_eq!(answer["tags"], json!([{"key": "interstella:app", "value": "interstella/monolith"}]));
    assert_eq!(answer["taskDefinition"]["revision"], 1);
}

#[test]
fn trap_2_a_service_that_cannot_work_is_refused() {
    let lab = Lab::new();
    lab.revision("monolith");
    let lone = lab.lone_target_group("instance");
    let group = lab.target_group("ip", 5);
    let create = |more: Value| {
        let base = json!({"cluster": "interstella", "serviceName": "monolith", "taskDefinition": "monolith", "desiredCount": 1});
        lab.refused("CreateService", crate::lab::merged(base, more))
    };
    let balancer = |group: &str, container: &str, port: u16| json!({"loadBalancers": [{"targetGroupArn": group, "containerName": container, "containerPort": port}]});
    assert_eq!(create(json!({"taskDefinition": "other"})), "ClientException: TaskDefinition not found.");
    assert_eq!(
        create(balancer(&group, "web", 5000)),
        "InvalidParameterException: The container web does not exist in the task definition."
    );
    assert_eq!(
        create(balancer(&group, "monolith", 80)),
        "InvalidParameterException: The container monolith did not have a container port 80 defined."
    );
    assert_eq!(
        create(balancer(&lone, "monolith", 5000)),
        format!(
            "InvalidParameterException: The target group with targetGroupArn {lone} does not have an associated load balancer."
        )
    );
    assert_eq!(
        create(balancer(&group, "monolith", 5000)),
        format!(
            "InvalidParameterException: The provided target group {group} has target type ip, which is incompatible with the bridge network mode specified in the task definition."
        )
    );
    assert!(create(balancer("arn:none", "monolith", 5000)).contains("arn:none does not exist"));
    assert_eq!(create(json!({"cluster": "other"})), "ClusterNotFoundException: Cluster not found.");
    let none: Value = json!({"cluster": "interstella", "serviceName": "monolith", "taskDefinition": "monolith"});
    assert_eq!(lab.refused("CreateService", none), "InvalidParameterException: DesiredCount is missing");
}

#[test]
fn trap_3_deployments_tasks_and_events_tell_what_happens() {
    let lab = Lab::new();
    let revision = lab.revision("monolith");
    let created = lab.create(2, json!({}));
    assert_eq!((&created["runningCount"], &created["pendingCount"]), (&json!(0), &json!(0)));
    let deployment = &created["deployments"][0];
    let id = text(&deployment["id"]);
    assert!(id.starts_with("ecs-svc/"));
    assert_eq!(deployment["status"], "PRIMARY");
    assert_eq!(deployment["taskDefinition"], json!(revision));
    assert_eq!(deployment["rolloutState"], "IN_PROGRESS");
    assert_eq!(deployment["rolloutStateReason"], json!(format!("ECS deployment {id} in progress.")));
    lab.advance(0.01);
    let starting = lab.service("monolith");
    assert_eq!((&starting["runningCount"], &starting["pendingCount"]), (&json!(0), &json!(2)));
    lab.advance(1.0);
    assert_eq!(lab.service("monolith")["runningCount"], 2);
    let tasks = lab.tasks("RUNNING");
    assert_eq!(tasks.len(), 2);
    assert!(tasks.iter().all(|task| task["startedBy"] == json!(id) && task["group"] == "service:monolith"));
    assert_eq!(lab.service("monolith")["deployments"][0]["rolloutState"], "IN_PROGRESS");
    lab.until_stable();
    let deployment = &lab.service("monolith")["deployments"][0];
    assert_eq!(deployment["rolloutStateReason"], json!(format!("ECS deployment {id} completed.")));
    let events = lab.events();
    assert!(events[0].starts_with("(service monolith) has started 2 tasks: (task "), "{events:?}");
    let completed = format!("(service monolith) (deployment {id}) deployment completed.");
    assert_eq!(events[1..], [completed, "(service monolith) has reached a steady state.".to_owned()]);
}

#[test]
fn trap_4_names_are_not_taken_over_and_deletion_drains() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create_balanced(1, json!({}));
    let again =
        json!({"cluster": "interstella", "serviceName": "monolith", "taskDefinition": "monolith", "desiredCount": 1});
    assert_eq!(
        lab.refused("CreateService", again.clone()),
        "InvalidParameterException: Creation of service was not idempotent."
    );
    lab.until_stable();
    let named = json!({"cluster": "interstella", "service": "monolith"});
    assert_eq!(
        lab.refused("DeleteService", named.clone()),
        "InvalidParameterException: The service cannot be stopped while it is scaled above 0."
    );
    let deleted = lab.call("DeleteService", json!({"cluster": "interstella", "service": "monolith", "force": true}));
    assert_eq!(deleted["service"]["status"], "DRAINING");
    assert_eq!(deleted["service"]["desiredCount"], 0);
    lab.advance(1.0);
    assert_eq!(lab.service("monolith")["status"], "DRAINING");
    assert_eq!(lab.call("ListServices", json!({"cluster": "interstella"}))["serviceArns"], json!([]));
    assert_eq!(
        lab.refused("CreateService", again),
        "InvalidParameterException: Unable to Start a service that is still Draining."
    );
    lab.advance(5.0);
    assert_eq!(lab.service("monolith")["status"], "INACTIVE");
    assert!(lab.refused("UpdateService", named).starts_with("ServiceNotActiveException"));
    assert_eq!(lab.create(0, json!({}))["status"], "ACTIVE");
}

#[test]
fn trap_5_a_cluster_in_use_stays_and_lists_have_pages() {
    let lab = Lab::new();
    lab.revision("monolith");
    for index in 0..12 {
        let input = json!({"cluster": "interstella", "serviceName": format!("s{index:02}"), "taskDefinition": "monolith", "desiredCount": 0});
        lab.call("CreateService", input);
    }
    assert!(
        lab.refused("DeleteCluster", json!({"cluster": "interstella"})).starts_with("ClusterContainsServicesException")
    );
    let first = lab.call("ListServices", json!({"cluster": "interstella"}));
    assert_eq!(first["serviceArns"].as_array().unwrap().len(), 10);
    // A service that goes between two pages moves nothing.
    lab.call("DeleteService", json!({"cluster": "interstella", "service": "s09"}));
    let second = lab.call("ListServices", json!({"cluster": "interstella", "nextToken": first["nextToken"]}));
    let arn = |name: &str| format!("arn:aws:ecs:us-west-2:123456789012:service/interstella/{name}");
    assert_eq!(second, json!({"serviceArns": [arn("s10"), arn("s11")]}));
}

#[test]
fn trap_6_static_ports_conflict_placement_fails_and_a_missing_image_does_not_run() {
    let lab = Lab::new();
    lab.revision("monolith:missing-1");
    lab.create(1, json!({}));
    lab.advance(0.5);
    let stopped = &lab.tasks("STOPPED")[0];
    assert_eq!(stopped["stopCode"], "TaskFailedToStart");
    assert!(text(&stopped["stoppedReason"]).starts_with("CannotPullContainerError: "));
    assert_eq!(lab.service("monolith")["runningCount"], 0);
    // Static ports and placement: see `placement`.
}
