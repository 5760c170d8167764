//! A cloud with one service, and short words for what tests do with it.

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::world::World;
use serde_json::{Value, json};

/// 2026-09-21T14:13:20Z, a Monday.
const ORIGIN: i64 = 1_790_000_000_000;

/// What every request about the service `worker` says.
pub const WORKER: &str = "service/interstella/worker";

/// A cloud with the service `worker`.
pub struct Scene {
    pub cloud: Arc<Cloud>,
}

impl Scene {
    /// The service has `desired` tasks, which all run.
    pub fn new(desired: u32) -> Self {
        let scene = Self::empty();
        let container = json!({"name": "worker", "image": "worker", "memoryReservation": 128,
            "portMappings": [{"containerPort": 5000}]});
        let role = "arn:aws:iam::123456789012:role/execution";
        scene.ecs(
            "RegisterTaskDefinition",
            json!({"family": "worker", "executionRoleArn": role, "containerDefinitions": [container]}),
        );
        scene.create_service(desired);
        scene.until_completed();
        scene
    }

    fn empty() -> Self {
        let mut images = Images::default();
        let program = Program { path: "/programs/worker".into(), arguments: Vec::new() };
        images.insert("worker", Image::new(program, &b"worker"[..]).unwrap());
        let clock = Clock::stepped(CloudTime::from_millis(ORIGIN));
        let cloud = Cloud::new(World::new("us-west-2", 7, images), clock, Box::new(Model::default()));
        let options = SeedOptions { api_key: "key".to_owned(), api_endpoint: "http://127.0.0.1:8889".to_owned() };
        cloud.with_world(|world, now| seed::workshop(world, now, &options)).unwrap();
        Self { cloud }
    }

    /// Creates the service.
    pub fn create_service(&self, desired: u32) {
        let input = json!({"cluster": "interstella", "serviceName": "worker", "taskDefinition": "worker",
            "desiredCount": desired});
        self.ecs("CreateService", input);
    }

