//! Listeners whose own port something else on the machine holds: what the API says of them, and where SNS delivers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::effect::{Effect, Report};
use interstella_localcloud::elb::Ports;
use interstella_localcloud::images::Images;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

use crate::SUBNETS;

/// Every port is ten thousand further up, but for 80.
struct Moving;

impl Ports for Moving {
    fn reserve(&self, _port: u16) -> Result<(), String> {
        Ok(())
    }

    fn release(&self, _port: u16) {}

    fn socket(&self, port: u16) -> u16 {
        if port == 80 { port } else { port + 10_000 }
    }
}

/// Endpoint and moved port of a delivery.
type Delivered = (String, Option<u16>);

/// Notes each delivery.
#[derive(Clone, Default)]
struct Deliveries(Arc<Mutex<Vec<Delivered>>>);

impl Runtime for Deliveries {
    fn apply(&self, _: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)> {
        if let Effect::Deliver(request) = effect {
            self.0.lock().unwrap().push((request.endpoint, request.moved_port));
        }
        Vec::new()
    }
}

fn cloud() -> (Arc<Cloud>, Deliveries) {
    let mut world = World::new("us-west-2", 7, Images::default());
    world.elb.listen_on(Arc::new(Moving));
    world.own_ports.insert(8888, "the API");
    let deliveries = Deliveries::default();
    let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
    (Cloud::new(world, clock, Box::new(deliveries.clone())), deliveries)
}

fn ok(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Value {
    cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// A load balancer's DNS name, and the ARN of its listener on the port.
fn listener(cloud: &Arc<Cloud>, port: u16) -> (String, String) {
    let created =
        ok(cloud, Service::Elb, "CreateLoadBalancer", json!({ "Name": format!("lb-{port}"), "Subnets": SUBNETS }));
    let balancer = &created["LoadBalancers"][0];
    let input = json!({
        "LoadBalancerArn": balancer["LoadBalancerArn"], "Protocol": "HTTP", "Port": port,
        "DefaultActions": [{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "200" } }],
        "Tags": [{ "Key": "team", "Value": "a" }],
    });
    let created = ok(cloud, Service::Elb, "CreateListener", input);
    assert_eq!(created["Listeners"][0]["Port"], port);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&balancer["DNSName"]), text(&created["Listeners"][0]["ListenerArn"]))
}

fn tags(cloud: &Arc<Cloud>, arn: &str) -> Value {
    ok(cloud, Service::Elb, "DescribeTags", json!({ "ResourceArns": [arn] }))["TagDescriptions"][0]["Tags"].clone()
}

#[test]
fn a_tag_that_nobody_can_write_says_where_clients_connect() {
    let (cloud, _) = cloud();
    let (_, arn) = listener(&cloud, 5000);
    let team = json!({ "Key": "team", "Value": "a" });
    let moved = json!({ "Key": "localcloud:port", "Value": "15000" });
    assert_eq!(tags(&cloud, &arn), json!([moved, team]));
    ok(&cloud, Service::Elb, "RemoveTags", json!({ "ResourceArns": [arn], "TagKeys": ["localcloud:port"] }));
    assert_eq!(tags(&cloud, &arn), json!([moved, team]));
    let error = cloud.call(Service::Elb, "AddTags", json!({ "ResourceArns": [arn], "Tags": [moved] })).unwrap_err();
    assert!(error.to_string().contains("localcloud:port"), "{error}");
    let (_, usual) = listener(&cloud, 80);
    assert_eq!(tags(&cloud, &usual), json!([team]));
}

#[test]
fn sns_delivers_to_the_listeners_declared_port() {
    let (cloud, deliveries) = cloud();
    let topic = ok(&cloud, Service::Sns, "CreateTopic", json!({ "Name": "orders" }))["TopicArn"].clone();
    let (host, _) = listener(&cloud, 5000);
    let (on_own_port, _) = listener(&cloud, 8888);
    let (usual, _) = listener(&cloud, 80);
    // What has no name of a load balancer is meant literally: here it may be the very program that holds the port.
    let cases = [
        (format!("http://{host}:5000/order/"), Some(15_000)),
        (format!("http://{on_own_port}:8888/order/"), Some(18_888)),
        (format!("http://{usual}/order/"), None),
        ("http://localhost:5000/order/".to_owned(), None),
    ];
    for (endpoint, moved_port) in cases {
        let input = json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": endpoint });
        ok(&cloud, Service::Sns, "Subscribe", input);
        assert_eq!(deliveries.0.lock().unwrap().pop(), Some((endpoint, moved_port)));
    }
}
