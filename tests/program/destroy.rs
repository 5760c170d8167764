//! `destroy` removes what is ours and waits; it does not fight a controller that would make it again.

use std::time::{Duration, Instant};

use crate::support::aws::Aws;
use crate::support::cloud::Cloud;
use crate::support::up::Up;
use crate::support::wait::{holds, until};

const GONE: Duration = Duration::from_secs(30);
/// Less than the interval between passes by far, and more than a busy machine needs for one.
const AT_ONCE: Duration = Duration::from_millis(2500);

async fn nothing_is_left(aws: &Aws) {
    until("nothing is left", GONE, async || {
        let left = aws.everything().await;
        holds(left.is_empty(), format!("{left:?}"))
    })
    .await;
}

#[tokio::test]
async fn while_up_manages_it_refuses_until_told_to_stop_it() {
    let up = Up::converged(&["--interval", "1"]).await;
    let aws = up.aws();
    let before = aws.everything().await;
    let refused = up.beside(&["destroy", "--yes"]).await.exits(1);
    assert!(refused.stderr.contains("is managed by a controller on this machine"), "{refused:#?}");
    assert!(refused.stderr.contains("destroy --stop"), "no remedy: {refused:#?}");
    assert_eq!(aws.everything().await, before);

    let destroyed = up.beside(&["destroy", "--yes", "--stop"]).await.exits(0);
    assert_eq!(destroyed.stdout.trim(), "destroyed: interstella/monolith");
    nothing_is_left(&aws).await;
    assert!(up.workers().is_empty(), "{:?}", up.workers());
    // Another pass would have made it again by now.
    let mark = up.output.mark();
    up.beside(&["plan"]).await.exits(2);
    assert!(!up.output.since(mark).contains("create"), "{}", up.output.since(mark));
    nothing_is_left(&aws).await;
}

#[tokio::test]
async fn what_apply_made_destroy_removes_and_says_what_it_waits_for() {
    let cloud = Cloud::start().await;
    let aws = cloud.aws();
    cloud.run(&["apply"]).await.exits(0);
    assert!(aws.everything().await.len() >= 7, "{:?}", aws.everything().await);
    let unasked = cloud.run(&["destroy"]).await.exits(1);
    assert!(unasked.stderr.contains("say --yes"), "{unasked:#?}");

    let destroyed = cloud.run(&["destroy", "--yes", "--output", "json"]).await.exits(0);
    assert_eq!(destroyed.json(), serde_json::json!({ "destroyed": ["interstella/monolith"], "absent": [] }));
    assert!(destroyed.stderr.contains("wait"), "it does not say what it waits for: {}", destroyed.stderr);
    nothing_is_left(&aws).await;
    // Again: there is nothing to do, which is no failure, takes no time and is not called anything else.
    let started = Instant::now();
    let nothing = cloud.run(&["destroy", "--yes"]).await.exits(0);
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    assert_eq!(nothing.stdout.trim(), "nothing to remove: interstella/monolith");
}
