//! Regions of one cloud: what is apart, what is shared, and what goes from one to another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::elb::{self, Ports};
use interstella_localcloud::faults::{Calls, Fault, Kind};
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::wire;
use interstella_localcloud::world::World;
use serde_json::{Value, json};
use tower::ServiceExt;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";
const ABROAD: &str = "eu-west-1";

/// A cloud that begins in us-west-2, seen from there and from abroad.
struct Land {
    home: Arc<Cloud>,
    abroad: Arc<Cloud>,
    model: Model,
}

impl Land {
    fn new() -> Self {
        Self::of(World::new("us-west-2", 7, Images::default()))
    }

    fn of(world: World) -> Self {
        let model = Model::default();
        let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
        let home = Cloud::new(world, clock, Box::new(model.clone()));
        let abroad = home.in_region(ABROAD).unwrap();
        Self { home, abroad, model }
    }
}

fn ok(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Value {
    cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Code and message of the error.
fn error(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> String {
    let answer = cloud.call(service, operation, input);
    answer.map_or_else(|error| error.to_string(), |answer| panic!("{operation} succeeded: {answer}"))
}

/// Bodies of what is in a queue.
fn messages(cloud: &Arc<Cloud>, name: &str) -> Vec<String> {
    let url = format!("http://127.0.0.1:4566/123456789012/{name}");
    let answer = ok(cloud, Service::Sqs, "ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 }));
    let messages = answer["Messages"].as_array().into_iter().flatten();
    messages.map(|message| message["Body"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn names_are_of_a_region_and_so_are_arns_and_tags() {
    let Land { home, abroad, .. } = Land::new();
    let create = json!({ "Name": "orderTopic", "Tags": [{ "Key": "app", "Value": "a" }] });
    assert_eq!(ok(&home, Service::Sns, "CreateTopic", create.clone())["TopicArn"], TOPIC);
    assert_eq!(ok(&abroad, Service::Sns, "ListTopics", json!({}))["Topics"], json!([]));
    let there = ok(&abroad, Service::Sns, "CreateTopic", create)["TopicArn"].clone();
    assert_eq!(there, "arn:aws:sns:eu-west-1:123456789012:orderTopic");
    for (cloud, topic) in [(&home, json!(TOPIC)), (&abroad, there.clone())] {
        let found = ok(cloud, Service::Tagging, "GetResources", json!({}));
        assert_eq!(found["ResourceTagMappingList"].as_array().unwrap().len(), 1);
        assert_eq!(found["ResourceTagMappingList"][0]["ResourceARN"], topic);
    }
    ok(&abroad, Service::Sns, "DeleteTopic", json!({ "TopicArn": there }));
    assert_eq!(ok(&home, Service::Sns, "ListTopics", json!({}))["Topics"], json!([{ "TopicArn": TOPIC }]));
}

#[test]
fn what_is_of_another_region_is_refused_in_awss_words() {
    let Land { home, abroad, .. } = Land::new();
    ok(&home, Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
    let cluster =
        ok(&home, Service::Ecs, "CreateCluster", json!({ "clusterName": "a" }))["cluster"]["clusterArn"].clone();
    ok(&abroad, Service::Ecs, "CreateCluster", json!({ "clusterName": "a" }));
    let register = |more: (&str, Value)| {
        let mut container = json!({ "name": "c", "image": "i", "memory": 64 });
        container[more.0] = more.1;
        let role = "arn:aws:iam::123456789012:role/execution";
        let input = json!({ "family": "f", "executionRoleArn": role, "containerDefinitions": [container] });
        error(&abroad, Service::Ecs, "RegisterTaskDefinition", input)
    };
    let logs = json!({ "awslogs-group": "g", "awslogs-region": "us-west-2" });
    let secret = json!({ "name": "S", "valueFrom": "arn:aws:ssm:us-west-2:123456789012:parameter/s" });
    let alarm = json!({ "AlarmName": "a", "AlarmActions": [TOPIC], "Namespace": "n", "MetricName": "m",
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold" });
    insta::assert_snapshot!([
        error(&abroad, Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "m" })),
        error(&abroad, Service::Sns, "DeleteTopic", json!({ "TopicArn": TOPIC })),
        error(&abroad, Service::Ecs, "DescribeClusters", json!({ "clusters": [cluster] })),
        error(&abroad, Service::Ecs, "ListTasks", json!({ "cluster": cluster })),
        register(("logConfiguration", json!({ "logDriver": "awslogs", "options": logs }))),
        register(("secrets", json!([secret]))),
        error(&abroad, Service::CloudWatch, "PutMetricAlarm", alarm),
    ].join("\n"), @r"
    InvalidParameter: Invalid parameter: TopicArn
    InvalidParameter: Invalid parameter: TopicArn
    InvalidParameterException: Invalid identifier: Identifier is for us-west-2. Your region is eu-west-1
    InvalidParameterException: Invalid identifier: Identifier is for us-west-2. Your region is eu-west-1
    NotImplemented: the local cloud does not implement logs in us-west-2 of a task in eu-west-1
    NotImplemented: the local cloud does not implement secrets in us-west-2 of a task in eu-west-1
    ValidationError: Invalid region us-west-2 specified. Only eu-west-1 is supported.
    ");
}

#[test]
fn a_topic_delivers_to_a_queue_of_another_region() {
    let Land { home, abroad, .. } = Land::new();
    ok(&home, Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
    ok(&home, Service::Sqs, "CreateQueue", json!({ "QueueName": "orders" }));
    ok(&home, Service::Sqs, "CreateQueue", json!({ "QueueName": "lost" }));
    ok(&abroad, Service::Sqs, "CreateQueue", json!({ "QueueName": "orders" }));
    let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:123456789012:lost"}"#;
    for region in [ABROAD, "ap-south-1"] {
        let endpoint = format!("arn:aws:sqs:{region}:123456789012:orders");
        let subscribe = json!({ "TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": endpoint,
            "Attributes": { "RedrivePolicy": redrive, "RawMessageDelivery": "true" } });
        ok(&home, Service::Sns, "Subscribe", subscribe);
    }
    ok(&home, Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "m" }));
    assert_eq!(messages(&abroad, "orders"), ["m"]);
    assert_eq!(messages(&home, "orders"), [""; 0]);
    // Nothing was ever called in ap-south-1, so there is no queue. The dead letter stays in the topic's region, as on
    // AWS.
    assert_eq!(messages(&home, "lost"), ["m"]);
    assert!(!home.has_region("ap-south-1"));

    ok(&abroad, Service::Sqs, "DeleteQueue", json!({ "QueueUrl": "http://127.0.0.1:4566/123456789012/orders" }));
    ok(&home, Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "n" }));
    assert_eq!(messages(&home, "lost"), ["n", "n"]);
    let elsewhere = "arn:aws:sqs:nowhere-1:123456789012:orders";
    let subscribe = json!({ "TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": elsewhere });
    insta::assert_snapshot!(
        error(&home, Service::Sns, "Subscribe", subscribe), @"InvalidParameter: Invalid parameter: SQS endpoint ARN");
}

#[test]
fn a_topic_delivers_to_a_load_balancer_of_another_region() {
    let Land { home, abroad, model } = Land::new();
    ok(&home, Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
    let balancer = ok(&abroad, Service::Elb, "CreateLoadBalancer", load_balancer());
    let name = balancer["LoadBalancers"][0]["DNSName"].as_str().unwrap().to_owned();
    assert!(name.ends_with(".eu-west-1.elb.localhost"), "{name}");
    let endpoint = format!("http://{name}:5000/order/");
    ok(&home, Service::Sns, "Subscribe", json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": endpoint }));
    ok(&home, Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "m" }));
    let deliveries = model.take_deliveries();
    let seen: Vec<_> = deliveries.iter().map(|one| (&*one.endpoint, one.message["Type"].as_str().unwrap())).collect();
    assert_eq!(seen, [(&*endpoint, "SubscriptionConfirmation"), (&*endpoint, "Notification")]);
}

#[test]
fn every_region_lives_in_the_same_time() {
    let mut images = Images::default();
    let program = Program { path: "/programs/i".into(), arguments: Vec::new() };
    images.insert("i", Image::new(program, &b"i"[..]).unwrap());
    let Land { home, abroad, .. } = Land::of(World::new("us-west-2", 7, images));
    for cloud in [&home, &abroad] {
        ok(cloud, Service::Elb, "CreateLoadBalancer", load_balancer());
    }
    home.advance(Duration::from_millis(200));
    for cloud in [&home, &abroad] {
        let described = ok(cloud, Service::Elb, "DescribeLoadBalancers", json!({}));
        assert_eq!(described["LoadBalancers"][0]["State"]["Code"], "active");
    }
}

fn load_balancer() -> Value {
    json!({ "Name": "shop", "Subnets": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"] })
}

/// Remembers which ports are open.
#[derive(Default)]
struct Book(Mutex<BTreeSet<u16>>);

impl Ports for Book {
    fn reserve(&self, port: u16) -> Result<(), String> {
        self.0.lock().unwrap().insert(port);
        Ok(())
    }

    fn release(&self, port: u16) {
        self.0.lock().unwrap().remove(&port);
    }

    fn socket(&self, port: u16) -> u16 {
        port
    }
}

#[test]
fn load_balancers_of_two_regions_share_a_port() {
    let book = Arc::new(Book::default());
    let mut world = World::new("us-west-2", 7, Images::default());
    world.elb.listen_on(Arc::<Book>::clone(&book));
    let routing = elb::subscribe(&mut world);
    let Land { home, abroad, .. } = Land::of(world);
    let listeners = [&home, &abroad].map(|cloud| {
        let balancer = ok(cloud, Service::Elb, "CreateLoadBalancer", load_balancer())["LoadBalancers"][0].clone();
        let action = json!({ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "200" } });
        let listener = json!({ "LoadBalancerArn": balancer["LoadBalancerArn"], "Protocol": "HTTP", "Port": 5000,
            "DefaultActions": [action] });
        let arn = ok(cloud, Service::Elb, "CreateListener", listener)["Listeners"][0]["ListenerArn"].clone();
        (balancer["DNSName"].as_str().unwrap().to_owned(), arn)
    });
    let shown = |port: u16| -> BTreeSet<String> {
        let routing = Arc::clone(&routing.borrow());
        routing.ports.get(&port).into_iter().flatten().map(|front| front.dns_name.clone()).collect()
    };
    let [(here, listener), (there, other)] = listeners;
    assert_eq!(shown(5000), BTreeSet::from([here, there.clone()]));

    ok(&home, Service::Elb, "DeleteListener", json!({ "ListenerArn": listener }));
    assert_eq!(shown(5000), BTreeSet::from([there]));
    assert!(book.0.lock().unwrap().contains(&5000), "the other region still listens");
    ok(&abroad, Service::Elb, "DeleteListener", json!({ "ListenerArn": other }));
    assert!(shown(5000).is_empty() && book.0.lock().unwrap().is_empty());
}

/// Status and body of a POST.
async fn post(cloud: &Arc<Cloud>, region: &str, key: &str, target: (&str, &str), body: Value) -> (u16, Value) {
    let (service, operation) = target;
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host");
    let request = Request::post("http://localhost/").header("authorization", scope);
    let request = request.header("x-amz-target", operation).body(Full::<Bytes>::from(body.to_string())).unwrap();
    let service = wire::service(Arc::clone(cloud)).signed_with(Some("key".into()));
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), serde_json::from_slice(&body).unwrap())
}

const LIST_QUEUES: (&str, &str) = ("sqs", "AmazonSQS.ListQueues");

#[tokio::test]
async fn a_region_begins_with_the_first_call_that_may() {
    let Land { home, .. } = Land::new();
    assert_eq!(post(&home, "sa-east-1", "other", LIST_QUEUES, json!({})).await.0, 403);
    assert!(!home.has_region("sa-east-1"), "whoever has no key begins nothing");
    let confirm = "Action=ConfirmSubscription&TopicArn=arn:aws:sns:sa-east-1:123456789012:t&Token=1";
    let read = "Action=ListTopics&X-Amz-Credential=key%2F20260101%2Fsa-east-1%2Fsns%2Faws4_request";
    for link in [confirm, read] {
        let request = Request::get(format!("http://localhost/?{link}")).body(Full::<Bytes>::default()).unwrap();
        let answered = wire::service(Arc::clone(&home)).oneshot(request).await.unwrap();
        assert!(answered.status().is_client_error() && !home.has_region("sa-east-1"), "nor does a link: {link}");
    }
    assert_eq!(post(&home, "sa-east-1", "key", LIST_QUEUES, json!({})).await, (200, json!({ "QueueUrls": [] })));
    assert!(home.has_region("sa-east-1"));
    for region in ["cn-north-1", "moon-base-1", "us-west"] {
        let (status, body) = post(&home, region, "key", LIST_QUEUES, json!({})).await;
        let wanted = format!("Credential should be scoped to a valid region, not '{region}'.");
        assert_eq!((status, &body["message"]), (403, &json!(wanted)));
    }
}

#[tokio::test]
async fn a_subscriber_confirms_by_the_link_in_the_region_of_the_topic() {
    let Land { home, abroad, model } = Land::new();
    let topic = ok(&abroad, Service::Sns, "CreateTopic", json!({ "Name": "news" }))["TopicArn"].clone();
    model.answer_deliveries(None);
    let subscribe = json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": "http://localhost:7000/" });
    ok(&abroad, Service::Sns, "Subscribe", subscribe);
    let link = model.take_deliveries()[0].message["SubscribeURL"].as_str().unwrap().to_owned();
    let request = Request::get(link).body(Full::<Bytes>::default()).unwrap();
    assert_eq!(wire::service(Arc::clone(&home)).oneshot(request).await.unwrap().status(), 200);
    let attributes =
        ok(&abroad, Service::Sns, "GetTopicAttributes", json!({ "TopicArn": topic }))["Attributes"].clone();
    assert_eq!(
        (&attributes["SubscriptionsConfirmed"], &attributes["SubscriptionsPending"]),
        (&json!("1"), &json!("0"))
    );
}

#[tokio::test]
async fn a_stale_read_is_one_of_its_own_region() {
    let Land { home, abroad, .. } = Land::new();
    let create = |name: &str| json!({ "QueueName": name });
    ok(&abroad, Service::Sqs, "CreateQueue", create("there"));
    home.faults.push(Fault { calls: Calls::Reading, skip: 0, times: 2, kind: Kind::Stale });
    post(&home, "us-west-2", "key", ("sqs", "AmazonSQS.CreateQueue"), create("here")).await;
    let listed = async |region: &str| post(&home, region, "key", LIST_QUEUES, json!({})).await.1["QueueUrls"].clone();
    assert_eq!(listed("us-west-2").await, json!([]), "as of before the last change, which was here");
    assert_eq!(listed(ABROAD).await, json!(["http://127.0.0.1:4566/123456789012/there"]));
}
