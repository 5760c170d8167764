//! The manifests that people copy run as they are, on the ports that they name, each alone and all together: every
//! app gets Ready, and fulfils orders.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::aws::TOPIC;
use crate::support::http::get_json;
use crate::support::manifest::{Manifest, shipped};
use crate::support::up::Up;
use crate::support::wait::until;

const SOON: Duration = Duration::from_secs(60);
/// Quick, since AWS's defaults for health checks are slow.
const FLAGS: [&str; 4] = ["--orders-per-minute", "600", "--speed", "10"];
/// Each manifest, and the log group of its app.
const LOG_GROUPS: [(&str, &str); 4] = [
    ("autoscaled.yaml", "interstella-autoscaled"),
    ("fargate.yaml", "interstella-monolith-fargate"),
    ("monolith.yaml", "interstella-monolith"),
    ("static-port.yaml", "interstella-monolith-static"),
];

/// Waits until a task of each log group has fulfilled an order.
async fn fulfil(up: &Up, groups: &[&str]) {
    let aws = up.aws();
    if groups.contains(&"interstella-monolith-static") {
        subscribe_task(up, "interstella-monolith-static").await;
    }
    for group in groups {
        until(&format!("{group} tells of an order"), SOON, async || {
            let log = aws.log(group).await;
            let mut lines = log.values().flatten();
            if lines.any(|line| line.contains("Bundle fulfilled")) { Ok(()) } else { Err(format!("{log:#?}")) }
        })
        .await;
    }
    let stats = up.stats().await;
    assert_eq!(stats.duplicates, 0, "{stats:?}");
}

/// Subscribes a task that no load balancer stands before, by the address that its log tells.
async fn subscribe_task(up: &Up, group: &str) {
    let aws = up.aws();
    let address = until("a task tells its address", SOON, async || {
        let log = aws.log(group).await;
        let address = log.values().flatten().find(|line| line.contains("Taking orders")).and_then(|line| address(line));
        address.ok_or(format!("{log:#?}"))
    })
    .await;
    let endpoint = format!("http://{address}/order/");
    aws.sns.subscribe().topic_arn(TOPIC).protocol("http").endpoint(endpoint).send().await.unwrap();
}

/// The first address on loopback in a text.
fn address(text: &str) -> Option<String> {
    let (_, port) = text.split_once("127.0.0.1:")?;
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("127.0.0.1:{port}"))
}

async fn alone((name, group): (&str, &str)) {
    let up = Up::converged_on(Manifest::as_shipped(name), &FLAGS).await;
    fulfil(&up, &[group]).await;
}

#[tokio::test]
async fn every_manifest_that_people_copy_runs_alone() {
    assert_eq!(shipped(), BTreeSet::from(LOG_GROUPS.map(|(name, _)| name.to_owned())));
    let [first, second, third, fourth] = LOG_GROUPS.map(alone);
    tokio::join!(first, second, third, fourth);
}

#[tokio::test]
async fn all_manifests_that_people_copy_run_together() {
    let up = Up::converged_on(Manifest::all_as_shipped(), &FLAGS).await;
    let apps = get_json(&format!("{}/api/v1/apps", up.controller)).await.unwrap();
    assert_eq!(apps["apps"].as_array().map(Vec::len), Some(LOG_GROUPS.len()), "{apps}");
    fulfil(&up, &LOG_GROUPS.map(|(_, group)| group)).await;
    // While many orders scale one of them out.
    let plan = up.beside(&["plan"]).await.exits(0);
    assert!(plan.stdout.contains("nothing to do"), "{plan:?}");
}
