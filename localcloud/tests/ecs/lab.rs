//! A cloud as the workshop left it, and short words for what tests do with it.

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::runtime::model::{Behaviour, Model};
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::world::World;
use serde_json::{Value, json};

/// The workshop's cloud.
pub struct Lab {
    /// The cloud.
    pub cloud: Arc<Cloud>,
    /// Its runtime.
    pub model: Model,
}

impl Lab {
    /// Knows the images `monolith` and `bad`.
    pub fn new() -> Self {
        let mut images = Images::default();
        for name in ["monolith", "bad"] {
            let program = Program { path: program(name), arguments: Vec::new() };
            images.insert(name, Image::new(program, name.as_bytes()).unwrap());
        }
        let model = Model::default();
        let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
        let cloud = Cloud::new(World::new("us-west-2", 7, images), clock, Box::new(model.clone()));
        let options = SeedOptions { api_key: "key".to_owned(), api_endpoint: "http://127.0.0.1:8889".to_owned() };
        cloud.with_world(|world, now| seed::workshop(world, now, &options)).unwrap();
        Self { cloud, model }
    }

    /// A call to ECS that succeeds.
    pub fn call(&self, operation: &str, input: Value) -> Value {
        self.cloud.call(Service::Ecs, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// A call to ECS that is refused, as `Code: message`, or as `Code` where AWS gives no message.
    pub fn refused(&self, operation: &str, input: Value) -> String {
        match self.cloud.call(Service::Ecs, operation, input) {
            Ok(answer) => panic!("{operation} was not refused: {answer}"),
            Err(error) => error.to_string().trim_end_matches([':', ' ']).to_owned(),
        }
    }

    /// Has programs of the image `bad` behave.
    pub fn bad(&self, behaviour: Behaviour) {
        self.model.behave(program("bad"), Some(behaviour));
    }

    /// Has the health checks of containers of the image `bad` fail, or pass again.
    pub fn fail_checks(&self, fail: bool) {
        self.model.fail_container_checks(program("bad"), fail);
    }

    /// Lets cloud time pass.
    pub fn advance(&self, seconds: f64) {
        self.cloud.advance(Duration::from_secs_f64(seconds));
    }

    /// Lets cloud time pass until something holds, at most ten minutes.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = self.cloud.now();
        while !holds(self) {
            assert!(
                self.cloud.now().since(start) < Duration::from_secs(600),
                "never: {what}\n{}",
                self.service("monolith")
            );
            self.advance(0.1);
        }
    }

    /// Registers a revision of the family `monolith` with one container, and returns its ARN.
    pub fn revision(&self, image: &str) -> String {
        self.revision_with(json!({"name": "monolith", "image": image, "memoryReservation": 128, "portMappings": [{"containerPort": 5000}]}))
    }

    /// Registers a revision of the family `monolith` with this container, and returns its ARN.
    pub fn revision_with(&self, container: Value) -> String {
        let input = json!({
            "family": "monolith",
            "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "containerDefinitions": [container],
        });
        text(&self.call("RegisterTaskDefinition", input)["taskDefinition"]["taskDefinitionArn"])
    }

    /// Creates the service `monolith` without load balancer, merged with `more`.
    pub fn create(&self, desired: u32, more: Value) -> Value {
        let input = json!({"cluster": "interstella", "serviceName": "monolith", "taskDefinition": "monolith", "desiredCount": desired});
        self.call("CreateService", merged(input, more))["service"].clone()
    }

    /// Creates the service `monolith` behind a load balancer, merged with `more`, and returns the target group's ARN.
    pub fn create_balanced(&self, desired: u32, more: Value) -> String {
        let group = self.target_group("instance", 5);
        let balancers = json!([{"targetGroupArn": group, "containerName": "monolith", "containerPort": 5000}]);
        self.create(desired, merged(json!({"loadBalancers": balancers}), more));
        group
    }

    /// A target group behind a load balancer, with a deregistration delay.
    pub fn target_group(&self, target_type: &str, delay_seconds: u32) -> String {
        let elb = |operation, input| self.cloud.call(Service::Elb, operation, input).unwrap();
        let group = self.lone_target_group(target_type);
        let delay = json!({"Key": "deregistration_delay.timeout_seconds", "Value": delay_seconds.to_string()});
        elb("ModifyTargetGroupAttributes", json!({"TargetGroupArn": group, "Attributes": [delay]}));
        let balancer = elb("CreateLoadBalancer", json!({"Name": "interstella", "Subnets": seed::SUBNETS}));
        let balancer = text(&balancer["LoadBalancers"][0]["LoadBalancerArn"]);
        let forward = json!([{"Type": "forward", "TargetGroupArn": group}]);
        elb(
            "CreateListener",
            json!({"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 5000, "DefaultActions": forward}),
        );
        self.advance(1.0);
        group
    }

    /// A target group that no load balancer uses.
    pub fn lone_target_group(&self, target_type: &str) -> String {
        let input = json!({
            "Name": format!("monolith-{target_type}"),
            "Protocol": "HTTP",
            "Port": 80,
            "VpcId": "vpc-0a1b2c3d4e5f60001",
            "TargetType": target_type,
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
        });
        text(&self.cloud.call(Service::Elb, "CreateTargetGroup", input).unwrap()["TargetGroups"][0]["TargetGroupArn"])
    }

    /// UpdateService of `monolith`.
    pub fn update(&self, more: Value) -> Value {
        let input = json!({"cluster": "interstella", "service": "monolith"});
        self.call("UpdateService", merged(input, more))["service"].clone()
    }

    /// DescribeServices of one service.
    pub fn service(&self, name: &str) -> Value {
        self.call("DescribeServices", json!({"cluster": "interstella", "services": [name]}))["services"][0].clone()
    }

    /// Waits for one deployment that has all of its tasks and is complete.
    pub fn until_stable(&self) {
        self.until("stable", |lab| {
            let service = lab.service("monolith");
            let deployments = service["deployments"].as_array().unwrap();
            deployments.len() == 1
                && service["runningCount"] == service["desiredCount"]
                && deployments[0]["rolloutState"] == "COMPLETED"
        });
    }

    /// Messages of the service's events, oldest first.
    pub fn events(&self) -> Vec<String> {
        let service = self.service("monolith");
        service["events"].as_array().unwrap().iter().rev().map(|event| text(&event["message"])).collect()
    }

    /// The service's tasks, by desired status.
    pub fn tasks(&self, desired_status: &str) -> Vec<Value> {
        let input = json!({"cluster": "interstella", "serviceName": "monolith", "desiredStatus": desired_status});
        let arns = self.call("ListTasks", input)["taskArns"].clone();
        if arns.as_array().unwrap().is_empty() {
            return Vec::new();
        }
        let input = json!({"cluster": "interstella", "tasks": arns, "include": ["TAGS"]});
        self.call("DescribeTasks", input)["tasks"].as_array().unwrap().clone()
    }
}

/// A JSON string's text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

/// The members of `more` over those of `base`.
pub fn merged(mut base: Value, more: Value) -> Value {
    let Value::Object(more) = more else { return base };
    base.as_object_mut().unwrap().extend(more);
    base
}

/// Where the model takes an image's program to be.
fn program(name: &str) -> std::path::PathBuf {
    format!("/programs/{name}").into()
}