    /// A call that succeeds.
    pub fn ok(&self, service: Service, operation: &str, input: Value) -> Value {
        self.cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// A call to ECS that succeeds.
    pub fn ecs(&self, operation: &str, input: Value) -> Value {
        self.ok(Service::Ecs, operation, input)
    }

    /// A call about the service's scaling that succeeds.
    pub fn call(&self, operation: &str, more: Value) -> Value {
        self.ok(Service::ApplicationAutoScaling, operation, about_worker(operation, more))
    }

    /// A call about the service's scaling that is refused, as `Code: message`.
    pub fn refused(&self, operation: &str, more: Value) -> String {
        match self.cloud.call(Service::ApplicationAutoScaling, operation, about_worker(operation, more)) {
            Ok(answer) => panic!("{operation} was not refused: {answer}"),
            Err(error) => error.to_string(),
        }
    }

    /// Registers the service with these bounds.
    pub fn register(&self, min: u32, max: u32) -> String {
        let answer = self.call("RegisterScalableTarget", json!({"MinCapacity": min, "MaxCapacity": max}));
        answer["ScalableTargetARN"].as_str().unwrap().to_owned()
    }

    /// Puts a policy on a customized metric called `metric`, and returns the names of its alarms, the high one first.
    pub fn track(&self, metric: &str, target: f64, more: Value) -> Vec<String> {
        let mut configuration = json!({
            "TargetValue": target,
            "CustomizedMetricSpecification": {"Namespace": "Test", "MetricName": metric, "Statistic": "Average"},
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 120,
        });
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let input = json!({"PolicyName": metric, "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": configuration});
        names(&self.call("PutScalingPolicy", input)["Alarms"])
    }

    /// Puts one value of a metric of the namespace `Test`.
    pub fn put(&self, metric: &str, value: f64) {
        let input = json!({"Namespace": "Test", "MetricData": [{"MetricName": metric, "Value": value}]});
        self.ok(Service::CloudWatch, "PutMetricData", input);
    }

    /// Lets minutes of the clock pass, each with one value of each metric in it, and a second of the next.
    pub fn minutes(&self, count: u32, metrics: &[(&str, f64)]) {
        for _ in 0..count {
            for (metric, value) in metrics {
                self.put(metric, *value);
            }
            self.to_next_minute();
            self.advance(1.0);
        }
    }

    /// Lets time pass until a minute begins, which is when alarms are looked at.
    fn to_next_minute(&self) {
        let into = self.cloud.now().as_millis().rem_euclid(60_000);
        self.cloud.advance(Duration::from_millis(u64::try_from(60_000 - into).unwrap()));
        self.cloud.with_world(interstella_localcloud::cloudwatch::evaluate);
    }

    /// The state of an alarm.
    pub fn state(&self, alarm: &str) -> String {
        let answer = self.ok(Service::CloudWatch, "DescribeAlarms", json!({"AlarmNames": [alarm]}));
        answer["MetricAlarms"][0]["StateValue"].as_str().unwrap_or("(no such alarm)").to_owned()
    }

    /// Sets the service's count as a user does.
    pub fn set_by_hand(&self, count: u32) {
        self.update(json!({"desiredCount": count}));
    }

    /// UpdateService.
    pub fn update(&self, more: Value) {
        let mut input = json!({"cluster": "interstella", "service": "worker"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ecs("UpdateService", input);
    }

    /// The service.
    pub fn service(&self) -> Value {
        let input = json!({"cluster": "interstella", "services": ["worker"]});
        self.ecs("DescribeServices", input)["services"][0].clone()
    }

    /// The count that is wanted.
    pub fn desired(&self) -> u64 {
        self.service()["desiredCount"].as_u64().unwrap()
    }

    /// Minimum and maximum of the target.
    pub fn bounds(&self) -> (u64, u64) {
        let target = &self.call("DescribeScalableTargets", json!({}))["ScalableTargets"][0];
        (target["MinCapacity"].as_u64().unwrap(), target["MaxCapacity"].as_u64().unwrap())
    }

    /// The activities, oldest first: status, description and cause, and codes of reasons for not scaling.
    pub fn activities(&self) -> Vec<String> {
        let answer = self.call("DescribeScalingActivities", json!({"IncludeNotScaledActivities": true}));
        let mut lines: Vec<String> = answer["ScalingActivities"].as_array().unwrap().iter().map(line).collect();
        lines.reverse();
        lines
    }

    /// Status messages, oldest first.
    pub fn messages(&self) -> Vec<String> {
        let answer = self.call("DescribeScalingActivities", json!({}));
        let all = answer["ScalingActivities"].as_array().unwrap().iter().rev();
        all.map(|activity| activity["StatusMessage"].as_str().unwrap().to_owned()).collect()
    }

    /// Lets cloud time pass.
    pub fn advance(&self, seconds: f64) {
        self.cloud.advance(Duration::from_secs_f64(seconds));
    }

    /// Lets cloud time pass until something holds, at most ten minutes.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = self.cloud.now();
        while !holds(self) {
            let passed = self.cloud.now().since(start);
            assert!(passed < Duration::from_secs(600), "never: {what}\n{}", self.service());
            self.advance(0.5);
        }
    }

    /// Lets cloud time pass until the deployment has completed.
    pub fn until_completed(&self) {
        self.until("the deployment completes", |scene| {
            let service = scene.service();
            service["deployments"].as_array().unwrap().len() == 1
                && service["deployments"][0]["rolloutState"] == "COMPLETED"
        });
    }

    /// Lets cloud time pass until as many tasks run as are wanted, and the activity that wanted them has ended.
    pub fn until_fulfilled(&self) {
        self.until("the change is fulfilled", |scene| {
            !scene.activities().iter().any(|activity| activity.starts_with("InProgress"))
        });
    }
}

/// Names of alarms as policies list them.
pub fn names(alarms: &Value) -> Vec<String> {
    alarms.as_array().unwrap().iter().map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned()).collect()
}

/// The request with the members that name the service, over which those of `more` go.
fn about_worker(operation: &str, more: Value) -> Value {
    let mut input = json!({"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"});
    let several = operation == "DescribeScalableTargets";
    let (member, id) = if several { ("ResourceIds", json!([WORKER])) } else { ("ResourceId", json!(WORKER)) };
    input[member] = id;
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn line(activity: &Value) -> String {
    let of = |member: &str| activity[member].as_str().unwrap_or_default();
    let reason = activity["NotScaledReasons"][0]["Code"].as_str();
    let reason = reason.map(|code| format!(" ({code})")).unwrap_or_default();
    format!("{}: {} {}{reason}", of("StatusCode"), of("Description"), without_ids(of("Cause")))
}

/// Without the UUIDs at the ends of alarms' names.
fn without_ids(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.find("-AlarmHigh-").or_else(|| word.find("-AlarmLow-")) {
        Some(at) => word[..at + "-AlarmLow".len()].trim_end_matches('-').replace("AlarmHig", "AlarmHigh"),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
