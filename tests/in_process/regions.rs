//! An app of the same names in two regions of one cloud. Both take orders from one topic, which is in the first.

use interstella_localcloud::call::Service;
use serde_json::json;

use crate::lab::{Lab, MANIFEST};

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";

/// ARNs of the services of a region, as the SDK sees them.
async fn services(lab: &Lab) -> Vec<String> {
    let listed = lab.aws.read.ecs.list_services().cluster("interstella").send().await.unwrap();
    listed.service_arns.unwrap_or_default()
}

/// ARNs of everything that has the app's tags in a region.
async fn tagged(lab: &Lab) -> Vec<String> {
    let found = lab.aws.read.tagging.get_resources().send().await.unwrap();
    let found = found.resource_tag_mapping_list.unwrap_or_default();
    found.into_iter().filter_map(|resource| resource.resource_arn).collect()
}

/// Endpoints of the topic's subscriptions.
async fn endpoints(lab: &Lab) -> Vec<String> {
    let listed = lab.aws.read.sns("us-west-2").list_subscriptions_by_topic().topic_arn(TOPIC).send().await.unwrap();
    let mut endpoints: Vec<_> =
        listed.subscriptions().iter().filter_map(|one| one.endpoint().map(str::to_owned)).collect();
    endpoints.sort_unstable();
    endpoints
}

#[tokio::test]
async fn apps_of_the_same_names_in_two_regions_leave_each_other_alone() {
    let home = Lab::new().await;
    let abroad = home.seen_from("eu-west-1").await;
    abroad.provide("http://127.0.0.1:8889");
    home.converge(MANIFEST).await;
    abroad.converge(MANIFEST).await;

    for (lab, region) in [(&home, "us-west-2"), (&abroad, "eu-west-1")] {
        let arn = format!("arn:aws:ecs:{region}:123456789012:service/interstella/monolith");
        assert_eq!(services(lab).await, [arn]);
        let tagged = tagged(lab).await;
        let is_here = |arn: &String| arn.split(':').nth(3) == Some(region);
        assert!(tagged.len() > 4 && tagged.iter().all(is_here), "{tagged:?}");
    }
    let both = endpoints(&home).await;
    let of = |region: &str| both.iter().filter(|endpoint| endpoint.contains(region)).count();
    assert!(of(".us-west-2.elb.localhost:5000") == 1 && of(".eu-west-1.elb.localhost:5000") == 1, "{both:?}");
    home.model.take_deliveries();
    home.call(Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "m" }));
    let mut taken: Vec<_> = home.model.take_deliveries().into_iter().map(|delivery| delivery.endpoint).collect();
    taken.sort_unstable();
    assert_eq!(taken, both);

    let before = home.cloud.journal.last();
    abroad.controller(abroad.absent(MANIFEST)).converge().await;
    assert_eq!(services(&abroad).await, [""; 0]);
    home.converge(MANIFEST).await;
    let left = endpoints(&home).await;
    assert!(left.len() == 1 && left[0].contains(".us-west-2.elb."), "{left:?}");
    let subscribed = home.mutations(before);
    assert!(!subscribed.iter().any(|call| call.contains("Subscribe") || call.contains("Create")), "{subscribed:?}");
}
