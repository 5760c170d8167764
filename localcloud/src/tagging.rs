//! Resource Groups Tagging: finds and tags resources of every service by what the services themselves say. It has no state.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Answer, ApiError, Call, Service, input};
use crate::page::page;
use crate::world::World;
use crate::{application_autoscaling, cloudwatch, ecs, elb, logs, sns};

/// Resources on a page unless the caller says otherwise.
const PAGE: usize = 50;

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, given: Value) -> Answer {
    match operation {
        "GetResources" => get_resources(world, &input("tagging", operation, given)?),
        "TagResources" => tag(world, call, &input("tagging", operation, given)?),
        "UntagResources" => untag(world, call, &input("tagging", operation, given)?),
        _ => Err(ApiError::not_implemented(format!("tagging {operation}"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetResources {
    #[serde(default)]
    pagination_token: String,
    #[serde(default)]
    tag_filters: Vec<TagFilter>,
    resources_per_page: Option<usize>,
    #[serde(default)]
    resource_type_filters: Vec<String>,
    #[serde(default, rename = "ResourceARNList")]
    arns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagFilter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagResources {
    #[serde(rename = "ResourceARNList")]
    arns: Vec<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UntagResources {
    #[serde(rename = "ResourceARNList")]
    arns: Vec<String>,
    tag_keys: Vec<String>,
}

/// Resources that have tags and meet every filter. AWS also lists resources that had tags once; there is no record of these.
fn get_resources(world: &World, request: &GetResources) -> Answer {
    let everywhere =
        [application_autoscaling::tagged, cloudwatch::tagged, ecs::tagged, elb::tagged, logs::tagged, sns::tagged]
            .map(|of| of(world));
    let mut found: Vec<_> =
        everywhere.into_iter().flatten().filter(|(arn, tags)| !tags.is_empty() && wanted(request, arn, tags)).collect();
    found.sort();
    let token = Some(request.pagination_token.as_str()).filter(|token| !token.is_empty());
    let size = request.resources_per_page.unwrap_or(PAGE);
    let invalid = || ApiError::new("PaginationTokenExpiredException", "The pagination token is not valid.");
    let (found, next) = page(found, |(arn, _)| arn, token, size).ok_or_else(invalid)?;
    let listed: Vec<Value> = found.iter().map(|(arn, tags)| json!({"ResourceARN": arn, "Tags": pairs(tags)})).collect();
    Ok(json!({"PaginationToken": next.unwrap_or_default(), "ResourceTagMappingList": listed}))
}

fn wanted(request: &GetResources, arn: &str, tags: &BTreeMap<String, String>) -> bool {
    let named = request.arns.is_empty() || request.arns.iter().any(|wanted| wanted == arn);
    let types = &request.resource_type_filters;
    let typed = types.is_empty() || types.iter().any(|wanted| is_of_type(arn, wanted));
    let tagged = |filter: &TagFilter| {
        tags.get(&filter.key).is_some_and(|value| filter.values.is_empty() || filter.values.contains(value))
    };
    named && typed && request.tag_filters.iter().all(tagged)
}

/// Whether the ARN's resource is of a type such as `ecs`, `ecs:service` or `elasticloadbalancing:loadbalancer/app`.
fn is_of_type(arn: &str, wanted: &str) -> bool {
    let (service, kind) = wanted.split_once(':').unwrap_or((wanted, ""));
    let mut parts = arn.splitn(6, ':').skip(2);
    let (Some(of), Some(resource)) = (parts.next(), parts.nth(2)) else { return false };
    let rest = resource.strip_prefix(kind);
    of == service && (kind.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':'])))
}

fn tag(world: &mut World, call: &Call, request: &TagResources) -> Answer {
    let tags = &request.tags;
    let lower: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    each(world, call, &request.arns, |arn| match Target::of(arn)? {
        Target::Ecs => Some((Service::Ecs, "TagResource", json!({"resourceArn": arn, "tags": lower}))),
        Target::Elb => Some((Service::Elb, "AddTags", json!({"ResourceArns": [arn], "Tags": pairs(tags)}))),
        Target::Logs => Some((Service::Logs, "TagResource", json!({"resourceArn": arn, "tags": tags}))),
        Target::CloudWatch => {
            Some((Service::CloudWatch, "TagResource", json!({"ResourceARN": arn, "Tags": pairs(tags)})))
        }
        Target::Sns => Some((Service::Sns, "TagResource", json!({"ResourceArn": arn, "Tags": pairs(tags)}))),
        Target::ApplicationAutoScaling => {
            Some((Service::ApplicationAutoScaling, "TagResource", json!({"ResourceARN": arn, "Tags": tags})))
        }
    })
}

fn untag(world: &mut World, call: &Call, request: &UntagResources) -> Answer {
    let keys = &request.tag_keys;
    each(world, call, &request.arns, |arn| match Target::of(arn)? {
        Target::Ecs => Some((Service::Ecs, "UntagResource", json!({"resourceArn": arn, "tagKeys": keys}))),
        Target::Elb => Some((Service::Elb, "RemoveTags", json!({"ResourceArns": [arn], "TagKeys": keys}))),
        Target::Logs => Some((Service::Logs, "UntagResource", json!({"resourceArn": arn, "tagKeys": keys}))),
        Target::CloudWatch => {
            Some((Service::CloudWatch, "UntagResource", json!({"ResourceARN": arn, "TagKeys": keys})))
        }
        Target::Sns => Some((Service::Sns, "UntagResource", json!({"ResourceArn": arn, "TagKeys": keys}))),
        Target::ApplicationAutoScaling => {
            Some((Service::ApplicationAutoScaling, "UntagResource", json!({"ResourceARN": arn, "TagKeys": keys})))
        }
    })
}

/// The service that keeps a resource's tags.
enum Target {
    CloudWatch,
    Ecs,
    Elb,
    Logs,
    Sns,
    ApplicationAutoScaling,
}

impl Target {
    fn of(arn: &str) -> Option<Self> {
        match arn.split(':').nth(2)? {
            "cloudwatch" => Some(Self::CloudWatch),
            "ecs" => Some(Self::Ecs),
            "elasticloadbalancing" => Some(Self::Elb),
            "logs" => Some(Self::Logs),
            "sns" => Some(Self::Sns),
            "application-autoscaling" => Some(Self::ApplicationAutoScaling),
            _ => None,
        }
    }
}

/// Makes the service's own call for each ARN and lists what failed, as AWS does: the call as a whole succeeds.
fn each(
    world: &mut World,
    call: &Call,
    arns: &[String],
    own_call: impl Fn(&str) -> Option<(Service, &'static str, Value)>,
) -> Answer {
    let mut failed = serde_json::Map::new();
    for arn in arns {
        let done = match own_call(arn) {
            Some((service, operation, input)) => world.call(call, service, operation, input),
            None => Err(ApiError::new("InvalidParameterException", "the local cloud has no such service")),
        };
        if let Err(error) = done {
            let failure = json!({"StatusCode": error.status, "ErrorCode": error.code, "ErrorMessage": error.message});
            failed.insert(arn.clone(), failure);
        }
    }
    Ok(json!({"FailedResourcesMap": failed}))
}

fn pairs(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::CloudTime;
    use crate::images::Images;

    fn call(world: &mut World, service: Service, operation: &str, input: Value) -> Value {
        world.call(&Call { now: CloudTime::default() }, service, operation, input).unwrap()
    }

    fn found(world: &mut World, filter: Value) -> Vec<String> {
        let answer = call(world, Service::Tagging, "GetResources", filter);
        let list = answer["ResourceTagMappingList"].as_array().unwrap();
        list.iter().map(|entry| entry["ResourceARN"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn finds_by_tag_and_type_and_tags_through_the_services() {
        let mut world = World::new("us-west-2", 1, Images::default());
        let topic = |name: &str| json!({"Name": name, "Tags": [{"Key": "app", "Value": name}]});
        call(&mut world, Service::Sns, "CreateTopic", topic("a"));
        call(&mut world, Service::Sns, "CreateTopic", topic("b"));
        let (a, b) = (world.arn("sns", "a"), world.arn("sns", "b"));
        assert_eq!(found(&mut world, json!({})), [a.clone(), b.clone()]);
        assert_eq!(
            found(&mut world, json!({"TagFilters": [{"Key": "app", "Values": ["b"]}]})),
            std::slice::from_ref(&b)
        );
        assert_eq!(found(&mut world, json!({"ResourceTypeFilters": ["ecs:service"]})), Vec::<String>::new());
        assert_eq!(found(&mut world, json!({"ResourcesPerPage": 1, "PaginationToken": a})), std::slice::from_ref(&b));
        let missing = world.arn("sns", "missing");
        let tags = json!({"ResourceARNList": [a, missing], "Tags": {"team": "x"}});
        let answer = call(&mut world, Service::Tagging, "TagResources", tags);
        assert_eq!(answer["FailedResourcesMap"].as_object().map(serde_json::Map::len), Some(1));
        assert_eq!(found(&mut world, json!({"TagFilters": [{"Key": "team"}]})), std::slice::from_ref(&a));
        call(
            &mut world,
            Service::Tagging,
            "UntagResources",
            json!({"ResourceARNList": [a], "TagKeys": ["app", "team"]}),
        );
        assert_eq!(found(&mut world, json!({})), [b]);
    }

    #[test]
    fn types_are_parts_of_the_arn() {
        let balancer = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/n/1";
        assert!(
            is_of_type(balancer, "elasticloadbalancing")
                && is_of_type(balancer, "elasticloadbalancing:loadbalancer/app")
        );
        assert!(!is_of_type(balancer, "elasticloadbalancing:load") && !is_of_type(balancer, "ecs"));
        assert!(is_of_type("arn:aws:logs:r:1:log-group:/a:b", "logs:log-group"));
    }
}
