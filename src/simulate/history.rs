//! The load that an app really had, minute by minute, from CloudWatch.

use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use interstella_controller::app::AppName;
use interstella_controller::aws::Aws;
use interstella_controller::error::Error;
use jiff::Timestamp;

use crate::failure::Failure;
use crate::session::{Session, now};
use crate::verb::Context;

/// Ages in days up to which CloudWatch keeps values of so many seconds (AWS: CloudWatch user guide, metrics retention).
const KEPT: [(u32, u32); 3] = [(15, 60), (63, 300), (455, 3_600)];
const DAY: Duration = Duration::from_secs(86_400);
const MINUTE_SECONDS: i64 = 60;
/// How far the clock of another endpoint than AWS's may be ahead of this machine's: a local cloud's runs faster with
/// `--speed`.
const AHEAD_SECONDS: i64 = 60 * 86_400;

/// What an app had to do.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Where it comes from, for people.
    pub name: String,
    /// The first minute.
    pub start: Timestamp,
    /// Orders a minute, minute by minute.
    pub orders_per_minute: Vec<f64>,
}

/// A metric that counts what an app has to do.
struct Source {
    namespace: &'static str,
    metric: &'static str,
    dimensions: Vec<(&'static str, String)>,
}

/// Reads what `app` had to do in `span` until now: the requests of its load balancer's target group, or for a service
/// without one the messages of `topic_arns`.
///
/// # Errors
/// If AWS cannot be asked, or the app has neither.
pub async fn read(context: &Context, app: &AppName, topic_arns: &[String], span: Duration) -> Result<History, Failure> {
    let session = Session::connect(&context.common).await?;
    let failed = |error: Error| Failure::because(format!("cannot read the history of {app}"), &error);
    let sources = sources(&session.aws, app, topic_arns).await.map_err(failed)?;
    let Some(first) = sources.first() else {
        return Err(Failure::new(format!("{app} has no load balancer and no topics, so nothing counts its orders"))
            .remedy(
                "check cluster and name, with --app CLUSTER/NAME or the manifest; or give the load with --load FILE",
            ));
    };
    let name = format!("the last {} h of {} {}", span.as_secs() / 3_600, first.namespace, first.metric);
    let minutes = i64::try_from(span.as_secs()).unwrap_or(0) / MINUTE_SECONDS;
    let present = now().as_second() / MINUTE_SECONDS * MINUTE_SECONDS;
    let period = KEPT.iter().find(|(days, _)| span <= DAY * *days).map_or(3_600, |(_, period)| *period);
    let ahead = if session.aws.endpoint_url().is_some() { AHEAD_SECONDS } else { 0 };
    let asked = (present - minutes * MINUTE_SECONDS, present + ahead);
    let mut points = Vec::new();
    for source in &sources {
        points.extend(values(&session.aws, source, asked, period).await.map_err(failed)?);
    }
    let start = end(&points, present, period) - minutes * MINUTE_SECONDS;
    let curve = curve(&points, start, minutes, period);
    if curve.iter().all(|rate| *rate == 0.0) {
        return Err(
            Failure::new(format!("{name}: there was nothing")).remedy("look further back, such as --history 7d")
        );
    }
    let start = Timestamp::from_second(start).map_err(|error| Failure::because("no such time", &error))?;
    Ok(History { name, start, orders_per_minute: curve })
}

async fn sources(aws: &Aws, app: &AppName, topic_arns: &[String]) -> Result<Vec<Source>, Error> {
    let services = aws.read.ecs.describe_services().cluster(&app.cluster).services(&app.name).send().await;
    let services = services.map_err(Error::of("ecs:DescribeServices"))?.services.unwrap_or_default();
    let attached = services.into_iter().flat_map(|service| service.load_balancers.unwrap_or_default());
    let arns: Vec<String> = attached.filter_map(|attached| attached.target_group_arn).collect();
    if arns.is_empty() {
        return Ok(topic_arns.iter().filter_map(|arn| topic(arn)).collect());
    }
    let groups = aws.read.elb.describe_target_groups().set_target_group_arns(Some(arns)).send().await;
    let groups = groups.map_err(Error::of("elasticloadbalancing:DescribeTargetGroups"))?.target_groups;
    let sources = groups.unwrap_or_default().into_iter().filter_map(|group| {
        let balancers = group.load_balancer_arns.unwrap_or_default();
        requests(balancers.first()?, group.target_group_arn.as_deref()?)
    });
    Ok(sources.collect())
}

/// The requests of a target group behind a load balancer; dimensions are the ends of the ARNs (AWS: Elastic Load
/// Balancing user guide, CloudWatch metrics).
fn requests(load_balancer_arn: &str, target_group_arn: &str) -> Option<Source> {
    let balancer = load_balancer_arn.split_once(":loadbalancer/")?.1.to_owned();
    let group = target_group_arn.rsplit_once(':')?.1.to_owned();
    let dimensions = vec![("LoadBalancer", balancer), ("TargetGroup", group)];
    Some(Source { namespace: "AWS/ApplicationELB", metric: "RequestCount", dimensions })
}

fn topic(arn: &str) -> Option<Source> {
    let dimensions = vec![("TopicName", arn.rsplit_once(':')?.1.to_owned())];
    Some(Source { namespace: "AWS/SNS", metric: "NumberOfMessagesPublished", dimensions })
}

/// The sums of all periods that have one, with the second at which each begins.
async fn values(aws: &Aws, source: &Source, (start, end): (i64, i64), period: u32) -> Result<Vec<(i64, f64)>, Error> {
    let dimensions =
        source.dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(value).build());
    let metric = Metric::builder().namespace(source.namespace).metric_name(source.metric);
    let metric = metric.set_dimensions(Some(dimensions.collect())).build();
    let stat = MetricStat::builder().metric(metric).period(i32::try_from(period).unwrap_or(60)).stat("Sum").build();
    let query = MetricDataQuery::builder().id("orders").metric_stat(stat).build();
    let mut pages = aws
        .read
        .cloudwatch
        .get_metric_data()
        .metric_data_queries(query)
        .start_time(DateTime::from_secs(start))
        .end_time(DateTime::from_secs(end))
        .scan_by(ScanBy::TimestampAscending)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(Error::of("cloudwatch:GetMetricData"))?;
        for result in page.metric_data_results.unwrap_or_default() {
            let moments = result.timestamps.unwrap_or_default().into_iter().map(|at| at.secs());
            found.extend(moments.zip(result.values.unwrap_or_default()));
        }
    }
    Ok(found)
}

