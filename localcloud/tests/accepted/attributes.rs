//! Attributes, which the models know only as keys and values.

use std::collections::BTreeSet;
use std::sync::Arc;

use interstella_localcloud::call::{ApiError, Service};
use interstella_localcloud::cloud::Cloud;
use serde_json::{Value, json};

use crate::list::{Disposition, List};
use crate::sample;

/// A resource of some kind, and the calls about its attributes.
struct Resource {
    service: Service,
    kind: &'static str,
    /// Input that names it.
    named: Value,
    set: &'static str,
    get: &'static str,
    /// Whether each key that is answered can be set, too.
    complete: bool,
}

/// A resource of each kind.
fn resources(cloud: &Arc<Cloud>) -> Vec<Resource> {
    let call = |service, operation: &str, input| {
        cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    };
    let elb = |operation: &str, input| call(Service::Elb, operation, input);
    let input = json!({"Name": "g", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d4e5f60001"});
    let group = elb("CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"].clone();
    let input = json!({"Name": "b", "Subnets": interstella_localcloud::seed::SUBNETS});
    let balancer = elb("CreateLoadBalancer", input)["LoadBalancers"][0]["LoadBalancerArn"].clone();
    let action = json!([{"Type": "forward", "TargetGroupArn": group}]);
    let input = json!({"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 5000, "DefaultActions": action});
    let listener = elb("CreateListener", input)["Listeners"][0]["ListenerArn"].clone();
    let topic = call(Service::Sns, "CreateTopic", json!({"Name": "t"}))["TopicArn"].clone();
    let input = json!({"TopicArn": topic, "Protocol": "http", "Endpoint": "http://127.0.0.1:1/", "ReturnSubscriptionArn": true});
    let subscription = call(Service::Sns, "Subscribe", input)["SubscriptionArn"].clone();
    let queue = call(Service::Sqs, "CreateQueue", json!({"QueueName": "q"}))["QueueUrl"].clone();
    let resource = |service, kind, named, set, get, complete| Resource { service, kind, named, set, get, complete };
    vec![
        resource(
            Service::Elb,
            "LoadBalancer",
            json!({"LoadBalancerArn": balancer}),
            "ModifyLoadBalancerAttributes",
            "DescribeLoadBalancerAttributes",
            true,
        ),
        resource(
            Service::Elb,
            "TargetGroup",
            json!({"TargetGroupArn": group}),
            "ModifyTargetGroupAttributes",
            "DescribeTargetGroupAttributes",
            true,
        ),
        resource(
            Service::Elb,
            "Listener",
            json!({"ListenerArn": listener}),
            "ModifyListenerAttributes",
            "DescribeListenerAttributes",
            true,
        ),
        resource(Service::Sns, "Topic", json!({"TopicArn": topic}), "SetTopicAttributes", "GetTopicAttributes", false),
        resource(
            Service::Sns,
            "Subscription",
            json!({"SubscriptionArn": subscription}),
            "SetSubscriptionAttributes",
            "GetSubscriptionAttributes",
            false,
        ),
        resource(Service::Sqs, "Queue", json!({"QueueUrl": queue}), "SetQueueAttributes", "GetQueueAttributes", false),
    ]
}

impl Resource {
    /// Keys and values that are answered.
    fn attributes(&self, cloud: &Arc<Cloud>) -> Vec<(String, String)> {
        let mut input = self.named.clone();
        if self.service == Service::Sqs {
            input["AttributeNames"] = json!(["All"]);
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let answer = cloud.call(self.service, self.get, input).unwrap();
        match &answer["Attributes"] {
            Value::Array(list) => list.iter().map(|one| (text(&one["Key"]), text(&one["Value"]))).collect(),
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
            other => panic!("{other}"),
        }
    }

    fn set(&self, cloud: &Arc<Cloud>, key: &str, value: &str) -> Result<Value, ApiError> {
        let mut input = self.named.clone();
        match self.service {
            Service::Elb => input["Attributes"] = json!([{"Key": key, "Value": value}]),
            Service::Sqs => input["Attributes"] = json!({ key: value }),
            _ => {
                input["AttributeName"] = key.into();
                input["AttributeValue"] = value.into();
            }
        }
        cloud.call(self.service, self.set, input)
    }
}

/// A value other than a key's default.
fn other_than(default: &str) -> &'static str {
    match default {
        "true" => "false",
        "off" => "on",
        "0" => "30",
        _ => "true",
    }
}

#[test]
fn every_attribute_is_acted_upon_stored_with_a_reason_or_refused_by_name() {
    let list = List::read(include_str!("attributes.txt"));
    let mut problems = list.problems.clone();
    let cloud = sample::cloud();
    for resource in resources(&cloud) {
        let of_kind = |key: &&(Service, String, String)| (key.0, key.1.as_str()) == (resource.service, resource.kind);
        let listed: BTreeSet<&String> = list.keys().filter(of_kind).map(|(.., key)| key).collect();
        assert!(!listed.is_empty(), "no line is of {}", resource.kind);
        let shown = resource.attributes(&cloud);
        let missing = shown.iter().filter(|(key, _)| resource.complete && !listed.contains(key));
        problems.extend(missing.map(|(key, _)| format!("{} {key}: no line names it", resource.kind)));
        for key in listed {
            let default = shown.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value.as_str());
            let wanted = list.get(&(resource.service, resource.kind.to_owned(), key.clone()));
            let value = if wanted == Some(&Disposition::Refused) { other_than(default) } else { default };
            let answer = resource.set(&cloud, key, value);
            let as_listed = match (&answer, wanted) {
                (Err(error), Some(Disposition::Refused)) => {
                    error.code == "NotImplemented" && error.message.contains(key.as_str())
                }
                (answer, _) => answer.is_ok(),
            };
            if !as_listed {
                problems.push(format!("{} {key}={value}, {wanted:?}: {answer:?}", resource.kind));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
