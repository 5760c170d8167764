//! `destroy` removes what is ours and waits; it does not fight a controller that would make it again.

use std::time::Duration;

use crate::support::aws::Aws;
use crate::support::cloud::Cloud;
use crate::support::command;
use crate::support::up::Up;
use crate::support::wait::{equal, holds, until};

const GONE: Duration = Duration::from_secs(30);

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
async fn what_was_let_go_of_comes_back_with_its_manifest_or_with_apply() {
    let up = Up::converged(&["--interval", "1"]).await;
    let aws = up.aws();
    let workers = async |count: usize| {
        until("as many workers run", GONE, async || equal(up.workers().len(), count)).await;
    };
    let mark = up.output.mark();
    up.beside(&["destroy", "--yes", "--stop"]).await.exits(0);
    up.output.says("let go of: as `interstella destroy --stop` asks", mark, GONE).await;
    nothing_is_left(&aws).await;
    up.manifest.edit("desiredCount: 1 ", "desiredCount: 2 ");
    up.output.says("managed again: its manifest has changed", mark, GONE).await;
    workers(2).await;

    let mark = up.output.mark();
    up.beside(&["destroy", "--yes", "--stop"]).await.exits(0);
    nothing_is_left(&aws).await;
    up.beside(&["apply"]).await.exits(0);
    up.output.says("managed again: somebody has made it again", mark, GONE).await;
    // It is managed, not only there.
    aws.ecs.update_service().cluster("interstella").service("monolith").desired_count(0).send().await.unwrap();
    workers(2).await;
}

#[tokio::test]
async fn an_app_without_a_manifest_is_listed_and_taken_by_its_name() {
    let cloud = Cloud::start().await;
    let aws = cloud.aws();
    cloud.run(&["apply"]).await.exits(0);
    std::fs::remove_file(cloud.manifest.path()).unwrap();
    let by_name = async |verb: &[&str]| {
        let at = ["--endpoint-url", &cloud.endpoint];
        command::run(&[verb, &at].concat(), cloud.manifest.directory()).await
    };
    let from = ["-f", cloud.manifest.path()];
    let listed = by_name(&[&["list"][..], &from].concat()).await.exits(0);
    assert!(listed.stdout.contains("interstella/monolith") && listed.stdout.contains("not in "), "{listed:#?}");
    for name in ["monolith", "interstella/monolith"] {
        let status = by_name(&[&["status", name][..], &from].concat()).await.exits(0);
        assert!(status.stdout.contains("1 desired, 1 running"), "{status:#?}");
    }
    by_name(&[&["restart", "monolith"][..], &from].concat()).await.exits(0);
    let unknown = by_name(&["destroy", "--yes", "monolit"]).await.exits(1);
    assert!(unknown.stderr.contains("name one of interstella/monolith"), "{unknown:#?}");
    by_name(&["destroy", "--yes", "monolith"]).await.exits(0);
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
    let told = destroyed.stderr.matches("waiting: delete load balancer").count();
    assert_eq!(told, 1, "it says once what it waits for: {}", destroyed.stderr);
    nothing_is_left(&aws).await;
    // Again: there is nothing to do, which is no failure, takes no time and is not called anything else.
    let nothing = cloud.run_at_once(&["destroy", "--yes"]).await.exits(0);
    assert_eq!(nothing.stdout.trim(), "nothing to remove: interstella/monolith");
}
