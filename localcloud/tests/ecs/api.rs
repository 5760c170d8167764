//! Answers, refusals and idempotency, call by call.

use serde_json::{Value, json};

use crate::lab::{Lab, merged, text};

/// Refusals as lines, without the list of what would have been known.
fn shown(refusals: &[String]) -> String {
    let line = |refusal: &String| refusal.split(", expected one of").next().unwrap_or_default().to_owned();
    refusals.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn create_service_answers_awss_defaults() {
    let lab = Lab::new();
    lab.revision("monolith");
    let mut created = lab.create(0, json!({}));
    for volatile in ["createdAt", "currentServiceDeployment", "currentServiceRevisions", "deployments"] {
        assert!(created.as_object_mut().unwrap().remove(volatile).is_some(), "{volatile}");
    }
    let expected = json!({
        "serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/interstella/monolith",
        "serviceName": "monolith",
        "clusterArn": "arn:aws:ecs:us-west-2:123456789012:cluster/interstella",
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": 0,
        "runningCount": 0,
        "pendingCount": 0,
        "launchType": "EC2",
        "taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/monolith:1",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {
                "enable": false,
                "rollback": false,
                "resetOnHealthyTask": true,
                "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
            },
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        },
        "events": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "healthCheckGracePeriodSeconds": 0,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": "arn:aws:iam::123456789012:root",
        "enableECSManagedTags": false,
        "propagateTags": "NONE",
        "enableExecuteCommand": false,
        "availabilityZoneRebalancing": "ENABLED",
        "resourceManagementType": "CUSTOMER",
    });
    assert_eq!(created, expected);
}