/// When the newest value's period ends, if that is later than this machine's present.
fn end(points: &[(i64, f64)], present: i64, period: u32) -> i64 {
    points.iter().map(|(at, _)| at + i64::from(period)).fold(present, i64::max)
}

/// The rate of each minute: a longer period's orders are spread evenly over it, and a period without a value has none.
fn curve(points: &[(i64, f64)], start: i64, minutes: i64, period: u32) -> Vec<f64> {
    let mut curve = vec![0.0; usize::try_from(minutes).unwrap_or(0)];
    let length = (i64::from(period) / MINUTE_SECONDS).max(1);
    for (at, sum) in points {
        let first = (at - start).div_euclid(MINUTE_SECONDS);
        for minute in first..first + length {
            if let Some(rate) = usize::try_from(minute).ok().and_then(|index| curve.get_mut(index)) {
                *rate += sum / length as f64;
            }
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_rates_of_their_minutes() {
        let points = [(60, 5.0), (120, 7.0), (120, 1.0), (300, 9.0), (0, 4.0)];
        assert_eq!(curve(&points, 60, 4, 60), [5.0, 8.0, 0.0, 0.0]);
        assert_eq!(curve(&[(0, 10.0), (300, 5.0)], 60, 6, 300), [2.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
    }

    #[test]
    fn the_end_is_the_present_of_whoever_is_ahead() {
        assert_eq!([end(&[], 600, 60), end(&[(60, 1.0)], 600, 60), end(&[(900, 0.0)], 600, 60)], [600, 600, 960]);
    }

    #[test]
    fn dimensions_are_the_ends_of_the_arns() {
        let arn = |rest| format!("arn:aws:elasticloadbalancing:us-west-2:123456789012:{rest}");
        let source = requests(&arn("loadbalancer/app/front/50dc"), &arn("targetgroup/orders/73e2")).unwrap();
        let expected = [("LoadBalancer", "app/front/50dc"), ("TargetGroup", "targetgroup/orders/73e2")];
        assert_eq!(source.dimensions, expected.map(|(name, value)| (name, value.to_owned())));
        let source = topic("arn:aws:sns:us-west-2:123456789012:orderTopic").unwrap();
        assert_eq!(source.dimensions, [("TopicName", "orderTopic".to_owned())]);
    }
}
