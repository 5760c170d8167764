//! All that there is in the cloud, in a form in which two runs compare: without identifiers, moments and orders.

use interstella_localcloud::call::Service;
use interstella_localcloud::cloud::Cloud;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Members that differ from run to run.
const PASSING: [&str; 19] = [
    "createdAt",
    "updatedAt",
    "events",
    "id",
    "rolloutStateReason",
    "registeredAt",
    "CreatedTime",
    "creationTime",
    "SubscriptionArn",
    "revision",
    "startedAt",
    "taskSets",
    "CreationTime",
    "AlarmConfigurationUpdatedTimestamp",
    "StateReason",
    "StateReasonData",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "StateValue",
];

/// Everything of every kind that is not merely a record of what was. Equal texts mean equal clouds.
pub fn of(cloud: &Arc<Cloud>) -> String {
    serde_json::to_string_pretty(&value(cloud)).unwrap()
}

/// As [`of`], by kind.
pub fn value(cloud: &Arc<Cloud>) -> Value {
    let read = Reader { cloud };
    let mut state = json!({
        "services": read.services(),
        "taskDefinitions": read.task_definitions(),
        "logGroups": read.ask(Service::Logs, "DescribeLogGroups", json!({}))["logGroups"],
        "loadBalancers": read.balancers(),
        "targetGroups": read.groups(),
        "subscriptions": read.subscriptions(),
        "scalableTargets": read.targets(),
        "scalingPolicies": read.scaling("DescribeScalingPolicies")["ScalingPolicies"],
        "scheduledActions": read.scaling("DescribeScheduledActions")["ScheduledActions"],
        "alarms": read.ask(Service::CloudWatch, "DescribeAlarms", json!({}))["MetricAlarms"],
    });
    normalise(&mut state);
    state
}

struct Reader<'a> {
    cloud: &'a Arc<Cloud>,
}

impl Reader<'_> {
    fn ask(&self, service: Service, operation: &str, input: Value) -> Value {
        let answer = self.cloud.call(service, operation, input);
        answer.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    fn services(&self) -> Value {
        let arns = self.ask(Service::Ecs, "ListServices", json!({"cluster": "interstella"}))["serviceArns"].clone();
        if arns == json!([]) {
            return arns;
        }
        let input = json!({"cluster": "interstella", "services": arns, "include": ["TAGS"]});
        self.ask(Service::Ecs, "DescribeServices", input)["services"].clone()
    }

    fn task_definitions(&self) -> Value {
        let arns = self.ask(Service::Ecs, "ListTaskDefinitions", json!({"status": "ACTIVE"}));
        let describe = |arn: &Value| {
            let input = json!({"taskDefinition": arn, "include": ["TAGS"]});
            self.ask(Service::Ecs, "DescribeTaskDefinition", input)
        };
        arns["taskDefinitionArns"].as_array().unwrap().iter().map(describe).collect()
    }

    fn balancers(&self) -> Value {
        let all = self.ask(Service::Elb, "DescribeLoadBalancers", json!({}));
        let more = |one: &Value| {
            let arn = &one["LoadBalancerArn"];
            let mut one = one.clone();
            one["attributes"] =
                self.ask(Service::Elb, "DescribeLoadBalancerAttributes", json!({"LoadBalancerArn": arn}));
            one["listeners"] = self.ask(Service::Elb, "DescribeListeners", json!({"LoadBalancerArn": arn}));
            one["tags"] = self.tags(arn);
            for listener in one["listeners"]["Listeners"].as_array_mut().unwrap() {
                listener["tags"] = self.tags(&listener["ListenerArn"]);
            }
            one
        };
        all["LoadBalancers"].as_array().unwrap().iter().map(more).collect()
    }

    fn groups(&self) -> Value {
        let all = self.ask(Service::Elb, "DescribeTargetGroups", json!({}));
        let more = |one: &Value| {
            let arn = &one["TargetGroupArn"];
            let mut one = one.clone();
            one["attributes"] = self.ask(Service::Elb, "DescribeTargetGroupAttributes", json!({"TargetGroupArn": arn}));
            one["tags"] = self.tags(arn);
            let health = self.ask(Service::Elb, "DescribeTargetHealth", json!({"TargetGroupArn": arn}));
            let health = health["TargetHealthDescriptions"].as_array().unwrap();
            one["health"] = health.iter().map(|target| target["TargetHealth"]["State"].clone()).collect();
            one
        };
        all["TargetGroups"].as_array().unwrap().iter().map(more).collect()
    }

    fn tags(&self, arn: &Value) -> Value {
        self.ask(Service::Elb, "DescribeTags", json!({"ResourceArns": [arn]}))["TagDescriptions"][0]["Tags"].clone()
    }

    fn scaling(&self, operation: &str) -> Value {
        self.ask(Service::ApplicationAutoScaling, operation, json!({"ServiceNamespace": "ecs"}))
    }

    fn targets(&self) -> Value {
        let all = self.scaling("DescribeScalableTargets");
        let more = |one: &Value| {
            let input = json!({"ResourceARN": one["ScalableTargetARN"]});
            let mut one = one.clone();
            one["tags"] = self.ask(Service::ApplicationAutoScaling, "ListTagsForResource", input)["Tags"].clone();
            one
        };
        all["ScalableTargets"].as_array().unwrap().iter().map(more).collect()
    }

    fn subscriptions(&self) -> Value {
        let all = self.ask(Service::Sns, "ListSubscriptions", json!({}));
        let more = |one: &Value| {
            let arn = one["SubscriptionArn"].as_str().unwrap();
            let input = json!({"SubscriptionArn": arn});
            let attributes =
                arn.starts_with("arn:").then(|| self.ask(Service::Sns, "GetSubscriptionAttributes", input));
            let mut one = one.clone();
            one["attributes"] = attributes.map_or(json!("pending"), |one| one["Attributes"].clone());
            one
        };
        all["Subscriptions"].as_array().unwrap().iter().map(more).collect()
    }
}

fn normalise(value: &mut Value) {
    match value {
        Value::String(text) => *text = anonymous(text),
        Value::Array(list) => {
            list.iter_mut().for_each(normalise);
            list.sort_by_cached_key(ToString::to_string);
        }
        Value::Object(object) => {
            object.retain(|key, _| !PASSING.contains(&key.as_str()));
            object.values_mut().for_each(normalise);
            let mut members: Vec<_> = std::mem::take(object).into_iter().collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            *object = members.into_iter().collect::<Map<_, _>>();
        }
        _ => (),
    }
}

/// The text with every generated identifier, a UUID or a long run of hexadecimal digits or of digits, replaced.
fn anonymous(text: &str) -> String {
    let text = without_uuids(text);
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .map(|word| {
            let body = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
            let generated = body.len() >= 8 && body.bytes().all(|byte| byte.is_ascii_hexdigit());
            if generated { word.replacen(body, "*", 1) } else { word.to_owned() }
        })
        .collect()
}

fn without_uuids(text: &str) -> String {
    const LENGTH: usize = "01234567-0123-0123-0123-0123456789ab".len();
    let is_uuid = |part: &str| {
        let groups: Vec<&str> = part.split('-').collect();
        let lengths = groups.iter().map(|group| group.len());
        lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let mut text = text.to_owned();
    while let Some(start) = (0..text.len()).find(|start| text.get(*start..start + LENGTH).is_some_and(is_uuid)) {
        text.replace_range(start..start + LENGTH, "*");
    }
    text
}