#[test]
fn zone_rebalancing_depends_on_the_maximum() {
    let lab = Lab::new();
    lab.revision("monolith");
    let tight = json!({"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0}});
    assert_eq!(lab.create(0, tight)["availabilityZoneRebalancing"], "DISABLED");
}

#[test]
fn a_client_token_makes_creation_idempotent() {
    let lab = Lab::new();
    lab.revision("monolith");
    let request = json!({"clientToken": "t", "tags": [{"key": "a", "value": "1"}]});
    let created = lab.create(0, request.clone());
    let retagged = merged(request.clone(), json!({"tags": [{"key": "a", "value": "2"}]}));
    let again = lab.create(0, retagged);
    assert_eq!(again["deployments"][0]["id"], created["deployments"][0]["id"]);
    assert_eq!(again["tags"], json!([{"key": "a", "value": "1"}]));
    let base =
        json!({"cluster": "interstella", "serviceName": "monolith", "taskDefinition": "monolith", "desiredCount": 0});
    let refused = "InvalidParameterException: Creation of service was not idempotent.";
    assert_eq!(lab.refused("CreateService", base.clone()), refused);
    let other_name = merged(base, merged(request, json!({"serviceName": "other"})));
    assert_eq!(lab.call("CreateService", other_name)["service"]["serviceName"], "other");
}

#[test]
fn unknown_things_are_refused_with_awss_words() {
    let lab = Lab::new();
    lab.revision("monolith");
    let cluster = |more: Value| merged(json!({"cluster": "interstella"}), more);
    let create = |more: Value| {
        let base = json!({"serviceName": "s", "taskDefinition": "monolith", "desiredCount": 1});
        lab.refused("CreateService", cluster(merged(base, more)))
    };
    lab.create(0, json!({}));
    let table = [
        lab.refused("UpdateService", cluster(json!({"service": "none"}))),
        lab.refused("UpdateService", cluster(json!({"service": "monolith", "desiredCount": -1}))),
        lab.refused("UpdateService", cluster(json!({"service": "monolith", "taskDefinition": "none"}))),
        lab.refused("DeleteService", cluster(json!({"service": "none"}))),
        lab.refused("DescribeServices", json!({"cluster": "none", "services": ["a"]})),
        lab.refused("DescribeTaskDefinition", json!({"taskDefinition": "none"})),
        lab.refused("ListTasks", cluster(json!({"serviceName": "none"}))),
        lab.refused("StopTask", cluster(json!({"task": "none"}))),
        create(json!({"desiredCount": -1})),
        create(json!({"schedulingStrategy": "SOME"})),
        create(json!({"deploymentConfiguration": {"maximumPercent": 99}})),
        create(json!({"deploymentConfiguration": {"minimumHealthyPercent": 101}})),
        create(json!({"schedulingStrategy": "DAEMON"})),
        create(json!({"serviceConnectConfiguration": {"enabled": true}})),
        lab.refused("PutAccountSetting", json!({})),
    ];
    insta::assert_snapshot!(shown(&table), @r"
        ServiceNotFoundException
        InvalidParameterException: Task count can not be lesser than 0
        ClientException: TaskDefinition not found.
        ServiceNotFoundException
        ClusterNotFoundException: Cluster not found.
        ClientException: Unable to describe task definition.
        ServiceNotFoundException
        InvalidParameterException: The referenced task was not found.
        InvalidParameterException: DesiredCount can not be lesser than 0
        InvalidParameterException: Scheduling strategy should be one of [REPLICA,DAEMON]
        InvalidParameterException: maximumPercent must be at least 100
        InvalidParameterException: minimumHealthyPercent must be at most 100
        NotImplemented: the local cloud does not implement ecs CreateService with schedulingStrategy DAEMON
        NotImplemented: the local cloud does not implement ecs CreateService with unknown field `serviceConnectConfiguration`
        NotImplemented: the local cloud does not implement ecs PutAccountSetting
    ");
}

#[test]
fn missing_things_are_failures() {
    let lab = Lab::new();
    let services = lab.call("DescribeServices", json!({"cluster": "interstella", "services": ["none"]}));
    let arn = "arn:aws:ecs:us-west-2:123456789012:service/interstella/none";
    assert_eq!(services, json!({"services": [], "failures": [{"arn": arn, "reason": "MISSING"}]}));
    let clusters = lab.call("DescribeClusters", json!({}));
    assert_eq!(clusters["failures"][0]["reason"], "MISSING");
}

#[test]
fn revisions_are_numbered_for_good_and_leave_in_order() {
    let lab = Lab::new();
    lab.revision("monolith");
    let second = lab.revision("monolith");
    assert!(second.ends_with("monolith:2"), "equal content is still a new revision");
    lab.create(0, json!({"taskDefinition": "monolith:1"}));
    lab.call("DeregisterTaskDefinition", json!({"taskDefinition": "monolith:2"}));
    let latest = lab.call("DescribeTaskDefinition", json!({"taskDefinition": "monolith"}));
    assert_eq!(latest["taskDefinition"]["revision"], 1);
    let inactive = lab.call("DescribeTaskDefinition", json!({"taskDefinition": second}));
    assert_eq!(inactive["taskDefinition"]["status"], "INACTIVE");
    let update = json!({"cluster": "interstella", "service": "monolith", "taskDefinition": "monolith:2"});
    assert_eq!(lab.refused("UpdateService", update), "ClientException: TaskDefinition is inactive");
    let deleted = lab.call("DeleteTaskDefinitions", json!({"taskDefinitions": ["monolith:1", "monolith:2"]}));
    assert_eq!(deleted["failures"][0]["reason"], "TASK_DEFINITION_ACTIVE");
    assert_eq!(deleted["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS");
    assert!(lab.revision("monolith").ends_with("monolith:3"));
    let listed = lab.call("ListTaskDefinitions", json!({"familyPrefix": "monolith", "sort": "DESC"}));
    let names: Vec<_> = listed["taskDefinitionArns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arn| text(arn).rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["monolith:3", "monolith:1"]);
    assert_eq!(lab.call("ListTaskDefinitionFamilies", json!({"status": "ACTIVE"}))["families"], json!(["monolith"]));
}

#[test]
fn tags_are_merged_taken_and_shown_only_when_asked() {
    let lab = Lab::new();
    lab.revision("monolith");
    let created = lab.create(0, json!({"tags": [{"key": "a", "value": "1"}]}));
    let arn = created["serviceArn"].clone();
    lab.call(
        "TagResource",
        json!({"resourceArn": arn, "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "3"}]}),
    );
    lab.call("UntagResource", json!({"resourceArn": arn, "tagKeys": ["b"]}));
    assert_eq!(
        lab.call("ListTagsForResource", json!({"resourceArn": arn}))["tags"],
        json!([{"key": "a", "value": "3"}])
    );
    assert_eq!(lab.service("monolith").get("tags"), None);
    let shown =
        lab.call("DescribeServices", json!({"cluster": "interstella", "services": ["monolith"], "include": ["TAGS"]}));
    assert_eq!(shown["services"][0]["tags"], json!([{"key": "a", "value": "3"}]));
    assert!(
        lab.refused(
            "TagResource",
            json!({"resourceArn": "arn:aws:ecs:us-west-2:123456789012:service/interstella/none", "tags": []})
        )
        .starts_with("InvalidParameterException")
    );
}

#[test]
fn tasks_carry_propagated_and_managed_tags() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(
        1,
        json!({"tags": [{"key": "a", "value": "1"}], "propagateTags": "SERVICE", "enableECSManagedTags": true}),
    );
    lab.advance(1.0);
    let expected = json!([
        {"key": "a", "value": "1"},
        {"key": "aws:ecs:clusterName", "value": "interstella"},
        {"key": "aws:ecs:serviceName", "value": "monolith"},
    ]);
    assert_eq!(lab.tasks("RUNNING")[0]["tags"], expected);
}

#[test]
fn task_definitions_that_cannot_run_are_refused() {
    let lab = Lab::new();
    let register = |more: Value| {
        let container = json!({"name": "a", "image": "monolith", "memory": 128});
        lab.refused("RegisterTaskDefinition", merged(json!({"family": "f", "containerDefinitions": [container]}), more))
    };
    let container = |more: Value| {
        let base = json!({"name": "a", "image": "monolith", "memory": 128});
        register(json!({"containerDefinitions": [merged(base, more)]}))
    };
    let table = [
        register(json!({"containerDefinitions": []})),
        container(json!({"memory": null})),
        container(json!({"memoryReservation": 256})),
        container(json!({"essential": false})),
        container(json!({"secrets": [{"name": "K", "valueFrom": "/k"}]})),
        container(json!({"portMappings": [{"containerPortRange": "1-2"}]})),
        container(json!({"comand": ["x"]})),
        register(json!({"requiresCompatibilities": ["FARGATE"]})),
        register(json!({"requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"})),
        register(
            json!({"requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "128", "networkMode": "awsvpc"}),
        ),
        register(
            json!({"networkMode": "awsvpc", "containerDefinitions": [{"name": "a", "image": "m", "memory": 9, "portMappings": [{"containerPort": 1, "hostPort": 2}]}]}),
        ),
        register(json!({"proxyConfiguration": {}})),
    ];
    insta::assert_snapshot!(shown(&table), @r"
        ClientException: Container list cannot be empty.
        ClientException: Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' must be specified.
        ClientException: Invalid setting for container 'a'. The 'memoryReservation' value must be less than or equal to 'memory'.
        ClientException: At least one container must be marked essential.
        ClientException: When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.
        NotImplemented: the local cloud does not implement ecs RegisterTaskDefinition, containerDefinitions, with unknown field `containerPortRange`
        NotImplemented: the local cloud does not implement ecs RegisterTaskDefinition, containerDefinitions, with unknown field `comand`
        ClientException: Fargate requires that 'cpu' be defined at the task level.
        ClientException: Fargate only supports network mode 'awsvpc'.
        ClientException: No Fargate configuration exists for given values: 256 CPU, 128 memory. See the Amazon ECS documentation for the valid values.
        ClientException: When networkMode=awsvpc, the host ports and container ports in port mappings must match.
        NotImplemented: the local cloud does not implement ecs RegisterTaskDefinition with unknown field `proxyConfiguration`
    ");
}
