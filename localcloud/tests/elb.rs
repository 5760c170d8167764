//! Elastic Load Balancing through the API, with a stepped clock and scripted health checks.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "elb/calls.rs"]
mod calls;
#[path = "elb/health.rs"]
mod health;
#[path = "elb/moved.rs"]
mod moved;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::effect::{CheckResult, Effect, HealthCheckRequest, Report};
use interstella_localcloud::images::Images;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

const VPC: &str = "vpc-0a1b2c3d4e5f60001";
const SUBNETS: [&str; 2] = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];

/// Answers every health check at once with what the test says.
#[derive(Clone)]
struct Checks {
    answer: Arc<Mutex<CheckResult>>,
    asked: Arc<Mutex<Vec<HealthCheckRequest>>>,
}

impl Runtime for Checks {
    fn apply(&self, _: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)> {
        let Effect::CheckTarget(request) = effect else { return Vec::new() };
        self.asked.lock().unwrap().push(request.clone());
        let HealthCheckRequest { target_group_arn, target, .. } = request;
        vec![(Duration::ZERO, Report::TargetChecked { target_group_arn, target, result: *self.answer.lock().unwrap() })]
    }
}

/// A cloud with nothing in it.
struct Elb {
    cloud: Arc<Cloud>,
    checks: Checks,
}

impl Elb {
    fn new() -> Self {
        let checks = Checks { answer: Arc::new(Mutex::new(CheckResult::Status(200))), asked: Arc::default() };
        let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
        let world = World::new("us-west-2", 7, Images::default());
        Self { cloud: Cloud::new(world, clock, Box::new(checks.clone())), checks }
    }

    fn ok(&self, operation: &str, input: Value) -> Value {
        self.cloud.call(Service::Elb, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Code and message of the error.
    fn error(&self, operation: &str, input: Value) -> String {
        let answer = self.cloud.call(Service::Elb, operation, input);
        answer.map_or_else(|error| error.to_string(), |answer| panic!("{operation} succeeded: {answer}"))
    }

    fn advance_seconds(&self, seconds: u64) {
        self.cloud.advance(Duration::from_secs(seconds));
    }

    fn load_balancer(&self, name: &str) -> String {
        let output = self.ok("CreateLoadBalancer", json!({ "Name": name, "Subnets": SUBNETS }));
        output["LoadBalancers"][0]["LoadBalancerArn"].as_str().unwrap().to_owned()
    }

    /// A group of instances with AWS's defaults.
    fn target_group(&self, name: &str) -> String {
        self.any_target_group(json!({ "Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": VPC }))
    }

    fn ip_target_group(&self, name: &str) -> String {
        self.any_target_group(json!({ "Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": VPC, "TargetType": "ip" }))
    }

    fn any_target_group(&self, input: Value) -> String {
        let output = self.ok("CreateTargetGroup", input);
        output["TargetGroups"][0]["TargetGroupArn"].as_str().unwrap().to_owned()
    }

    fn forward(&self, target_group_arn: &str) -> Value {
        json!({ "Type": "forward", "TargetGroupArn": target_group_arn })
    }

    fn listener(&self, load_balancer_arn: &str, port: u16, action: &Value) -> String {
        let input = json!({
            "LoadBalancerArn": load_balancer_arn, "Protocol": "HTTP", "Port": port, "DefaultActions": [action],
        });
        self.ok("CreateListener", input)["Listeners"][0]["ListenerArn"].as_str().unwrap().to_owned()
    }
}
