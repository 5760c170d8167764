//! CloudWatch's three protocols, told apart by the request, and compressed bodies.

use std::io::Write;

use aws_smithy_cbor::Encoder;
use aws_smithy_types::DateTime;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use http_body_util::{BodyExt, Full};
use interstella_localcloud::wire;
use tower::ServiceExt;

use super::{answer, authorization, cloud, json, query};

fn cbor(operation: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    Request::post(format!("http://localhost/service/GraniteServiceVersion20100801/operation/{operation}"))
        .header("authorization", authorization("us-west-2", "monitoring"))
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .header("x-amzn-query-mode", "true")
        .body(Full::from(body))
        .unwrap()
}

fn gzipped(request: Request<Full<Bytes>>, plain: &[u8]) -> Request<Full<Bytes>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    let (mut parts, _) = request.into_parts();
    parts.headers.insert("content-encoding", "gzip".parse().unwrap());
    Request::from_parts(parts, Full::from(encoder.finish().unwrap()))
}

/// Status, the headers that matter, and the body in hexadecimal.
async fn raw(cloud: &std::sync::Arc<interstella_localcloud::cloud::Cloud>, request: Request<Full<Bytes>>) -> String {
    let response = wire::service(std::sync::Arc::clone(cloud)).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let headers = ["smithy-protocol", "content-type", "x-amzn-query-error"].map(header).join(" ");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    format!("{status} {headers} {}", body.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// PutMetricData of one value at the cloud's time.
fn put_in_cbor() -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(2).str("Namespace").str("Test").str("MetricData").array(1).map(3);
    encoder.str("MetricName").str("m").str("Value").double(2.5);
    encoder.str("Timestamp").timestamp(&DateTime::from_secs(1_800_000_000));
    encoder.into_writer()
}

const STATISTICS: &str = "Namespace=Test&MetricName=m&Period=60&Statistics.member.1=Sum\
    &StartTime=2027-01-15T08%3A00%3A00Z&EndTime=2027-01-15T08%3A01%3A00Z";

#[tokio::test]
async fn what_came_in_one_protocol_is_read_in_the_others() {
    let cloud = cloud();
    let put = cbor("PutMetricData", put_in_cbor());
    assert_eq!(raw(&cloud, put).await, "200 rpc-v2-cbor - - ");
    let target = "GraniteServiceVersion20100801.PutMetricData";
    let body = r#"{"Namespace": "Test", "MetricData": [{"MetricName": "m", "Value": 2, "Timestamp": 1800000000}]}"#;
    assert_eq!(answer(&cloud, gzipped(json("monitoring", target, ""), body.as_bytes())).await, "200 ");
    let form = "Action=PutMetricData&Version=2010-08-01&Namespace=Test&MetricData.member.1.MetricName=m\
        &MetricData.member.1.Value=1.25&MetricData.member.1.Timestamp=2027-01-15T08%3A00%3A00Z";
    let answered = answer(&cloud, gzipped(query("monitoring", ""), form.as_bytes())).await;
    assert!(
        answered.starts_with("200 <PutMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">")
    );

    let form = format!("Action=GetMetricStatistics&Version=2010-08-01&{STATISTICS}");
    let answered = answer(&cloud, query("monitoring", &form)).await;
    let datapoint =
        "<Datapoints><member><Sum>5.75</Sum><Timestamp>2027-01-15T08:00:00.000Z</Timestamp><Unit>None</Unit></member>";
    assert!(answered.contains(datapoint), "{answered}");
    let body = r#"{"Namespace": "Test", "MetricName": "m", "Period": 60, "Statistics": ["Sum"], "StartTime": 1800000000,
        "EndTime": 1800000060}"#;
    let answered = answer(&cloud, json("monitoring", "GraniteServiceVersion20100801.GetMetricStatistics", body)).await;
    assert_eq!(answered, r#"200 {"Label":"m","Datapoints":[{"Sum":5.75,"Timestamp":1800000000,"Unit":"None"}]}"#);
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(1).str("Namespace").str("Test");
    let listed = raw(&cloud, cbor("ListMetrics", encoder.into_writer())).await;
    // {"Metrics": [{"Namespace": "Test", "MetricName": "m", "Dimensions": []}]}
    let body = "a1674d65747269637381a3694e616d65737061636564546573746a4d65747269634e616d65616d6a44696d656e73696f6e7380";
    assert_eq!(listed, format!("200 rpc-v2-cbor application/cbor - {body}"));
}

#[tokio::test]
async fn a_moment_has_tag_1_in_cbor() {
    let cloud = cloud();
    raw(&cloud, cbor("PutMetricData", put_in_cbor())).await;
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(6).str("Namespace").str("Test").str("MetricName").str("m").str("Period").integer(60);
    encoder.str("StartTime").timestamp(&DateTime::from_secs(1_800_000_000));
    encoder.str("EndTime").timestamp(&DateTime::from_secs_f64(1_800_000_059.5));
    encoder.str("Statistics").array(1).str("Sum");
    let answered = raw(&cloud, cbor("GetMetricStatistics", encoder.into_writer())).await;
    assert!(answered.contains("6954696d657374616d70c1fb41dad27480000000"), "{answered}");
}

#[tokio::test]
async fn errors_in_each_protocol() {
    let cloud = cloud();
    let body = "a26b416c61726d4e616d65"; // {"AlarmName": …, cut off
    let cut: Vec<u8> =
        (0..body.len()).step_by(2).map(|at| u8::from_str_radix(&body[at..at + 2], 16).unwrap()).collect();
    assert!(
        raw(&cloud, cbor("SetAlarmState", cut))
            .await
            .starts_with("400 rpc-v2-cbor application/cbor SerializationException;Sender")
    );
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(1).str("NextToken").str("x");
    let refused = raw(&cloud, cbor("ListMetrics", encoder.into_writer())).await;
    let shape: String =
        "com.amazonaws.cloudwatch#InvalidParameterValueException".bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        refused.starts_with("400 rpc-v2-cbor application/cbor InvalidParameterValue;Sender a2665f5f74797065"),
        "{refused}"
    );
    assert!(refused.contains(&shape), "{refused}");
    let refused =
        answer(&cloud, json("monitoring", "GraniteServiceVersion20100801.ListMetrics", r#"{"NextToken": "x"}"#)).await;
    assert_eq!(
        refused,
        r#"400 {"__type":"InvalidParameterValueException","message":"The parameter NextToken is not valid."}"#
    );
    let refused = answer(&cloud, query("monitoring", "Action=ListMetrics&Version=2010-08-01&NextToken=x")).await;
    assert!(refused.contains("<Type>Sender</Type><Code>InvalidParameterValue</Code>"), "{refused}");
    let refused = answer(&cloud, query("monitoring", "Action=SetAlarmState&Version=2010-08-01&AlarmName=a")).await;
    assert!(
        refused.contains("<Code>MissingParameter</Code><Message>The parameter StateValue is required.</Message>"),
        "{refused}"
    );
    let unknown = raw(&cloud, cbor("Fly", Vec::new())).await;
    assert!(unknown.starts_with("400 rpc-v2-cbor application/cbor UnknownOperationException;Sender"), "{unknown}");
}

#[tokio::test]
async fn a_protocol_that_the_service_does_not_speak_is_refused() {
    let mut request = cbor("PutParameter", Vec::new());
    request.headers_mut().insert("authorization", authorization("us-west-2", "ssm").parse().unwrap());
    let refused = raw(&cloud(), request).await;
    assert!(refused.starts_with("400 rpc-v2-cbor application/cbor"), "{refused}");
    let refused = answer(&cloud(), query("ssm", "Action=GetParameter&Version=2014-11-06")).await;
    assert!(refused.starts_with("400 ") && refused.contains("InvalidAction"), "{refused}");
}

#[tokio::test]
async fn compressed_bodies_are_bounded_and_checked() {
    let cloud = cloud();
    let target = "GraniteServiceVersion20100801.PutMetricData";
    let bomb = vec![b' '; (4 << 20) + 1];
    assert!(answer(&cloud, gzipped(json("monitoring", target, ""), &bomb)).await.starts_with("413 the body is larger"));
    let mut broken = json("monitoring", target, "not gzip");
    broken.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert!(answer(&cloud, broken).await.starts_with("400 the body is not valid gzip"));
    let mut other = json("monitoring", target, "{}");
    other.headers_mut().insert("content-encoding", "br".parse().unwrap());
    assert!(answer(&cloud, other).await.starts_with("415 "));
}
