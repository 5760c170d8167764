//! Scalable targets: registration, bounds, tags, deletion, and what becomes of their activities.

use interstella_localcloud::call::Service;
use serde_json::json;

use crate::scene::{Scene, WORKER};

#[test]
fn registering_moves_the_count_between_the_bounds_at_once() {
    let scene = Scene::new(1);
    scene.register(2, 5);
    assert_eq!(scene.desired(), 2);
    assert_eq!(scene.activities(), ["InProgress: Setting desired count to 2. minimum capacity was set to 2"]);
    assert_eq!(scene.messages(), ["Successfully set desired count to 2. Waiting for change to be fulfilled by ecs."]);
    scene.until_fulfilled();
    assert_eq!(scene.messages(), ["Successfully set desired count to 2. Change successfully fulfilled by ecs."]);
    assert_eq!(scene.service()["runningCount"], 2);
}

#[test]
fn an_update_moves_the_count_too_even_if_it_names_no_bound() {
    let scene = Scene::new(2);
    scene.register(1, 4);
    assert_eq!(scene.activities(), Vec::<String>::new());
    scene.set_by_hand(6);
    scene.call("RegisterScalableTarget", json!({"SuspendedState": {"DynamicScalingInSuspended": true}}));
    assert_eq!((scene.desired(), scene.bounds()), (4, (1, 4)), "what is left out stays");
    assert_eq!(scene.activities(), ["InProgress: Setting desired count to 4. maximum capacity was set to 4"]);
}

#[test]
fn a_change_by_somebody_else_overrides_the_activity() {
    let scene = Scene::new(1);
    scene.register(2, 5);
    scene.set_by_hand(3);
    scene.advance(1.0);
    assert_eq!(scene.messages(), ["Successfully set desired count to 2. Found it was later changed to 3."]);
    assert!(scene.activities()[0].starts_with("Overridden"));
}

#[test]
fn what_aws_refuses_is_refused() {
    let scene = Scene::new(1);
    let refusals = [
        json!({"MinCapacity": 1}),
        json!({"MinCapacity": 3, "MaxCapacity": 2}),
        json!({"MinCapacity": -1, "MaxCapacity": 2}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "service/interstella/other"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "interstella/worker"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ScalableDimension": "ecs:service:Tasks"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ServiceNamespace": "dynamodb"}),
    ];
    let refused: Vec<String> =
        refusals.into_iter().map(|input| scene.refused("RegisterScalableTarget", input)).collect();
    insta::assert_snapshot!(refused.join("\n"), @r"
    ValidationException: MaxCapacity must be given to register a new scalable target.
    ValidationException: Maximum capacity 2 cannot be less than minimum capacity 3.
    ValidationException: MinCapacity cannot be negative.
    ValidationException: ECS service doesn't exist: service/interstella/other
    ValidationException: Unsupported resource ID: interstella/worker. A service of ECS is service/<cluster name>/<service name>.
    ValidationException: Unsupported service namespace, resource type or scalable dimension: ecs, ecs:service:Tasks. The dimension of ecs is ecs:service:DesiredCount.
    NotImplemented: the local cloud does not implement application-autoscaling in the namespace dynamodb
    ");
    assert_eq!(scene.call("DescribeScalableTargets", json!({}))["ScalableTargets"], json!([]));
}

