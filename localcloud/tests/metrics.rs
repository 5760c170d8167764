//! What happens in the cloud becomes metrics, minute by minute: on the `model` runtime with a stepped clock, and counts that the
//! test gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value, dead_code)]

#[path = "ecs/lab.rs"]
mod lab;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use interstella_localcloud::call::Service;
use interstella_localcloud::elb::{Counts, Traffic};
use lab::{Lab, text};
use serde_json::{Value, json};

/// Counts as the test says, the same for every target group.
#[derive(Default)]
struct Told(Mutex<Counts>);

impl Traffic for Told {
    fn counts(&self, _target_group_arn: &str) -> Counts {
        self.0.lock().unwrap().clone()
    }
}

impl Told {
    fn more(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap());
    }
}

/// A service of two tasks behind a load balancer, at a whole minute.
fn balanced() -> (Lab, Arc<Told>, String) {
    let lab = Lab::new();
    let told = Arc::new(Told::default());
    lab.cloud.with_world(|world, _| world.elb.count_with(Arc::<Told>::clone(&told)));
    lab.revision("monolith");
    let group = lab.create_balanced(2, json!({}));
    lab.until_stable();
    to_whole_minute(&lab);
    lab.advance(60.0);
    (lab, told, group)
}

fn to_whole_minute(lab: &Lab) {
    let passed = lab.cloud.now().as_millis() % 60_000;
    lab.advance(f64::from(i32::try_from((60_000 - passed) % 60_000).unwrap()) / 1000.0);
}

/// The metric's value of the minute that ended last; `None`: it has none.
fn value(lab: &Lab, namespace: &str, name: &str, dimensions: &[(&str, &str)], statistic: &str) -> Option<f64> {
    let now = lab.cloud.now().as_epoch_seconds();
    let dimensions: Vec<Value> = dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    let input = json!({
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": dimensions,
        "StartTime": now - 60.0,
        "EndTime": now,
        "Period": 60,
        "Statistics": [statistic],
    });
    let answer = lab.cloud.call(Service::CloudWatch, "GetMetricStatistics", input).unwrap();
    answer["Datapoints"].as_array().unwrap().first().map(|point| point[statistic].as_f64().unwrap())
}

const OWN: [(&str, &str); 2] = [("ClusterName", "interstella"), ("ServiceName", "monolith")];

/// The dimensions of the lab's load balancer and target group.
fn dimensions(lab: &Lab, group: &str) -> (String, String) {
    let answer = lab.cloud.call(Service::Elb, "DescribeLoadBalancers", json!({})).unwrap();
    let balancer = text(&answer["LoadBalancers"][0]["LoadBalancerArn"]);
    let tail = |arn: &str| arn.rsplit(':').next().unwrap().trim_start_matches("loadbalancer/").to_owned();
    (tail(&balancer), tail(group))
}

