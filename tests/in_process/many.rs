//! With many apps not everything is read in every pass; what a person changes is put right all the same.

use std::time::Duration;

use interstella_controller::memory::Memory;
use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use crate::crowd;
use crate::lab::Lab;

/// Enough that their attributes are read in turns.
const APPS: usize = 120;
/// Passes within which each has had its turn.
const PASSES: usize = 12;
const DELAY: &str = "deregistration_delay.timeout_seconds";

/// ARN of the last app's target group.
fn group(lab: &Lab) -> Value {
    let input = json!({"Names": [format!("app-{:04}", APPS - 1)]});
    lab.call(Service::Elb, "DescribeTargetGroups", input)["TargetGroups"][0]["TargetGroupArn"].clone()
}

fn delay(lab: &Lab, group: &Value) -> Value {
    let answer = lab.call(Service::Elb, "DescribeTargetGroupAttributes", json!({"TargetGroupArn": group}));
    let attributes = answer["Attributes"].as_array().unwrap();
    attributes.iter().find(|one| one["Key"] == DELAY).unwrap()["Value"].clone()
}

#[tokio::test]
async fn what_is_read_in_turns_is_put_right_too() {
    let lab = Lab::new().await;
    let (apps, mut memory) = (crowd::apps(&lab, APPS, ""), Memory::default());
    crowd::converge(&lab, &apps, &mut memory).await;
    crowd::pass(&lab, &apps, &mut memory).await;
    let (group, before) = (group(&lab), lab.cloud.journal.last());
    let change = json!({"TargetGroupArn": group, "Attributes": [{"Key": DELAY, "Value": "77"}]});
    lab.call(Service::Elb, "ModifyTargetGroupAttributes", change);
    for _ in 0..PASSES {
        lab.cloud.advance(Duration::from_secs(60));
        crowd::pass(&lab, &apps, &mut memory).await;
    }
    assert_eq!(delay(&lab, &group), "30");
    assert_eq!(lab.mutations(before), ["elasticloadbalancing:ModifyTargetGroupAttributes Ok"]);
}
