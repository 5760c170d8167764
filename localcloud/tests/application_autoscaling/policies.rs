//! Scaling policies: what is accepted, what belongs to them, how they are described.

use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use crate::scene::{Scene, names};

fn tracking(configuration: Value) -> Value {
    json!({"PolicyName": "p", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration})
}

fn step(configuration: Value) -> Value {
    json!({"PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration})
}

fn predefined(metric: &str) -> Value {
    json!({"TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}})
}

fn one_step(more: Value) -> Value {
    let mut configuration = json!({"AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]});
    configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    configuration
}

/// A target group of the service behind a load balancer, and its resource label.
fn balanced(scene: &Scene) -> String {
    let elb = |operation, input| scene.ok(Service::Elb, operation, input);
    let subnets = interstella_localcloud::seed::SUBNETS;
    let group = json!({"Name": "worker", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d4e5f60001"});
    let group = elb("CreateTargetGroup", group)["TargetGroups"][0]["TargetGroupArn"].clone();
    let balancer = elb("CreateLoadBalancer", json!({"Name": "worker", "Subnets": subnets}));
    let balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"].clone();
    let forward = json!([{"Type": "forward", "TargetGroupArn": group}]);
    elb(
        "CreateListener",
        json!({"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 5000, "DefaultActions": forward}),
    );
    scene.update(json!({"loadBalancers":
        [{"targetGroupArn": group, "containerName": "worker", "containerPort": 5000}]}));
    let tail = |arn: &Value, from: &str| {
        let arn = arn.as_str().unwrap();
        arn[arn.find(from).unwrap()..].to_owned()
    };
    format!("{}/{}", tail(&balancer, "app/"), tail(&group, "targetgroup/"))
}

#[test]
fn trap_13_a_policy_needs_a_scalable_target() {
    let scene = Scene::new(1);
    let refused = scene.refused("PutScalingPolicy", tracking(predefined("ECSServiceAverageCPUUtilization")));
    assert!(refused.starts_with("ObjectNotFoundException: No scalable target"), "{refused}");
}

#[test]
fn trap_11_target_tracking_makes_its_two_alarms_as_recorded_on_aws() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let label = balanced(&scene);
    let metric = json!({"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label});
    let put = tracking(json!({"TargetValue": 20.0, "PredefinedMetricSpecification": metric}));
    let answer = scene.call("PutScalingPolicy", put);
    let [high, low] = <[String; 2]>::try_from(names(&answer["Alarms"])).unwrap();
    assert!(high.starts_with("TargetTracking-service/interstella/worker-AlarmHigh-"), "{high}");
    assert!(low.starts_with("TargetTracking-service/interstella/worker-AlarmLow-"), "{low}");
    let described = scene.ok(Service::CloudWatch, "DescribeAlarms", json!({"AlarmNames": [high, low]}));
    let shape = |alarm: &Value| {
        json!([
            alarm["Namespace"],
            alarm["MetricName"],
            alarm["Statistic"],
            alarm["Unit"],
            alarm["Period"],
            alarm["EvaluationPeriods"],
            alarm["Threshold"],
            alarm["ComparisonOperator"],
            alarm["OKActions"],
            alarm["InsufficientDataActions"],
            alarm.get("DatapointsToAlarm"),
            alarm.get("TreatMissingData"),
        ])
    };
    let metric = ["AWS/ApplicationELB", "RequestCountPerTarget", "Sum", "None"];
    let wanted = |periods: u32, threshold: f64, comparison: &str| {
        json!([metric[0], metric[1], metric[2], metric[3], 60, periods, threshold, comparison, [], [], null, null])
    };
    let alarms = &described["MetricAlarms"];
    assert_eq!(shape(&alarms[0]), wanted(3, 20.0, "GreaterThanThreshold"));
    assert_eq!(shape(&alarms[1]), wanted(15, 18.0, "LessThanThreshold"));
    let dimensions: Vec<&str> =
        alarms[0]["Dimensions"].as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap()).collect();
    assert_eq!(dimensions, ["LoadBalancer", "TargetGroup"]);
    let action = alarms[0]["AlarmActions"][0].as_str().unwrap();
    let policy = answer["PolicyARN"].as_str().unwrap();
    assert!(action.starts_with(&format!("{policy}:createdBy/")), "{action}");
    let description = format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.");
    assert_eq!(alarms[0]["AlarmDescription"], description);
}

#[test]
fn without_scale_in_there_is_one_alarm() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let alarms = scene.track("load", 10.0, json!({"DisableScaleIn": true}));
    assert!(alarms.len() == 1 && alarms[0].contains("-AlarmHigh-"), "{alarms:?}");
}

#[test]
fn an_update_keeps_the_policy_and_makes_its_alarms_anew() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let policy = || scene.call("DescribeScalingPolicies", json!({}))["ScalingPolicies"][0].clone();
    let first = scene.track("load", 10.0, json!({}));
    let before = policy();
    scene.advance(60.0);
    let second = scene.track("load", 20.0, json!({}));
    let after = policy();
    for member in ["PolicyARN", "CreationTime", "PolicyName", "PolicyType"] {
        assert_eq!(before[member], after[member]);
    }
    assert_eq!(after["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 20.0);
    assert_eq!(names(&after["Alarms"]), second);
    assert_eq!(scene.state(&first[0]), "(no such alarm)");
    assert_eq!(scene.state(&second[0]), "INSUFFICIENT_DATA");
}

#[test]
fn deleting_target_tracking_deletes_its_alarms_and_step_scaling_leaves_its_own() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let alarms = scene.track("load", 10.0, json!({}));
    scene.call("DeleteScalingPolicy", json!({"PolicyName": "load"}));
    assert_eq!(scene.state(&alarms[1]), "(no such alarm)");
    let arn = scene.call("PutScalingPolicy", step(one_step(json!({}))))["PolicyARN"].clone();
    let alarm = json!({"AlarmName": "mine", "Namespace": "Test", "MetricName": "load", "Statistic": "Average",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [arn]});
    scene.ok(Service::CloudWatch, "PutMetricAlarm", alarm);
    let described = scene.call("DescribeScalingPolicies", json!({}))["ScalingPolicies"][0].clone();
    assert_eq!(names(&described["Alarms"]), ["mine"]);
    scene.call("DeleteScalingPolicy", json!({"PolicyName": "p"}));
    assert_eq!(scene.state("mine"), "INSUFFICIENT_DATA");
    let gone = scene.refused("DeleteScalingPolicy", json!({"PolicyName": "p"}));
    assert!(gone.starts_with("ObjectNotFoundException") && gone.ends_with("policy name p"), "{gone}");
}

#[test]
fn a_predictive_policy_is_stored_and_described() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let pair = json!({"PredefinedMetricType": "ECSServiceCPUUtilization"});
    let configuration =
        json!({"MetricSpecifications": [{"TargetValue": 40.0, "PredefinedMetricPairSpecification": pair}]});
    let put = json!({"PolicyName": "p", "PolicyType": "PredictiveScaling",
        "PredictiveScalingPolicyConfiguration": configuration});
    assert_eq!(scene.call("PutScalingPolicy", put)["Alarms"], json!([]));
    let described = scene.call("DescribeScalingPolicies", json!({"PolicyNames": ["p"]}));
    assert_eq!(described["ScalingPolicies"][0]["PredictiveScalingPolicyConfiguration"], configuration);
}

#[test]
fn one_metric_is_for_one_policy() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    scene.track("load", 10.0, json!({}));
    // The same metric as metric math, with a unit, an ID and a label.
    let stat = json!({"Metric": {"Namespace": "Test", "MetricName": "load"}, "Stat": "Average", "Unit": "Count"});
    let math = json!({"Metrics": [{"Id": "m1", "Label": "l", "MetricStat": stat}]});
    let put = tracking(json!({"TargetValue": 30.0, "CustomizedMetricSpecification": math}));
    assert_eq!(
        scene.refused("PutScalingPolicy", put),
        "ValidationException: Only one TargetTrackingScaling policy for a given metric specification is allowed."
    );
    scene.track("load", 15.0, json!({}));
    scene.track("other", 15.0, json!({}));
}

#[test]
fn a_resource_label_is_admitted_if_its_target_group_is_the_services() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let label = balanced(&scene);
    let put = |label: &str| {
        let metric = json!({"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label});
        tracking(json!({"TargetValue": 20.0, "PredefinedMetricSpecification": metric}))
    };
    let (_, group) = label.split_once("/targetgroup/").unwrap();
    scene.call("PutScalingPolicy", put(&format!("app/absent/0123456789abcdef/targetgroup/{group}")));
    scene.call("PutScalingPolicy", put(&label));
    let (balancer, _) = label.split_once("/targetgroup/").unwrap();
    for refused in [
        format!("{balancer}/targetgroup/worker/0123456789abcdef"),
        label.replace("app/", "net/"),
        label[..label.len() - 1].to_owned(),
        format!("{label}/more"),
        String::new(),
    ] {
        let answer = scene.refused("PutScalingPolicy", put(&refused));
        assert!(answer.starts_with("ValidationException") && answer.contains("resource label"), "{answer}");
    }
}

#[test]
fn what_aws_refuses_of_target_tracking_is_refused() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let custom = |custom: Value| json!({"TargetValue": 5.0, "CustomizedMetricSpecification": custom});
    let cpu = |more: Value| {
        let mut configuration = predefined("ECSServiceAverageCPUUtilization");
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        configuration
    };
    let stat = json!({"Metric": {"Namespace": "N", "MetricName": "m"}, "Stat": "Sum"});
    let refusals = [
        cpu(json!({"TargetValue": 0.0})),
        cpu(json!({"ScaleInCooldown": -1})),
        cpu(json!({"CustomizedMetricSpecification": {"Namespace": "N", "MetricName": "m", "Statistic": "Sum"}})),
        json!({"TargetValue": 5.0}),
        predefined("ECSServiceAverageCPUUtilizationHighResolution"),
        predefined("DynamoDBReadCapacityUtilization"),
        custom(json!({"Namespace": "N", "MetricName": "m"})),
        custom(json!({"Metrics": [{"Id": "a", "MetricStat": stat}, {"Id": "b", "Expression": "a * 2"}]})),
        custom(json!({"Metrics": [{"Id": "a", "MetricStat": stat, "ReturnData": false}]})),
        custom(json!({"Metrics": [{"Id": "a"}]})),
    ];
    let refused: Vec<String> =
        refusals.into_iter().map(|one| scene.refused("PutScalingPolicy", tracking(one))).collect();
    insta::assert_snapshot!(refused.join("\n"), @r"
    ValidationException: TargetValue must be above zero.
    ValidationException: ScaleInCooldown cannot be negative.
    ValidationException: Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given.
    ValidationException: Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given.
    ValidationException: The metric type ECSServiceAverageCPUUtilizationHighResolution needs a service whose monitoring has a resolution of 20 seconds.
    ValidationException: The metric type DynamoDBReadCapacityUtilization is not one of the service namespace ecs.
    ValidationException: A customized metric has Namespace, MetricName and Statistic, or Metrics in their place, not both.
    ValidationException: Exactly one element of Metrics must have ReturnData true, which is the default.
    ValidationException: Exactly one element of Metrics must have ReturnData true, which is the default.
    ValidationException: Each element of Metrics has either Expression or MetricStat.
    ");
    let other = json!({"PolicyName": "p", "PolicyType": "StepScaling",
        "TargetTrackingScalingPolicyConfiguration": cpu(json!({}))});
    assert!(scene.refused("PutScalingPolicy", other).contains("StepScalingPolicyConfiguration"));
}

#[test]
fn what_aws_refuses_of_step_scaling_is_refused() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    let steps = |steps: &[(Option<f64>, Option<f64>)]| {
        let of = |&(lower, upper): &(Option<f64>, Option<f64>)| {
            let mut step = json!({"ScalingAdjustment": 1});
            for (member, bound) in [("MetricIntervalLowerBound", lower), ("MetricIntervalUpperBound", upper)] {
                if let Some(bound) = bound {
                    step[member] = json!(bound);
                }
            }
            step
        };
        json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps.iter().map(of).collect::<Vec<_>>()})
    };
    let negative = json!([{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": -1}]);
    let refusals = [
        steps(&[]),
        steps(&[(Some(0.0), Some(10.0)), (Some(11.0), None)]),
        steps(&[(Some(0.0), Some(10.0)), (Some(9.0), None)]),
        steps(&[(Some(0.0), None), (Some(9.0), None)]),
        steps(&[(Some(5.0), Some(5.0))]),
        steps(&[(Some(-5.0), Some(0.0))]),
        steps(&[(Some(0.0), Some(5.0))]),
        one_step(json!({"AdjustmentType": "ExactCapacity", "StepAdjustments": negative})),
        one_step(json!({"MinAdjustmentMagnitude": 2})),
        one_step(json!({"AdjustmentType": "PercentChangeInCapacity", "MinAdjustmentMagnitude": 0})),
        one_step(json!({"Cooldown": -1})),
        json!({"StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]}),
    ];
    let refused: Vec<String> = refusals.into_iter().map(|one| scene.refused("PutScalingPolicy", step(one))).collect();
    insta::assert_snapshot!(refused.join("\n"), @r"
    ValidationException: A step scaling policy has at least one step adjustment.
    ValidationException: The intervals of step adjustments have a gap between them; each must begin where another ends.
    ValidationException: The intervals of step adjustments overlap; each must begin where another ends.
    ValidationException: The intervals of step adjustments overlap; each must begin where another ends.
    ValidationException: The lower bound of a step adjustment must be less than its upper bound.
    ValidationException: With a negative lower bound, one step adjustment must have no lower bound.
    ValidationException: With a positive upper bound, one step adjustment must have no upper bound.
    ValidationException: With ExactCapacity a scaling adjustment cannot be negative.
    ValidationException: MinAdjustmentMagnitude is only for the adjustment type PercentChangeInCapacity.
    ValidationException: MinAdjustmentMagnitude must be at least 1.
    ValidationException: Cooldown cannot be negative.
    ValidationException: AdjustmentType is ChangeInCapacity, PercentChangeInCapacity or ExactCapacity.
    ");
    let twenty: Vec<_> = (0..20_u8).map(|n| (Some(f64::from(n)), (n < 19).then(|| f64::from(n) + 1.0))).collect();
    scene.call("PutScalingPolicy", step(steps(&twenty)));
}

#[test]
fn policies_come_ten_to_a_page() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    for number in 0..12 {
        scene.track(&format!("metric-{number:02}"), 5.0, json!({}));
    }
    let page = scene.call("DescribeScalingPolicies", json!({}));
    assert_eq!(page["ScalingPolicies"].as_array().unwrap().len(), 10);
    let rest = scene.call("DescribeScalingPolicies", json!({"NextToken": page["NextToken"]}));
    assert_eq!((rest["ScalingPolicies"].as_array().unwrap().len(), rest.get("NextToken")), (2, None));
}
