//! A bad save changes nothing and is reported where it is wrong; mending the file resumes.

use std::time::Duration;

use crate::support::http::{get, get_json};
use crate::support::up::Up;
use crate::support::wait::{equal, holds, until};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_bad_save_changes_nothing_and_mending_it_resumes() {
    let up = Up::converged(&["--interval", "1"]).await;
    let aws = up.aws();
    let before = (aws.service().await.unwrap().deployments, aws.everything().await, up.workers());
    let mark = up.output.mark();
    up.manifest.edit("desiredCount: 1 ", "desiredCount: many ");
    let text = std::fs::read_to_string(up.manifest.path()).unwrap();
    let line = text.lines().position(|line| line.contains("desiredCount: many")).unwrap() + 1;
    up.output.says(&format!("monolith.yaml:{line}:17: "), mark, SOON).await;
    up.output.says("manifest broken: ", mark, SOON).await;
    up.output.says("the last good version stays in force", mark, SOON).await;
    let apps = get_json(&format!("{}/api/v1/apps", up.controller)).await.unwrap();
    assert!(apps["problems"][0].as_str().unwrap().contains(&format!("monolith.yaml:{line}:17")), "{apps}");

    // Passes go on, and none of them changes anything.
    let passes = passes(&up).await;
    until("three further passes", SOON, async || holds(self::passes(&up).await >= passes + 3, "fewer")).await;
    assert_eq!((aws.service().await.unwrap().deployments, aws.everything().await, up.workers()), before);
    let said = up.output.since(mark);
    assert!(!said.contains(": update ") && !said.contains(": create "), "{said}");

    let mark = up.output.mark();
    up.manifest.edit("desiredCount: many ", "desiredCount: 2 ");
    up.output.says("manifest mended", mark, SOON).await;
    until("the mended file is in force", SOON, async || equal(aws.healthy_targets().await.len(), 2)).await;
    let apps = get_json(&format!("{}/api/v1/apps", up.controller)).await.unwrap();
    assert_eq!(apps["problems"].as_array().map(Vec::len), Some(0), "{apps}");
}

/// Passes that the controller has made.
async fn passes(up: &Up) -> u64 {
    let (_, metrics) = get(&format!("{}/metrics", up.controller)).await.unwrap();
    let counts = metrics.lines().filter(|line| line.starts_with("interstella_passes_total"));
    let counts: Vec<f64> = counts.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    assert!(!counts.is_empty(), "no count of passes in {metrics}");
    counts.iter().sum::<f64>() as u64
}
