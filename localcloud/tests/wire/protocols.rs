//! Requests and answers as bytes.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use interstella_localcloud::cloud::Page;

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
async fn another_region_is_refused() {
    let request = Request::post("http://localhost/").header("authorization", authorization("eu-west-1", "sts"));
    let answered = answer(&cloud(), request.body(Full::from("Action=GetCallerIdentity")).unwrap()).await;
    assert!(
        answered.starts_with("403") && answered.contains("this cloud is us-west-2, not &apos;eu-west-1&apos;"),
        "{answered}"
    );
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
async fn a_web_page_gets_nothing() {
    let cloud = cloud();
    let mut request = query("sns", "Action=CreateTopic&Version=2010-03-31&Name=a");
    request.headers_mut().insert("origin", "https://example.com".parse().unwrap());
    assert!(answer(&cloud, request).await.starts_with("403"));
    assert!(cloud.journal.calls().is_empty());
}

#[tokio::test]
async fn bodies_are_bounded() {
    let large = "a".repeat((4 << 20) + 1);
    let (status, _) = send(&cloud(), json("ssm", "AmazonSSM.GetParameter", &large)).await.unwrap();
    assert_eq!(status, 413);
}
