//! CloudWatch by the Rust SDK: CBOR, with large requests compressed.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, StandardUnit, StateValue,
    Statistic,
};
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::Images;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::world::World;

use crate::adapter::http_client;

const START: i64 = 1_790_000_040;

fn cloud() -> Arc<Cloud> {
    let clock = Clock::stepped(CloudTime::from_millis(START * 1000));
    Cloud::new(World::new("us-west-2", 7, Images::default()), clock, Box::new(Model::default()))
}

fn client(cloud: &Arc<Cloud>) -> Client {
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url("http://localhost")
        .http_client(http_client(cloud))
        // Every body is compressed, however short.
        .request_min_compression_size_bytes(1)
        .disable_request_compression(false);
    Client::from_conf(config.build())
}

/// Puts a value for the current moment.
async fn put(client: &Client, value: f64) {
    let pod = Dimension::builder().name("Service").value("web").build();
    let datum = MetricDatum::builder().metric_name("Load").dimensions(pod).value(value).unit(StandardUnit::Count);
    client.put_metric_data().namespace("Test").metric_data(datum.build()).send().await.unwrap();
}

async fn state(client: &Client) -> StateValue {
    let answer = client.describe_alarms().alarm_names("load").send().await.unwrap();
    answer.metric_alarms()[0].state_value().unwrap().clone()
}

#[tokio::test]
async fn the_rust_sdk_writes_reads_and_watches() {
    let cloud = cloud();
    let client = client(&cloud);
    let service = Dimension::builder().name("Service").value("web").build();
    client
        .put_metric_alarm()
        .alarm_name("load")
        .namespace("Test")
        .metric_name("Load")
        .dimensions(service.clone())
        .statistic(Statistic::Average)
        .period(60)
        .evaluation_periods(1)
        .threshold(50.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .unwrap();
    assert_eq!(state(&client).await, StateValue::InsufficientData);
    for (value, wanted) in [(10.0, StateValue::Ok), (90.0, StateValue::Alarm)] {
        put(&client, value).await;
        cloud.advance(Duration::from_mins(1));
        assert_eq!(state(&client).await, wanted);
    }
    let metric = Metric::builder().namespace("Test").metric_name("Load").dimensions(service).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    let answer = client
        .get_metric_data()
        .metric_data_queries(MetricDataQuery::builder().id("m1").metric_stat(stat).return_data(false).build())
        .metric_data_queries(MetricDataQuery::builder().id("e1").expression("m1 * 2").build())
        .start_time(DateTime::from_secs(START))
        .end_time(DateTime::from_secs(START + 120))
        .send()
        .await
        .unwrap();
    let [result] = answer.metric_data_results() else { panic!("not one result: {answer:?}") };
    assert_eq!(result.values(), [180.0, 20.0]);
    assert_eq!(result.timestamps(), [DateTime::from_secs(START + 60), DateTime::from_secs(START)]);
}

#[tokio::test]
async fn the_rust_sdk_reads_errors_by_both_names() {
    let client = client(&cloud());
    let error = client.set_alarm_state().alarm_name("none").state_value(StateValue::Ok).state_reason("r").send().await;
    let error = error.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found(), "{error:?}");
    let error = client.put_metric_data().namespace("AWS/ECS").send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_value_exception(), "{error:?}");
    assert_eq!(error.code(), Some("InvalidParameterValue"));
}
