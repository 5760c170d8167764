//! Changes by hand are seen, named field by field in the controller's log, and put back.

use std::time::Duration;

use crate::support::aws::{APP, CLUSTER};
use crate::support::up::Up;
use crate::support::wait::{equal, holds, until};

const SEEN: Duration = Duration::from_secs(30);
const BACK: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_is_changed_by_hand_is_named_and_put_back() {
    let up = Up::converged(&["--interval", "1"]).await;
    desired_count(&up).await;
    health_check_path(&up).await;
    listener(&up).await;
    service(&up).await;
    up.nothing_is_lost().await;
}

async fn desired_count(up: &Up) {
    let (aws, mark) = (up.aws(), up.output.mark());
    aws.ecs.update_service().cluster(CLUSTER).service(APP).desired_count(3).send().await.unwrap();
    up.output.says("update service monolith (in place): desiredCount: 3 → 1", mark, SEEN).await;
    up.output.says("drift seen: service monolith differed: desiredCount: 3 → 1", mark, SEEN).await;
    up.output.says("drift corrected: 1 of 1 task of ", mark, BACK).await;
    until("the count is back", BACK, async || equal(aws.service().await.unwrap().desired_count(), 1)).await;
}

async fn health_check_path(up: &Up) {
    let (aws, mark) = (up.aws(), up.output.mark());
    let arn = aws.target_group().await.unwrap().target_group_arn.unwrap();
    aws.elb.modify_target_group().target_group_arn(arn).health_check_path("/by-hand").send().await.unwrap();
    let difference = "update target group monolith: healthCheck.path: \"/by-hand\" → \"/\"";
    up.output.says(difference, mark, SEEN).await;
    until("the path is back", BACK, async || {
        equal(aws.target_group().await.unwrap().health_check_path.as_deref(), Some("/"))
    })
    .await;
}

async fn listener(up: &Up) {
    let (aws, mark) = (up.aws(), up.output.mark());
    aws.elb.delete_listener().listener_arn(aws.listener().await.unwrap()).send().await.unwrap();
    up.output.says(&format!("create listener interstella:{}", up.manifest.port), mark, SEEN).await;
    up.output.says("drift seen: ", mark, SEEN).await;
    until("the listener is back", BACK, async || holds(aws.listener().await.is_some(), "no listener")).await;
}

async fn service(up: &Up) {
    let (aws, mark) = (up.aws(), up.output.mark());
    aws.ecs.delete_service().cluster(CLUSTER).service(APP).force(true).send().await.unwrap();
    // A service that is going keeps its name until its tasks have stopped.
    up.output.says("create service monolith", mark, BACK).await;
    until("the service serves again", BACK, async || equal(aws.healthy_targets().await.len(), 1)).await;
    let before = up.stats().await;
    up.fulfils_more(before.fulfilled, BACK).await;
}
