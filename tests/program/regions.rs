//! Where a local cloud begins, and orders that go from one region to another.

use std::time::Duration;

use crate::support::aws::{APP, Aws, CLUSTER, TOPIC};
use crate::support::cloud::Cloud;
use crate::support::command;
use crate::support::manifest::Manifest;
use crate::support::up::Up;

const ABROAD: &str = "eu-west-1";
const CONVERGED: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(20);

/// What is in a region: clusters and topics.
async fn everything(cloud: &Cloud, region: &str) -> Vec<String> {
    let aws = Aws::of(&cloud.endpoint, region);
    let clusters = aws.ecs.list_clusters().send().await.unwrap().cluster_arns.unwrap_or_default();
    let topics = aws.sns.list_topics().send().await.unwrap().topics.unwrap_or_default();
    clusters.into_iter().chain(topics.into_iter().filter_map(|topic| topic.topic_arn)).collect()
}

#[tokio::test]
async fn a_cloud_begins_where_it_is_told() {
    // The variable is about an account at AWS, and changes nothing here.
    let elsewhere = [("AWS_REGION", "ap-south-1")];
    for (flags, region) in [(&["--region", ABROAD][..], ABROAD), (&[][..], "us-west-2")] {
        let cloud = Cloud::start_with(flags, &elsewhere).await;
        let found = everything(&cloud, region).await;
        assert!(found.len() == 4 && found.iter().all(|arn| arn.contains(region)), "{found:?}");
        assert_eq!(everything(&cloud, "ap-south-1").await, [""; 0]);
        let env = command::run(&[&["env"], flags].concat(), cloud.manifest.directory()).await.exits(0);
        assert!(env.stdout.contains(&format!(" AWS_REGION={region} ")), "{env:?}");
    }
}

#[tokio::test]
async fn an_empty_cloud_has_nothing_of_the_workshops() {
    let cloud = Cloud::start_with(&["--empty"], &[]).await;
    for region in ["us-west-2", ABROAD] {
        assert_eq!(everything(&cloud, region).await, [""; 0], "{region}");
    }
}

#[tokio::test]
async fn a_region_that_there_cannot_be_is_refused() {
    let manifest = Manifest::monolith();
    for verb in [&["cloud"][..], &["up", manifest.path(), "--port", "0", "--hq-port", "0"][..]] {
        let refused = command::run(&[verb, &["--region", "cn-north-1"]].concat(), manifest.directory()).await.exits(1);
        assert!(refused.stderr.contains("cannot have a region \"cn-north-1\""), "{refused:?}");
        assert!(refused.stderr.contains("next: choose one"), "{refused:?}");
    }
}

/// The workshop's topics are in one region and its cluster is in another.
#[tokio::test]
async fn a_worker_takes_the_orders_of_a_topic_of_another_region() {
    let up = Up::start(&["--region", ABROAD]).await;
    let (home, abroad) = (Aws::of(&up.cloud, "us-west-2"), Aws::of(&up.cloud, ABROAD));
    let topic = home.sns.create_topic().name("orderTopic").attributes("SignatureVersion", "2");
    assert_eq!(topic.send().await.unwrap().topic_arn(), Some(TOPIC));
    up.output.says("\nconverged", 0, CONVERGED).await;

    let services = abroad.ecs.list_services().cluster(CLUSTER).send().await.unwrap().service_arns.unwrap_or_default();
    assert_eq!(services, [format!("arn:aws:ecs:{ABROAD}:123456789012:service/{CLUSTER}/{APP}")]);
    home.ecs.list_services().cluster(CLUSTER).send().await.expect_err("there is no cluster where the topic is");
    let subscriptions = home.sns.list_subscriptions_by_topic().topic_arn(TOPIC).send().await.unwrap();
    let endpoint = subscriptions.subscriptions().first().and_then(|one| one.endpoint()).unwrap().to_owned();
    assert!(endpoint.contains(&format!(".{ABROAD}.elb.localhost:")), "{endpoint}");

    // Headquarters publishes to the topics of its own region, which nobody has subscribed to.
    assert_eq!(up.stats().await.fulfilled, 0);
    for _ in 0..3 {
        home.sns.publish().topic_arn(TOPIC).message(r#"{"bundle": 1}"#).send().await.unwrap();
    }
    let stats = up.fulfils_more(2, SOON).await;
    assert_eq!((stats.fulfilled, stats.duplicates), (3, 0), "{stats:?}");
}
