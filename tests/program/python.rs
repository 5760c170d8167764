//! A program of a person's own as an image: the web server of `docs/local-programs.md` behind a load balancer.

use std::time::Duration;

use aws_sdk_ecs::types::DesiredStatus;
use serde_json::json;

use crate::support::aws::{Aws, CLUSTER};
use crate::support::fleet::call;
use crate::support::http::get;
use crate::support::manifest::{Manifest, repository};
use crate::support::up::Up;
use crate::support::wait::{holds, until};

const SOON: Duration = Duration::from_secs(60);
const LOG_GROUP: &str = "example-web";

/// Digests of the images of the tasks that run, and why others have stopped.
async fn tasks(aws: &Aws, status: DesiredStatus) -> Vec<(Option<String>, String)> {
    let arns = aws.ecs.list_tasks().cluster(CLUSTER).family(LOG_GROUP).desired_status(status).send().await.unwrap();
    let Some(arns) = arns.task_arns.filter(|arns| !arns.is_empty()) else { return Vec::new() };
    let described = aws.ecs.describe_tasks().cluster(CLUSTER).set_tasks(Some(arns)).send().await.unwrap();
    let digest = |task: &aws_sdk_ecs::types::Task| task.containers().first()?.image_digest().map(str::to_owned);
    described.tasks().iter().map(|task| (digest(task), task.stopped_reason().unwrap_or_default().to_owned())).collect()
}

#[tokio::test]
async fn a_python_web_server_serves_logs_and_ends_as_documented() {
    let program = repository("manifests/python/web.py");
    let image = format!("example/web:v1={}", program.display());
    let up = Up::converged_on(Manifest::as_shipped("python/web.yaml"), &["--speed", "5", "--image", &image]).await;
    let aws = up.aws();
    let endpoint = up.output.after("  web ", SOON).await;
    let (status, body) = get(&format!("{endpoint}/")).await.unwrap();
    assert!(status == 200 && body.starts_with("Good morning from port "), "{status} {body}");

    let images = "AmazonEC2ContainerRegistry_V20150921.DescribeImages";
    let images = call(&up.cloud, "ecr", images, &json!({ "repositoryName": "example/web" })).await;
    let image = &images["imageDetails"][0];
    assert_eq!(image["imageTags"], json!(["v1"]), "{images}");
    let digest = image["imageDigest"].as_str().unwrap().to_owned();
    let running = tasks(&aws, DesiredStatus::Running).await;
    assert_eq!(running, vec![(Some(digest), String::new()); 2]);

    until("it has logged a request", SOON, async || {
        let log = aws.log(LOG_GROUP).await;
        holds(log.values().flatten().any(|line| line.contains("GET / HTTP/1.1")), format!("{log:#?}"))
    })
    .await;
    up.manifest.edit("desiredCount: 2", "desiredCount: 1");
    until("one has ended by itself", SOON, async || {
        let log = aws.log(LOG_GROUP).await;
        holds(log.values().flatten().any(|line| line == "ended"), format!("{log:#?}"))
    })
    .await;

    up.manifest.edit("example/web:v1 ", "example/web:v99 ");
    until("a tag that was never registered is not found", SOON, async || {
        let stopped = tasks(&aws, DesiredStatus::Stopped).await;
        let not_found = |reason: &str| {
            reason.starts_with("CannotPullContainerError") && reason.ends_with("example/web:v99: not found")
        };
        holds(stopped.iter().any(|(_, reason)| not_found(reason)), format!("{stopped:#?}"))
    })
    .await;
    assert_eq!(get(&format!("{endpoint}/")).await.unwrap().0, 200, "what served still serves");
}
