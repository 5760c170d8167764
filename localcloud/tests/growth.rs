//! What only grows is bounded: the same hour passes again and again, and from some hour on the cloud gets no larger.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::cloudwatch::CloudWatch;
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::logs;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::world::World;
use serde_json::{Value, json};

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";
const QUEUE: &str = "http://127.0.0.1:4566/123456789012/lost";
const GROUP: &str = "/interstella/growth";

struct Growing(Arc<Cloud>);

impl Growing {
    fn new() -> Self {
        let mut images = Images::default();
        let program = Program { path: "/bin/true".into(), arguments: Vec::new() };
        images.insert("monolith", Image::new(program, &b"monolith"[..]).unwrap());
        let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
        let cloud = Cloud::new(World::new("us-west-2", 7, images), clock, Box::new(Model::default()));
        let options = SeedOptions { api_key: "key".to_owned(), api_endpoint: "http://127.0.0.1:8889".to_owned() };
        cloud.with_world(|world, now| seed::workshop(world, now, &options)).unwrap();
        let growing = Self(cloud);
        growing.call(Service::Sns, "CreateTopic", json!({"Name": "orderTopic"}));
        growing.call(Service::Sqs, "CreateQueue", json!({"QueueName": "lost"}));
        growing.call(Service::Logs, "CreateLogGroup", json!({"logGroupName": GROUP}));
        growing.call(
            Service::CloudWatch,
            "PutMetricAlarm",
            json!({
                "AlarmName": "a", "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
                "EvaluationPeriods": 1, "Threshold": 50.0, "ComparisonOperator": "GreaterThanThreshold",
            }),
        );
        growing.register();
        growing.ecs("CreateService", service("monolith", "0"));
        growing
    }