#[test]
fn tags_are_given_at_creation_or_by_the_tag_calls() {
    let scene = Scene::new(1);
    let tags = json!({"app": "worker"});
    let arn = scene.call("RegisterScalableTarget", json!({"MinCapacity": 1, "MaxCapacity": 2, "Tags": tags}));
    let arn = arn["ScalableTargetARN"].clone();
    let again = scene.refused("RegisterScalableTarget", json!({"MaxCapacity": 3, "Tags": tags}));
    assert!(again.starts_with("ValidationException") && again.contains("TagResource"), "{again}");
    let tagging = |operation, input| scene.ok(Service::ApplicationAutoScaling, operation, input);
    tagging("TagResource", json!({"ResourceARN": arn, "Tags": {"team": "x"}}));
    tagging("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["app", "absent"]}));
    assert_eq!(tagging("ListTagsForResource", json!({"ResourceARN": arn})), json!({"Tags": {"team": "x"}}));
    let filter = json!({"TagFilters": [{"Key": "team"}], "ResourceTypeFilters": ["application-autoscaling"]});
    let found = scene.ok(Service::Tagging, "GetResources", filter);
    assert_eq!(found["ResourceTagMappingList"][0]["ResourceARN"], arn);
}

#[test]
fn a_target_is_described_with_the_three_switches() {
    let scene = Scene::new(1);
    scene.register(1, 2);
    let target = scene.call("DescribeScalableTargets", json!({}))["ScalableTargets"][0].clone();
    insta::assert_json_snapshot!(target, @r#"
    {
      "ServiceNamespace": "ecs",
      "ResourceId": "service/interstella/worker",
      "ScalableDimension": "ecs:service:DesiredCount",
      "MinCapacity": 1,
      "MaxCapacity": 2,
      "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
      "CreationTime": 1790000040.5,
      "SuspendedState": {
        "DynamicScalingInSuspended": false,
        "DynamicScalingOutSuspended": false,
        "ScheduledScalingSuspended": false
      },
      "ScalableTargetARN": "arn:aws:application-autoscaling:us-west-2:123456789012:scalable-target/0ec5c1dfda7a5eb236f8acb06798004bbc2f"
    }
    "#);
    let none = scene.call("DescribeScalableTargets", json!({"ResourceIds": ["service/interstella/other"]}));
    assert_eq!(none["ScalableTargets"], json!([]));
}

#[test]
fn deregistering_deletes_policies_their_alarms_and_schedules_but_not_activities() {
    let scene = Scene::new(1);
    scene.register(2, 5);
    let alarms = scene.track("load", 10.0, json!({}));
    let action = json!({"ScheduledActionName": "night", "Schedule": "rate(1 hour)",
        "ScalableTargetAction": {"MaxCapacity": 1}});
    scene.call("PutScheduledAction", action);
    scene.call("DeregisterScalableTarget", json!({}));
    assert_eq!(alarms.iter().map(|alarm| scene.state(alarm)).collect::<Vec<_>>(), ["(no such alarm)"; 2]);
    assert_eq!(scene.call("DescribeScalingPolicies", json!({}))["ScalingPolicies"], json!([]));
    assert_eq!(scene.call("DescribeScheduledActions", json!({}))["ScheduledActions"], json!([]));
    scene.advance(7_200.0);
    assert_eq!(scene.desired(), 2, "the schedule is gone");
    assert_eq!(scene.activities(), ["Successful: Setting desired count to 2. minimum capacity was set to 2"]);
    let gone = scene.refused("DeregisterScalableTarget", json!({}));
    assert_eq!(
        gone,
        format!(
            "ObjectNotFoundException: No scalable target found for service namespace: ecs, resource ID: {WORKER}, \
             scalable dimension: ecs:service:DesiredCount"
        )
    );
}

#[test]
fn deleting_the_service_deletes_the_target() {
    let scene = Scene::new(2);
    scene.register(1, 5);
    let alarms = scene.track("load", 10.0, json!({}));
    scene.ecs("DeleteService", json!({"cluster": "interstella", "service": "worker", "force": true}));
    assert_eq!(scene.call("DescribeScalableTargets", json!({}))["ScalableTargets"], json!([]));
    assert_eq!(scene.state(&alarms[0]), "(no such alarm)");
    scene.advance(120.0);
    scene.create_service(7);
    scene.advance(120.0);
    assert_eq!(scene.desired(), 7, "a new service of the name is not a target");
}

#[test]
fn activities_are_paged_newest_first() {
    let scene = Scene::new(1);
    for bound in 2..=5 {
        scene.register(bound, 9);
        scene.until_fulfilled();
    }
    let page = scene.call("DescribeScalingActivities", json!({"MaxResults": 3}));
    let described = |page: &serde_json::Value| -> Vec<String> {
        let all = page["ScalingActivities"].as_array().unwrap();
        all.iter().map(|activity| activity["Description"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(described(&page), [5, 4, 3].map(|count| format!("Setting desired count to {count}.")));
    let rest = scene.call("DescribeScalingActivities", json!({"NextToken": page["NextToken"]}));
    assert_eq!((described(&rest), rest.get("NextToken")), (vec!["Setting desired count to 2.".to_owned()], None));
    let bad = scene.refused("DescribeScalingActivities", json!({"NextToken": "none"}));
    assert!(bad.starts_with("InvalidNextTokenException"), "{bad}");
}