#[test]
fn requests_and_answers_of_a_minute() {
    let (lab, told, group) = balanced();
    let (balancer, group) = dimensions(&lab, &group);
    told.more(|counts| {
        counts.requests = 90;
        counts.targets = [80, 0, 6, 4];
        counts.balancer_5xx = 3;
        counts.response_times = vec![(0.1, 80), (2.0, 10)];
    });
    lab.advance(60.0);
    let both = [("LoadBalancer", balancer.as_str()), ("TargetGroup", group.as_str())];
    let of = |name: &str, statistic: &str| value(&lab, "AWS/ApplicationELB", name, &both, statistic);
    let of_balancer = |name: &str, statistic: &str| value(&lab, "AWS/ApplicationELB", name, &both[..1], statistic);
    let shown: BTreeMap<&str, Option<f64>> = BTreeMap::from([
        ("requests", of("RequestCount", "Sum")),
        ("of the balancer", of_balancer("RequestCount", "Sum")),
        ("per target", of("RequestCountPerTarget", "Sum")),
        ("per target of the group", value(&lab, "AWS/ApplicationELB", "RequestCountPerTarget", &both[1..], "Sum")),
        ("2XX", of("HTTPCode_Target_2XX_Count", "Sum")),
        ("3XX", of("HTTPCode_Target_3XX_Count", "Sum")),
        ("2XX of the balancer's groups", of_balancer("HTTPCode_Target_2XX_Count", "Sum")),
        ("5XX of the balancer", of_balancer("HTTPCode_ELB_5XX_Count", "Sum")),
        ("5XX of the balancer in the group", of("HTTPCode_ELB_5XX_Count", "Sum")),
        ("responses of the balancer's groups", of_balancer("TargetResponseTime", "SampleCount")),
        ("slowest", of("TargetResponseTime", "Maximum")),
        ("healthy", of("HealthyHostCount", "Minimum")),
        ("unhealthy", of("UnHealthyHostCount", "Maximum")),
    ]);
    insta::assert_debug_snapshot!(shown, @r#"
    {
        "2XX": Some(
            80.0,
        ),
        "2XX of the balancer's groups": Some(
            80.0,
        ),
        "3XX": None,
        "5XX of the balancer": Some(
            3.0,
        ),
        "5XX of the balancer in the group": None,
        "healthy": Some(
            2.0,
        ),
        "of the balancer": Some(
            90.0,
        ),
        "per target": Some(
            45.0,
        ),
        "per target of the group": Some(
            45.0,
        ),
        "requests": Some(
            90.0,
        ),
        "responses of the balancer's groups": Some(
            90.0,
        ),
        "slowest": Some(
            2.0,
        ),
        "unhealthy": Some(
            0.0,
        ),
    }
    "#);
    lab.advance(60.0);
    let of = |name: &str, statistic: &str| value(&lab, "AWS/ApplicationELB", name, &both, statistic);
    assert_eq!(of("RequestCount", "Sum"), Some(0.0), "no request is a value");
    assert_eq!(of("HTTPCode_Target_2XX_Count", "Sum"), None, "no answer is none");
    assert_eq!(of("TargetResponseTime", "Average"), None);
}

#[test]
fn what_tasks_use_is_a_part_of_what_they_reserve() {
    let lab = Lab::new();
    lab.revision_with(json!({"name": "monolith", "image": "monolith", "cpu": 512, "memory": 256}));
    lab.create(3, json!({}));
    lab.until_stable();
    lab.model.use_resources(0.25, 64 << 20);
    to_whole_minute(&lab);
    lab.advance(60.0);
    let of = |name: &str, statistic: &str| value(&lab, "AWS/ECS", name, &OWN, statistic);
    assert_eq!(of("CPUUtilization", "Average"), Some(50.0));
    assert_eq!(of("CPUUtilization", "SampleCount"), Some(3.0), "a value for each task");
    assert_eq!(of("MemoryUtilization", "Average"), Some(25.0));
    assert_eq!(of("LiveTaskCount", "Sum"), Some(3.0));
}

#[test]
fn nothing_that_runs_is_nothing_and_not_zero() {
    let lab = Lab::new();
    lab.model.use_resources(0.25, 64 << 20);
    lab.revision("monolith");
    lab.create(1, json!({}));
    lab.until_stable();
    lab.update(json!({"desiredCount": 0}));
    lab.until_stable();
    to_whole_minute(&lab);
    lab.advance(60.0);
    for name in ["CPUUtilization", "MemoryUtilization", "LiveTaskCount"] {
        assert_eq!(value(&lab, "AWS/ECS", name, &OWN, "SampleCount"), None, "{name}");
    }
}

#[test]
fn topics_and_queues() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(0, json!({}));
    lab.cloud.call(Service::Sqs, "CreateQueue", json!({"QueueName": "work"})).unwrap();
    let url = text(&lab.cloud.call(Service::Sqs, "GetQueueUrl", json!({"QueueName": "work"})).unwrap()["QueueUrl"]);
    to_whole_minute(&lab);
    for _ in 0..4 {
        let message = json!({"TopicArn": "arn:aws:sns:us-west-2:123456789012:orderTopic", "Message": "{}"});
        lab.cloud.call(Service::Sns, "Publish", message).unwrap();
        lab.cloud.call(Service::Sqs, "SendMessage", json!({"QueueUrl": url, "MessageBody": "m"})).unwrap();
    }
    lab.advance(60.0);
    let topic = [("TopicName", "orderTopic")];
    assert_eq!(value(&lab, "AWS/SNS", "NumberOfMessagesPublished", &topic, "Sum"), Some(4.0));
    let queue = [("QueueName", "work")];
    assert_eq!(value(&lab, "AWS/SQS", "NumberOfMessagesSent", &queue, "Sum"), Some(4.0));
    assert_eq!(value(&lab, "AWS/SQS", "ApproximateNumberOfMessagesVisible", &queue, "Average"), Some(4.0));
    lab.advance(60.0);
    assert_eq!(value(&lab, "AWS/SNS", "NumberOfMessagesPublished", &topic, "Sum"), None);
    assert_eq!(value(&lab, "AWS/SQS", "ApproximateNumberOfMessagesVisible", &queue, "Average"), Some(4.0));
}

