//! All that there is in the cloud, in a form in which two runs compare: without identifiers, moments and orders.

use interstella_localcloud::call::Service;
use interstella_localcloud::cloud::Cloud;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Members that differ from run to run.
const PASSING: [&str; 12] = [
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
        "scaling": read.scaling(),
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

    /// Targets, policies, scheduled actions and alarms, with what says whose they are.
    fn scaling(&self) -> Value {
        let ask = |operation, members: &str, passing: &[&str]| {
            let answer = self.ask(Service::ApplicationAutoScaling, operation, json!({"ServiceNamespace": "ecs"}));
            without(&answer[members], passing)
        };
        let targets = ask("DescribeScalableTargets", "ScalableTargets", &["CreationTime"]);
        let tagged = |target: &Value| {
            let arn = json!({"ResourceARN": target["ScalableTargetARN"]});
            let tags = self.ask(Service::ApplicationAutoScaling, "ListTagsForResource", arn);
            let mut target = without(&json!([target]), &["ScalableTargetARN"])[0].clone();
            target["tags"] = tags["Tags"].clone();
            target
        };
        let alarms = self.ask(Service::CloudWatch, "DescribeAlarms", json!({"AlarmNamePrefix": "interstella."}));
        let passing = [
            "AlarmActions",
            "AlarmConfigurationUpdatedTimestamp",
            "StateUpdatedTimestamp",
            "StateReason",
            "StateReasonData",
            "StateValue",
            "StateTransitionedTimestamp",
        ];
        json!({
            "targets": targets.as_array().unwrap().iter().map(tagged).collect::<Vec<_>>(),
            "policies": ask("DescribeScalingPolicies", "ScalingPolicies", &["Alarms", "CreationTime", "PolicyARN"]),
            "actions":
                ask("DescribeScheduledActions", "ScheduledActions", &["CreationTime", "ScheduledActionARN"]),
            "alarms": without(&alarms["MetricAlarms"], &passing),
        })
    }

    fn tags(&self, arn: &Value) -> Value {
        self.ask(Service::Elb, "DescribeTags", json!({"ResourceArns": [arn]}))["TagDescriptions"][0]["Tags"].clone()
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

/// A list of objects without some of their members.
fn without(list: &Value, members: &[&str]) -> Value {
    let less = |one: &Value| {
        let kept = one.as_object().unwrap().iter().filter(|(key, _)| !members.contains(&key.as_str()));
        Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    list.as_array().unwrap().iter().map(less).collect()
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

/// The text with every generated identifier, a long run of hexadecimal digits or of digits, replaced.
fn anonymous(text: &str) -> String {
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .map(|word| {
            let body = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
            let generated = body.len() >= 8 && body.bytes().all(|byte| byte.is_ascii_hexdigit());
            if generated { word.replacen(body, "*", 1) } else { word.to_owned() }
        })
        .collect()
}
