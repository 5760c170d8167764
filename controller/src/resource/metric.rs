//! Where an app's own metrics are in CloudWatch: dimensions and labels that follow from what was observed.
//!
//! It knows names and ARNs alone. A manifest that leaves dimensions out means the app's own service, load balancer and target group.

use std::collections::BTreeMap;

use serde::Serialize;

/// Dimensions of a metric by name; their order means nothing to AWS.
pub type Dimensions = BTreeMap<String, String>;

/// Namespace of the metrics of services.
const ECS: &str = "AWS/ECS";
/// Namespace of the metrics of load balancers.
const LOAD_BALANCER: &str = "AWS/ApplicationELB";

/// What an app's own metrics are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the service.
    pub service: String,
    /// What its requests come through; absent as long as they do not.
    pub front: Option<Front>,
}

/// A load balancer and a target group, as CloudWatch calls them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// `app/<name>/<id>`.
    pub load_balancer: String,
    /// `targetgroup/<name>/<id>`.
    pub target_group: String,
}

impl Front {
    /// From the ARNs of both; absent if they do not look like any.
    #[must_use]
    pub fn new(load_balancer_arn: &str, target_group_arn: &str) -> Option<Self> {
        let (_, load_balancer) = load_balancer_arn.split_once("loadbalancer/")?;
        let start = target_group_arn.find("targetgroup/")?;
        let target_group = target_group_arn.get(start..)?;
        Some(Self { load_balancer: load_balancer.to_owned(), target_group: target_group.to_owned() })
    }

    /// The resource label of a policy (AWS: PredefinedMetricSpecification, `ResourceLabel`).
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}", self.load_balancer, self.target_group)
    }
}

impl Source {
    /// The dimensions of a metric: those that are declared, else the app's own. Absent while those are not known yet.
    #[must_use]
    pub fn dimensions(&self, namespace: &str, declared: Option<&Dimensions>) -> Option<Dimensions> {
        let own = |pairs: [(&str, &String); 2]| pairs.map(|(name, value)| (name.to_owned(), value.clone())).into();
        match (declared, namespace) {
            (Some(declared), _) => Some(declared.clone()),
            (None, ECS) => Some(own([("ClusterName", &self.cluster), ("ServiceName", &self.service)])),
            (None, LOAD_BALANCER) => {
                let front = self.front.as_ref()?;
                Some(own([("LoadBalancer", &front.load_balancer), ("TargetGroup", &front.target_group)]))
            }
            (None, _) => Some(Dimensions::new()),
        }
    }
}

/// AWS's word for a value of the manifest, which is written with AWS's own.
#[must_use]
pub fn word<T: Serialize>(value: &T) -> String {
    // Such values are enums without content, which always serialise as text.
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_are_the_tails_of_the_arns() {
        let arn = |tail: &str| format!("arn:aws:elasticloadbalancing:us-west-2:123456789012:{tail}");
        let front = Front::new(&arn("loadbalancer/app/shop/50dc6c49"), &arn("targetgroup/web/6d0ecf83")).unwrap();
        assert_eq!(front.label(), "app/shop/50dc6c49/targetgroup/web/6d0ecf83");
        assert_eq!(Front::new("arn:x", &arn("targetgroup/web/1")), None);
    }

    #[test]
    fn absent_dimensions_are_the_apps_own() {
        let source = Source { cluster: "c".into(), service: "s".into(), front: None };
        let table = [
            ("AWS/ECS", None, r#"Some({"ClusterName": "c", "ServiceName": "s"})"#),
            ("AWS/ApplicationELB", None, "None"),
            ("AWS/SQS", None, "Some({})"),
            ("AWS/ECS", Some(Dimensions::new()), "Some({})"),
        ];
        for (namespace, declared, expected) in table {
            assert_eq!(format!("{:?}", source.dimensions(namespace, declared.as_ref())), expected, "{namespace}");
        }
    }
}