#[test]
fn a_queue_and_a_topic_that_are_made_anew_begin_at_zero() {
    let lab = Lab::new();
    lab.revision("monolith");
    lab.create(0, json!({}));
    let made_with = |messages: usize| {
        let url =
            lab.cloud.call(Service::Sqs, "CreateQueue", json!({"QueueName": "work"})).unwrap()["QueueUrl"].clone();
        let topic = lab.cloud.call(Service::Sns, "CreateTopic", json!({"Name": "news"})).unwrap()["TopicArn"].clone();
        for _ in 0..messages {
            lab.cloud.call(Service::Sqs, "SendMessage", json!({"QueueUrl": url, "MessageBody": "m"})).unwrap();
            lab.cloud.call(Service::Sns, "Publish", json!({"TopicArn": topic, "Message": "m"})).unwrap();
        }
        (url, topic)
    };
    to_whole_minute(&lab);
    let (url, topic) = made_with(5);
    lab.advance(60.0);
    lab.cloud.call(Service::Sqs, "DeleteQueue", json!({"QueueUrl": url})).unwrap();
    lab.cloud.call(Service::Sns, "DeleteTopic", json!({"TopicArn": topic})).unwrap();
    made_with(2);
    lab.advance(60.0);
    assert_eq!(value(&lab, "AWS/SQS", "NumberOfMessagesSent", &[("QueueName", "work")], "Sum"), Some(2.0));
    assert_eq!(value(&lab, "AWS/SNS", "NumberOfMessagesPublished", &[("TopicName", "news")], "Sum"), Some(2.0));
}

#[test]
fn the_first_requests_of_a_group_count() {
    let lab = Lab::new();
    let told = Arc::new(Told::default());
    lab.cloud.with_world(|world, _| world.elb.count_with(Arc::<Told>::clone(&told)));
    to_whole_minute(&lab);
    let group = lab.target_group("instance", 5);
    told.more(|counts| counts.requests = 7);
    lab.advance(59.0);
    let (balancer, _) = dimensions(&lab, &group);
    let dimensions = [("LoadBalancer", balancer.as_str())];
    assert_eq!(value(&lab, "AWS/ApplicationELB", "RequestCount", &dimensions, "Sum"), Some(7.0));
}

#[test]
fn an_empty_cloud_has_nothing_to_look_at() {
    let lab = Lab::new();
    lab.advance(600.0);
    let answer = lab.cloud.call(Service::CloudWatch, "ListMetrics", json!({})).unwrap();
    assert_eq!(answer["Metrics"], json!([]));
}
