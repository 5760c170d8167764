//! A renamed target group takes over without a moment in which an order finds no healthy task.

use std::time::Duration;

use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use crate::lab::{Lab, MANIFEST};
use crate::workload::{self, edited, rest};

/// How finely the cloud is looked at between passes.
const STEP: Duration = Duration::from_millis(100);
/// More passes than any way to a converged app takes.
const MAX_PASSES: usize = 300;

fn list(lab: &Lab, service: Service, operation: &str, input: Value, key: &str) -> Vec<Value> {
    lab.call(service, operation, input)[key].as_array().unwrap().clone()
}

/// Asserts that there is a confirmed subscription, and that each one leads to groups with healthy targets only.
fn assert_orders_arrive(lab: &Lab) {
    let subscriptions = list(lab, Service::Sns, "ListSubscriptions", json!({}), "Subscriptions");
    let confirmed: Vec<_> =
        subscriptions.iter().filter(|one| one["SubscriptionArn"].as_str().unwrap().starts_with("arn:")).collect();
    assert!(!confirmed.is_empty(), "no subscription is confirmed");
    for one in confirmed {
        let endpoint = one["Endpoint"].as_str().unwrap();
        let balancers = list(lab, Service::Elb, "DescribeLoadBalancers", json!({}), "LoadBalancers");
        let balancer = balancers.iter().find(|one| endpoint.contains(one["DNSName"].as_str().unwrap()));
        let balancer = balancer.unwrap_or_else(|| panic!("{endpoint} leads nowhere"));
        let input = json!({"LoadBalancerArn": balancer["LoadBalancerArn"]});
        let listeners = list(lab, Service::Elb, "DescribeListeners", input, "Listeners");
        assert!(!listeners.is_empty(), "{endpoint} has no listener");
        listeners.iter().for_each(|listener| assert_targets_are_healthy(lab, listener));
    }
}

fn assert_targets_are_healthy(lab: &Lab, listener: &Value) {
    let groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"].as_array().unwrap();
    for group in groups.iter().filter(|group| group["Weight"] != 0) {
        let input = json!({"TargetGroupArn": group["TargetGroupArn"]});
        let targets = list(lab, Service::Elb, "DescribeTargetHealth", input, "TargetHealthDescriptions");
        let healthy = targets.iter().any(|target| target["TargetHealth"]["State"] == "healthy");
        assert!(healthy, "{listener:#}\nsends requests to {targets:#?}");
    }
}

/// Goes from one manifest to another, looking after each pass and all the time between.
async fn move_watched(to: &str) -> Lab {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    rest(&lab);
    let mut controller = lab.controller(lab.present(to));
    for _ in 0..MAX_PASSES {
        let (outcome, wait) = controller.pass_only().await;
        if outcome.is_converged() && !outcome.status.is_progressing() {
            return lab;
        }
        let mut left = wait;
        while !left.is_zero() {
            assert_orders_arrive(&lab);
            lab.cloud.advance(left.min(STEP));
            left = left.saturating_sub(STEP);
        }
    }
    panic!("not converged: {}", controller.passes.last().unwrap().plan);
}

fn groups(lab: &Lab) -> Vec<Value> {
    let groups = list(lab, Service::Elb, "DescribeTargetGroups", json!({}), "TargetGroups");
    groups.into_iter().map(|group| group["TargetGroupName"].clone()).collect()
}

#[tokio::test]
async fn a_renamed_target_group_takes_over_without_a_gap() {
    for count in ["desiredCount: 1", "desiredCount: 3"] {
        let renamed =
            [("      name: monolith\n      # Quick", "      name: renamed\n      # Quick"), ("desiredCount: 1", count)];
        let lab = move_watched(&edited(MANIFEST, &renamed)).await;
        assert_eq!(groups(&lab), [json!("renamed")]);
    }
}

#[tokio::test]
async fn so_does_one_behind_a_renamed_load_balancer() {
    let lab = move_watched(&workload::renaming_everything()).await;
    assert_eq!(groups(&lab), [json!("renamed")]);
}

#[tokio::test]
async fn a_group_that_never_gets_healthy_never_gets_requests() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    let renamed = [
        ("      name: monolith\n      # Quick", "      name: renamed\n      # Quick"),
        ("interstella/monolith:latest", "interstella/monolith:missing-1"),
    ];
    let mut controller = lab.controller(lab.present(&edited(MANIFEST, &renamed)));
    for _ in 0..MAX_PASSES {
        let outcome = controller.pass().await;
        assert_orders_arrive(&lab);
        if outcome.status.is_stalled() && !outcome.changed {
            lab.converge(MANIFEST).await;
            assert_eq!(groups(&lab), [json!("monolith")]);
            return;
        }
    }
    panic!("never stalled: {}", controller.passes.last().unwrap().plan);
}
