//! Requests and answers as bytes.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use interstella_localcloud::cloud::Page;
use interstella_localcloud::wire;
use std::sync::Arc;
use tower::ServiceExt;

use super::{answer, authorization, cloud, json, query, send};

#[tokio::test]
async fn a_query_is_answered_in_xml() {
    let identity = answer(&cloud(), query("sts", "Action=GetCallerIdentity&Version=2011-06-15")).await;
    let wanted = "200 <GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <UserId>123456789012</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:root</Arn>\
        </GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000001</RequestId>\
        </ResponseMetadata></GetCallerIdentityResponse>";
    assert_eq!(identity, wanted);
}

#[tokio::test]
async fn json_is_answered_in_json() {
    let cloud = cloud();
    let put = r#"{"Name": "a", "Type": "String", "Value": "v", "Description": null}"#;
    let answered = answer(&cloud, json("ssm", "AmazonSSM.PutParameter", put)).await;
    assert_eq!(answered, r#"200 {"Version":1,"Tier":"Standard"}"#);
    let answered = answer(&cloud, json("ssm", "AmazonSSM.GetParameter", r#"{"Name": "a"}"#)).await;
    let wanted = "200 {\"Parameter\":{\"Name\":\"a\",\"Type\":\"String\",\"Value\":\"v\",\"Version\":1,\
        \"LastModifiedDate\":1800000000.0,\"ARN\":\"arn:aws:ssm:us-west-2:123456789012:parameter/a\",\"DataType\":\"text\"}}";
    assert_eq!(answered, wanted);
}

#[tokio::test]
async fn errors_come_in_the_service_s_envelope() {
    let cloud = cloud();
    let cases = [
        (
            json("ssm", "AmazonSSM.GetParameter", r#"{"Name": "a"}"#),
            r#"400 {"__type":"ParameterNotFound","message":""}"#,
        ),
        (json("ssm", "AmazonSSM.GetParameter", "{"), r#"400 {"__type":"SerializationException""#),
        (
            json("ssm", "AmazonSSM.GetParameter", r#"{"Name": 5}"#),
            r#"400 {"__type":"SerializationException","message":"NUMBER_V"#,
        ),
        (json("ssm", "AmazonSSM.GetParameter", "{}"), r#"400 {"__type":"ValidationException""#),
        (
            json("ssm", "AmazonSSM.Fly", "{}"),
            r#"400 {"__type":"UnknownOperationException","message":"Could not find operation Fly"#,
        ),
        (
            json("ssm", "AmazonSSM.SendCommand", "{}"),
            r#"501 {"__type":"NotImplemented","message":"the local cloud does not implement ssm SendCommand"}"#,
        ),
        (
            json("ssm", "AmazonSSM.GetParameter", r#"{"Name": "a", "Colour": 1}"#),
            r#"501 {"__type":"NotImplemented","message":"the"#,
        ),
        (
            query("elasticloadbalancing", "Action=DescribeTags&Version=2015-12-01"),
            "400 <ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error><Type>Sender</Type>\
                <Code>ValidationError</Code><Message>1 validation error detected: Value null at &apos;resourceArns&apos;",
        ),
        (
            query("sns", "Action=Fly&Version=2010-03-31"),
            "400 <ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">",
        ),
        (
            query("ec2", "Action=DescribeVpcs&Version=2016-11-15"),
            "501 <ErrorResponse xmlns=\"\"><Error><Type>Receiver</Type>",
        ),
    ];
    for (request, wanted) in cases {
        let answered = answer(&cloud, request).await;
        assert!(answered.starts_with(wanted), "{answered}\nshould start with\n{wanted}");
    }
}

#[tokio::test]
async fn what_is_no_api_call() {
    let cloud = cloud();
    let page = Page { content_type: "application/x-pem-file".to_owned(), body: Bytes::from_static(b"-----BEGIN") };
    cloud.publish("/SimpleNotificationService-0.pem", page);
    let get = |path: &str| Request::get(format!("http://localhost{path}")).body(Full::default()).unwrap();
    assert_eq!(answer(&cloud, get("/SimpleNotificationService-0.pem")).await, "200 -----BEGIN");
    assert_eq!(answer(&cloud, get("/_interstella/health")).await, r#"200 {"status":"ok","region":"us-west-2"}"#);
    assert!(answer(&cloud, get("/other")).await.starts_with("403"));
    let put = Request::put("http://localhost/").body(Full::default()).unwrap();
    assert!(answer(&cloud, put).await.starts_with("405"));
    assert_eq!(cloud.journal.calls().len(), 1, "only what may have been meant as a call is recorded");
}

#[tokio::test]
async fn subscribers_need_no_signature() {
    let uri = "http://localhost/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:none&Token=0";
    let answered = answer(&cloud(), Request::get(uri).body(Full::default()).unwrap()).await;
    assert!(answered.contains("<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">"), "{answered}");
}

#[tokio::test]
async fn a_get_reads_and_changes_nothing_but_what_a_subscriber_may() {
    let cloud = cloud();
    for (call, status) in [
        ("Action=CreateTopic&Name=a", "405"),
        ("Action=Publish&TopicArn=arn:aws:sns:us-west-2:123456789012:orderTopic&Message=x", "405"),
        ("Action=DeleteTopic&TopicArn=arn:aws:sns:us-west-2:123456789012:orderTopic", "405"),
        ("Action=ListTopics", "200"),
        ("Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:orderTopic&Token=1", "40"),
        ("Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-west-2:123456789012:orderTopic:1", ""),
    ] {
        let credential = "X-Amz-Credential=local%2F20260101%2Fus-west-2%2Fsns%2Faws4_request";
        let uri = format!("/?{call}&Version=2010-03-31&{credential}");
        let answered = answer(&cloud, Request::get(&uri).body(Full::default()).unwrap()).await;
        assert!(
            answered.starts_with(status) && (status == "405" || !answered.starts_with("405")),
            "{call}: {answered}"
        );
    }
}

#[tokio::test]
async fn with_an_access_key_of_its_own_the_cloud_answers_nobody_else() {
    let cloud = cloud();
    let service = wire::service(Arc::clone(&cloud)).signed_with(Some("secret-key".into()));
    let ask = async |key: &str| {
        let mut request = query("sns", "Action=ListTopics&Version=2010-03-31");
        let authorization = authorization("us-west-2", "sns").replace("Credential=any/", &format!("Credential={key}/"));
        request.headers_mut().insert("authorization", authorization.parse().unwrap());
        service.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!([ask("local").await, ask("secret-key").await, ask("secret-key2").await], [403, 200, 403]);
    let mut unsigned = query("sns", "Action=ListTopics&Version=2010-03-31");
    unsigned.headers_mut().remove("authorization");
    assert_eq!(service.clone().oneshot(unsigned).await.unwrap().status(), 403);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let large = "a".repeat((4 << 20) + 1);
    let (status, _) = send(&cloud(), json("ssm", "AmazonSSM.GetParameter", &large)).await.unwrap();
    assert_eq!(status, 413);
}
