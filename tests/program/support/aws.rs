//! The real SDK's clients for a cloud on loopback, and the questions that several tests ask.

use std::collections::BTreeMap;

use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ecs::types::{DesiredStatus, Service, Task, TaskDefinitionStatus};
use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetHealthDescription};

/// The cluster that the workshop's stack provided.
pub const CLUSTER: &str = "interstella";
/// The app, its service and its target group.
pub const APP: &str = "monolith";
/// The app's log group and task definition family.
pub const FAMILY: &str = "interstella-monolith";
/// Where orders are published.
pub const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";

/// Clients of one cloud.
pub struct Aws {
    pub ecs: aws_sdk_ecs::Client,
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub sns: aws_sdk_sns::Client,
    pub scaling: aws_sdk_applicationautoscaling::Client,
}

macro_rules! client {
    ($service:ident, $endpoint:expr, $region:expr) => {
        $service::Client::from_conf(
            $service::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new($region.to_owned()))
                .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
                .endpoint_url($endpoint)
                .build(),
        )
    };
}

impl Aws {
    /// Clients of the cloud at `endpoint`, in the region where it begins unless it is told otherwise.
    pub fn at(endpoint: &str) -> Self {
        Self::of(endpoint, "us-west-2")
    }

    /// Clients of a region of the cloud at `endpoint`.
    pub fn of(endpoint: &str, region: &str) -> Self {
        Self {
            ecs: client!(aws_sdk_ecs, endpoint, region),
            elb: client!(aws_sdk_elasticloadbalancingv2, endpoint, region),
            logs: client!(aws_sdk_cloudwatchlogs, endpoint, region),
            sns: client!(aws_sdk_sns, endpoint, region),
            scaling: client!(aws_sdk_applicationautoscaling, endpoint, region),
        }
    }

    /// The service that is not gone, if there is one.
    pub async fn service(&self) -> Option<Service> {
        let found = self.ecs.describe_services().cluster(CLUSTER).services(APP).send().await.unwrap();
        found.services.unwrap_or_default().into_iter().find(|service| service.status() != Some("INACTIVE"))
    }

    /// What a variable is set to in the service's task definition.
    pub async fn environment(&self, name: &str) -> Option<String> {
        let arn = self.service().await?.task_definition?;
        let described = self.ecs.describe_task_definition().task_definition(arn).send().await.unwrap();
        let task_definition = described.task_definition?;
        let pairs = task_definition.container_definitions().first()?.environment();
        pairs.iter().find(|pair| pair.name() == Some(name))?.value().map(ToOwned::to_owned)
    }

    /// How many revisions of the app's task definition are active.
    pub async fn revisions(&self) -> usize {
        let active = TaskDefinitionStatus::Active;
        let found = self.ecs.list_task_definitions().family_prefix(FAMILY).status(active).send().await.unwrap();
        found.task_definition_arns().len()
    }

    /// Tasks of the app, which may outlive its service.
    pub async fn tasks(&self, status: DesiredStatus) -> Vec<Task> {
        let arns = self.ecs.list_tasks().cluster(CLUSTER).family(FAMILY).desired_status(status).send().await;
        let arns = arns.unwrap().task_arns.unwrap_or_default();
        if arns.is_empty() {
            return Vec::new();
        }
        let tasks = self.ecs.describe_tasks().cluster(CLUSTER).set_tasks(Some(arns)).send().await.unwrap();
        tasks.tasks.unwrap_or_default()
    }

    /// The app's target group, if there is one.
    pub async fn target_group(&self) -> Option<TargetGroup> {
        let groups = self.elb.describe_target_groups().send().await.unwrap().target_groups.unwrap_or_default();
        groups.into_iter().find(|group| group.target_group_name() == Some(APP))
    }

    /// The app's targets, as instance and host port, with their states.
    async fn targets(&self) -> Vec<(String, String)> {
        let Some(arn) = self.target_group().await.and_then(|group| group.target_group_arn) else { return Vec::new() };
        let health = self.elb.describe_target_health().target_group_arn(arn).send().await.unwrap();
        let target = |one: &TargetHealthDescription| {
            let target = one.target()?;
            let name = format!("{}:{}", target.id()?, target.port()?);
            Some((name, one.target_health()?.state()?.as_str().to_owned()))
        };
        health.target_health_descriptions().iter().filter_map(target).collect()
    }

    /// States of the app's targets.
    pub async fn target_states(&self) -> Vec<String> {
        self.targets().await.into_iter().map(|(_, state)| state).collect()
    }

    /// Targets that serve.
    pub async fn healthy_targets(&self) -> Vec<String> {
        self.targets().await.into_iter().filter(|(_, state)| state == "healthy").map(|(name, _)| name).collect()
    }

    /// The listener's ARN, if there is one.
    pub async fn listener(&self) -> Option<String> {
        let balancers = self.elb.describe_load_balancers().send().await.unwrap().load_balancers.unwrap_or_default();
        let balancer = balancers.first()?.load_balancer_arn()?;
        let listeners = self.elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
        listeners.listeners().first()?.listener_arn().map(ToOwned::to_owned)
    }

    /// Streams of the app's log whose latest lines tell of a fulfilled order.
    pub async fn streams_that_fulfil(&self) -> Vec<String> {
        let logs = self.log(FAMILY).await;
        let fulfils = |lines: &Vec<String>| lines.iter().any(|line| line.contains("Bundle fulfilled"));
        logs.into_iter().filter(|(_, lines)| fulfils(lines)).map(|(stream, _)| stream).collect()
    }

    /// The latest lines of each stream of a log group, which may not be there yet.
    pub async fn log(&self, group: &str) -> BTreeMap<String, Vec<String>> {
        let streams = self.logs.describe_log_streams().log_group_name(group).send().await;
        let streams = streams.ok().and_then(|streams| streams.log_streams).unwrap_or_default();
        let mut log = BTreeMap::new();
        for name in streams.into_iter().filter_map(|stream| stream.log_stream_name) {
            let events =
                self.logs.get_log_events().log_group_name(group).log_stream_name(&name).limit(200).send().await;
            let lines = events.unwrap().events.unwrap_or_default().into_iter().filter_map(|event| event.message);
            log.insert(name, lines.collect());
        }
        log
    }

    /// Everything that the manifest has made, by name; empty when nothing is left.
    pub async fn everything(&self) -> Vec<String> {
        let mut left = Vec::new();
        let service = self.service().await;
        left.extend(service.map(|service| format!("service {:?}", service.status)));
        let active = TaskDefinitionStatus::Active;
        let revisions = self.ecs.list_task_definitions().family_prefix(FAMILY).status(active).send().await.unwrap();
        left.extend(revisions.task_definition_arns.unwrap_or_default());
        let balancers = self.elb.describe_load_balancers().send().await.unwrap().load_balancers.unwrap_or_default();
        left.extend(balancers.into_iter().filter_map(|one| one.load_balancer_arn));
        left.extend(self.target_group().await.and_then(|group| group.target_group_arn));
        let groups = self.logs.describe_log_groups().log_group_name_prefix(FAMILY).send().await.unwrap();
        left.extend(groups.log_groups.unwrap_or_default().into_iter().filter_map(|group| group.arn));
        let subscriptions = self.sns.list_subscriptions_by_topic().topic_arn(TOPIC).send().await.unwrap();
        let arns = subscriptions.subscriptions.unwrap_or_default().into_iter().filter_map(|one| one.subscription_arn);
        left.extend(arns.filter(|arn| arn.starts_with("arn:")));
        left.extend(self.tasks(DesiredStatus::Running).await.into_iter().filter_map(|task| task.task_arn));
        left
    }
}
