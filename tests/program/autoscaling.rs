//! The auto scaling challenge as the README has it: a rush hour, by which the service grows and shrinks again.

use std::fmt;
use std::time::Duration;

use aws_sdk_applicationautoscaling::types::{ScalingActivity, ScalingActivityStatusCode, ServiceNamespace};

use crate::support::aws::{Aws, CLUSTER};
use crate::support::command::{Answer, run_within};
use crate::support::manifest::{Manifest, repository};
use crate::support::up::Up;
use crate::support::wait::{holds, until};

const APP: &str = "autoscaled";
const SPEED: &str = "60";
/// The bounds of the manifest. A schedule raises the lower one to 3 on working days' mornings, which may pass meanwhile.
const MOST: i32 = 10;
const FEWEST: i32 = 3;
/// The profile takes two and a half minutes at this speed; the rest is for a machine that does other work as well.
const LOAD: Duration = Duration::from_secs(360);
/// Longest time until the last tasks are gone.
const CALM: Duration = Duration::from_secs(60);

#[tokio::test]
#[ignore = "takes three minutes: tests/autoscaling.sh runs it"]
async fn a_rush_hour_scales_the_service_out_and_in_again_and_no_order_is_lost() {
    let flags = ["--speed", SPEED, "--orders-per-minute", "0"];
    let up = Up::converged_on(Manifest::autoscaled(), &flags).await;
    let (aws, converged) = (up.aws(), up.output.mark());
    let (report, watched) = tokio::join!(rush_hour(&up), Watch::until_quiet(&aws, &up));
    println!("{}\n{watched}", report.stdout);

    let json = report.exits(0).json();
    let fate = &json["headquarters"];
    assert_eq!((&fate["lost"], &fate["duplicates"]), (&0.into(), &0.into()), "{json}");
    assert_eq!(fate["fulfilled"], json["scheduled"], "{json}");

    assert!(watched.most > FEWEST && watched.most <= MOST, "{watched}");
    until("the service has scaled in", CALM, async || {
        let (desired, running) = counts(&aws).await;
        holds(desired == running && desired <= FEWEST && desired < watched.most, format!("{desired} {running}"))
    })
    .await;

    let said = up.output.since(converged);
    assert!(!said.contains("update service"), "only auto scaling changes the count: {said}");
    let activities = activities(&aws).await;
    println!("{}", activities.iter().rev().map(line).collect::<Vec<_>>().join("\n"));
    check(&activities);
}

async fn rush_hour(up: &Up) -> Answer {
    let profile = repository("manifests/load/rush-hour.csv");
    let arguments = ["load", "--profile", profile.to_str().unwrap(), "--speed", SPEED, "--output", "json"];
    let at = ["--endpoint-url", &up.cloud, "--hq", &up.hq];
    run_within(LOAD, &[&arguments[..], &at].concat(), up.manifest.directory()).await
}

/// What was seen of the service while the load came.
struct Watch {
    /// The most tasks that ran at once.
    most: i32,
    /// Desired counts in the order in which they were seen.
    desired: Vec<i32>,
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} tasks ran; desired counts: {:?}", self.most, self.desired)
    }
}

impl Watch {
    /// Looks until the service has grown and is small again.
    async fn until_quiet(aws: &Aws, up: &Up) -> Self {
        let mut watch = Self { most: 0, desired: Vec::new() };
        until("the service grows and shrinks again", LOAD, async || {
            let (desired, running) = counts(aws).await;
            watch.most = watch.most.max(running);
            if watch.desired.last() != Some(&desired) {
                watch.desired.push(desired);
            }
            holds(watch.most > FEWEST && desired <= FEWEST, format!("{watch}, {:?}", up.stats().await))
        })
        .await;
        watch
    }
}

/// Desired and running tasks.
async fn counts(aws: &Aws) -> (i32, i32) {
    let described = aws.ecs.describe_services().cluster(CLUSTER).services(APP).send().await.unwrap();
    let service = described.services().first().expect("the service");
    (service.desired_count(), service.running_count())
}

/// All activities, the newest first.
async fn activities(aws: &Aws) -> Vec<ScalingActivity> {
    let resource = format!("service/{CLUSTER}/{APP}");
    let request = aws.scaling.describe_scaling_activities().service_namespace(ServiceNamespace::Ecs);
    let pages = request.resource_id(resource).into_paginator().items().send();
    pages.try_collect().await.unwrap()
}

fn line(activity: &ScalingActivity) -> String {
    let status = activity.status_code().as_str();
    format!("{status:<12} {} Cause: {}", activity.description(), activity.cause())
}

/// Both alarms have set the policy off, in the words of AWS, and nothing went wrong.
fn check(activities: &[ScalingActivity]) {
    let by_alarm = |side: &str| {
        let begin = format!("monitor alarm TargetTracking-service/{CLUSTER}/{APP}-{side}-");
        let end = " in state ALARM triggered policy interstella.orders";
        let is_caused = |cause: &str| cause.starts_with(&begin) && cause.ends_with(end);
        let is_so = |one: &&ScalingActivity| {
            is_caused(one.cause()) && one.description().starts_with("Setting desired count to ")
        };
        activities.iter().filter(is_so).count()
    };
    assert!(by_alarm("AlarmHigh") > 0 && by_alarm("AlarmLow") > 0, "{activities:#?}");
    for one in activities {
        let is_well =
            matches!(one.status_code(), ScalingActivityStatusCode::Successful | ScalingActivityStatusCode::InProgress);
        assert!(is_well, "{one:#?}");
    }
}
