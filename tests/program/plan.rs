//! `plan`, `apply` and `status` against a cloud without a controller.

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, Tag};
use serde_json::json;

use crate::support::aws::{APP, CLUSTER};
use crate::support::cloud::Cloud;

#[tokio::test]
async fn plan_tells_everything_then_nothing_then_the_drift() {
    let cloud = Cloud::start().await;
    let first = cloud.run(&["plan"]).await.exits(2);
    for part in ["create log group", "create load balancer", "create service", "create subscription"] {
        assert!(first.stdout.contains(part), "{part}: {}", first.stdout);
    }
    assert!(!first.stdout.contains('\u{1b}'), "colour in a pipe: {}", first.stdout);
    let json = cloud.run(&["plan", "--output", "json"]).await.exits(2).json();
    let count = |name: &str| json["summary"][name].as_u64().unwrap();
    assert_eq!(json["changes"], count("create") + count("follow"), "{json}");
    let last = format!("{} to create, {} will follow", count("create"), count("follow"));
    assert_eq!(first.stdout.lines().last(), Some(last.as_str()));
    assert!(cloud.aws().everything().await.is_empty(), "plan has changed something");

    let applied = cloud.run(&["apply", "--wait", "stable"]).await.exits(0);
    assert!(applied.stdout.contains("1 desired, 1 running, 0 pending"), "{}", applied.stdout);
    let nothing = cloud.run(&["plan"]).await.exits(0);
    assert!(nothing.stdout.contains("nothing to do"), "{}", nothing.stdout);
    for wait in ["configured", "deployed"] {
        let again = cloud.run_at_once(&["apply", "--wait", wait]).await.exits(0);
        assert!(again.stderr.contains("interstella/monolith: nothing to do"), "{}", again.stderr);
    }
    assert_eq!(cloud.run(&["plan", "--output", "json"]).await.exits(0).json()["changes"], 0);

    cloud.aws().ecs.update_service().cluster(CLUSTER).service(APP).desired_count(2).send().await.unwrap();
    let drift = cloud.run(&["plan"]).await.exits(2);
    assert!(drift.stdout.contains("update service monolith"), "{}", drift.stdout);
    assert!(drift.stdout.contains("desiredCount: 2 → 1"), "{}", drift.stdout);
    let back = cloud.run(&["apply"]).await.exits(0);
    assert_eq!(back.stderr.matches("desiredCount: 2 → 1").count(), 1, "told once: {}", back.stderr);
    cloud.run(&["plan"]).await.exits(0);
}

#[tokio::test]
async fn status_tells_how_the_app_is() {
    let cloud = Cloud::start().await;
    let path = cloud.manifest.path().to_owned();
    let status = async |more: &[&str]| {
        let arguments = [&["status", "-f", &path, "--endpoint-url", &cloud.endpoint], more].concat();
        crate::support::command::run(&arguments, cloud.manifest.directory()).await
    };
    let before = status(&[]).await.exits(2);
    assert!(before.stdout.contains("there is no service yet"), "{}", before.stdout);
    let late = status(&["--wait", "ready", "--timeout", "1"]).await.exits(2);
    assert!(late.stdout.contains("NoService") && late.stderr.contains("--timeout"), "{late:#?}");
    cloud.run(&["apply"]).await.exits(0);
    let ready = status(&["--wait", "ready"]).await.exits(0);
    assert!(ready.stdout.contains(" ago)") || ready.stdout.contains("(now)"), "{}", ready.stdout);
    let after = status(&["monolith", "--output", "json"]).await.exits(0).json();
    let app = &after["apps"][0];
    assert_eq!((&app["name"], &app["cluster"]), (&json!(APP), &json!(CLUSTER)));
    assert_eq!((&app["service"]["desired"], &app["service"]["running"]), (&json!(1), &json!(1)));
    assert_eq!((&app["conditions"][0]["type"], &app["conditions"][0]["status"]), (&json!("Ready"), &json!("True")));
    status(&["nobody"]).await.exits(1);
}

#[tokio::test]
async fn what_is_somebody_elses_is_named_and_fails_the_verbs() {
    let cloud = Cloud::start().await;
    let theirs = cloud.aws().elb.create_target_group().name(APP).protocol(ProtocolEnum::Http).port(80);
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let theirs = theirs.vpc_id("vpc-0a1b2c3d4e5f60001").tags(tag("interstella:app", "interstella/monolith"));
    theirs.tags(tag("interstella:manager", "another")).send().await.unwrap();
    let before = cloud.aws().target_group().await;

    let owner = "target group monolith is not touched: it belongs to the manager \"another\"";
    let planned = cloud.run(&["plan"]).await.exits(1);
    assert!(planned.stdout.contains(owner), "{planned:#?}");
    let status = cloud.run(&["status", "-f"]).await.exits(1);
    assert!(status.stdout.contains(owner), "{status:#?}");
    let applied = cloud.run(&["apply"]).await.exits(1);
    assert!(applied.stderr.contains(owner), "{applied:#?}");
    assert_eq!(cloud.aws().target_group().await, before);
}