    fn call(&self, service: Service, operation: &str, input: Value) -> Value {
        self.0.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    fn ecs(&self, operation: &str, input: Value) -> Value {
        self.call(Service::Ecs, operation, input)
    }

    fn register(&self) -> String {
        let check = json!({"command": ["CMD", "check"], "interval": 60});
        let container = json!({"name": "monolith", "image": "monolith", "memory": 64, "healthCheck": check});
        let input = json!({"family": "monolith", "containerDefinitions": [container]});
        self.ecs("RegisterTaskDefinition", input)["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// Something of everything that leaves a trace.
    fn hour(&self, hour: usize) {
        let cluster = "interstella";
        let revision = self.register();
        self.ecs("UpdateService", json!({"cluster": cluster, "service": "monolith", "taskDefinition": revision}));
        let passing = format!("passing-{hour}");
        self.ecs("CreateService", service(&passing, &passing));
        self.ecs("DeleteService", json!({"cluster": cluster, "service": passing, "force": true}));
        let run = json!({"cluster": cluster, "taskDefinition": "monolith", "count": 3, "clientToken": passing});
        for task in self.ecs("RunTask", run)["tasks"].as_array().unwrap() {
            self.ecs("StopTask", json!({"cluster": cluster, "task": task["taskArn"]}));
        }
        for state in ["ALARM", "OK"].into_iter().cycle().take(20) {
            let input = json!({"AlarmName": "a", "StateValue": state, "StateReason": "by hand"});
            self.call(Service::CloudWatch, "SetAlarmState", input);
        }
        for number in 0..120 {
            self.call(Service::Sns, "Publish", json!({"TopicArn": TOPIC, "Message": "{\"bundle\": 1}"}));
            self.call(Service::Sqs, "SendMessage", json!({"QueueUrl": QUEUE, "MessageBody": "{\"bundle\": 1}"}));
            let stream = format!("{passing}/{}", number % 10);
            let line = format!("{hour} {number} of many lines that a task may write in an hour");
            self.0.with_world(|world, now| logs::append(world, now, GROUP, &stream, line));
        }
        self.0.advance(Duration::from_mins(10));
        self.ecs("DeregisterTaskDefinition", json!({"taskDefinition": format!("monolith:{}", hour + 1)}));
        self.0.advance(Duration::from_mins(50));
    }

    /// Characters of everything that the cloud holds, written out, but for metrics: they grow for fifteen days, and the
    /// test of their store goes that far.
    fn size(&self) -> usize {
        let mut size = Size(0);
        let world = World { cloudwatch: CloudWatch::default(), ..self.0.snapshot() };
        write!(size, "{world:?}").unwrap();
        size.0
    }

    /// Items of the alarms' history.
    fn history(&self) -> usize {
        let (mut count, mut token) = (0, Value::Null);
        loop {
            let mut input = json!({"MaxRecords": 100});
            if !token.is_null() {
                input["NextToken"] = token;
            }
            let page = self.call(Service::CloudWatch, "DescribeAlarmHistory", input);
            count += page["AlarmHistoryItems"].as_array().unwrap().len();
            token = page["NextToken"].clone();
            if token.is_null() {
                return count;
            }
        }
    }
}

fn service(name: &str, token: &str) -> Value {
    json!({
        "cluster": "interstella", "serviceName": name, "taskDefinition": "monolith", "desiredCount": 1, "clientToken": token,
    })
}

struct Size(usize);

impl fmt::Write for Size {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// The longest that anything of this is kept are the four days of a queue's messages.
#[test]
fn the_same_hour_again_and_again_makes_the_cloud_no_larger() {
    let growing = Growing::new();
    let (warm, end) = (110, 140);
    let mut before = 0;
    for hour in 0..end {
        growing.hour(hour);
        if hour == warm {
            before = growing.size();
        }
    }
    let after = growing.size();
    assert!(after < before + before / 50, "{before} characters became {after}");
    assert_eq!(growing.history(), 1000);
    assert_eq!(growing.0.journal.calls().len(), 0, "calls past the wire are not recorded");
}

/// A thousand of everything within moments: what AWS keeps for hours is bounded by count as well.
#[test]
fn a_burst_is_bounded_by_count() {
    let growing = Growing::new();
    let cluster = "interstella";
    let run = |token: String| {
        let input = json!({"cluster": cluster, "taskDefinition": "monolith", "clientToken": token});
        let tasks = growing.ecs("RunTask", input)["tasks"].as_array().cloned().unwrap_or_default();
        tasks.iter().map(|task| task["taskArn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut first = Vec::new();
    for number in 0..1_010 {
        let tasks = run(format!("token-{number}"));
        assert_eq!(run(format!("token-{number}")), tasks, "a token holds");
        for task in &tasks {
            growing.ecs("StopTask", json!({"cluster": cluster, "task": task}));
        }
        first = if number == 0 { tasks } else { first };
        growing.0.advance(Duration::from_millis(10));
    }
    let stopped = growing.ecs("ListTasks", json!({"cluster": cluster, "desiredStatus": "STOPPED"}));
    assert_eq!(stopped["taskArns"].as_array().unwrap().len(), 100, "a page");
    let described = growing.ecs("DescribeTasks", json!({"cluster": cluster, "tasks": first}));
    assert_eq!(described["failures"].as_array().unwrap().len(), 1, "the first has given way");
    assert_eq!(run("token-0".to_owned()).len(), 1, "so has the first token");
    for number in 0..600 {
        let name = format!("passing-{number}");
        growing.ecs(
            "CreateService",
            json!({
                "cluster": cluster, "serviceName": name, "taskDefinition": "monolith", "desiredCount": 0,
            }),
        );
        growing.ecs("DeleteService", json!({"cluster": cluster, "service": name}));
        growing.0.advance(Duration::from_secs(1));
    }
    let input = json!({"cluster": cluster, "services": ["passing-0", "passing-599"]});
    let described = growing.ecs("DescribeServices", input);
    assert_eq!(described["services"].as_array().unwrap().len(), 1);
    assert_eq!(described["services"][0]["status"], "INACTIVE");
}
