//! SNS's `Publish` over awsQuery, to the local cloud only: the `Authorization` header has the shape by which requests are
//! routed to a service and region, and no real signature.
//!
//! API: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;

use crate::client::{Answer, Client, ClientError};
use crate::config::TopicRate;
use crate::endpoint::LoopbackUrl;

const API_VERSION: &str = "2010-03-31";
const MAX_QUOTED_CHARS: usize = 200;

/// Why a publish was not acknowledged. The order may have gone out all the same if no answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("the topic does not exist yet")]
    NoSuchTopic,
    #[error("SNS answered {status}: {body}")]
    Refused { status: StatusCode, body: String },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the region is no header value: {0}")]
    Region(#[from] InvalidHeaderValue),
}

/// Publishes one order; returns when SNS has acknowledged it.
pub(crate) async fn publish(
    client: &Client,
    endpoint: &LoopbackUrl,
    topic: &TopicRate,
    region: &str,
    now: Timestamp,
) -> Result<(), PublishError> {
    let answer = client.post(&endpoint.join("/"), headers(region, now)?, body(topic)).await?;
    acknowledged(&answer)
}

fn body(topic: &TopicRate) -> Bytes {
    let form = [("Action", "Publish"), ("Version", API_VERSION), ("TopicArn", &topic.arn), ("Message", &topic.message)];
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into()
}

fn headers(region: &str, now: Timestamp) -> Result<HeaderMap, InvalidHeaderValue> {
    let (date, time) = (now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ").to_string());
    let scope = format!("local/{date}/{region}/sns/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"));
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&authorization)?);
    headers.insert("x-amz-date", HeaderValue::from_str(&time)?);
    Ok(headers)
}

fn acknowledged(answer: &Answer) -> Result<(), PublishError> {
    let text = String::from_utf8_lossy(&answer.body);
    match answer.status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND if text.contains("<Code>NotFound</Code>") => Err(PublishError::NoSuchTopic),
        status => Err(PublishError::Refused { status, body: quoted(&text) }),
    }
}

/// The start of an answer, safe to print on one line of a log.
fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_what_the_local_cloud_routes_by() {
        let now: Timestamp = "2026-11-22T20:30:00Z".parse().unwrap();
        let headers = headers("us-west-2", now).unwrap();
        assert_eq!(
            headers[AUTHORIZATION],
            "AWS4-HMAC-SHA256 Credential=local/20261122/us-west-2/sns/aws4_request, SignedHeaders=host, Signature=0"
        );
        assert_eq!(headers["x-amz-date"], "20261122T203000Z");
        let topics = TopicRate::workshop("arn:aws:sns:us-west-2:123456789012:", 60.0);
        assert_eq!(
            body(&topics[0]),
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-west-2%3A123456789012%3AorderTopic\
             &Message=%7B%22bundle%22%3A+1%7D"
        );
    }

    #[test]
    fn only_200_is_an_acknowledgement() {
        let answer = |status, body: &'static str| acknowledged(&Answer { status, body: body.into() });
        assert!(answer(StatusCode::OK, "<PublishResponse/>").is_ok());
        let missing =
            answer(StatusCode::NOT_FOUND, "<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>");
        assert!(matches!(missing, Err(PublishError::NoSuchTopic)));
        let refused = answer(StatusCode::BAD_REQUEST, "line\nbreak").unwrap_err();
        assert_eq!(refused.to_string(), "SNS answered 400 Bad Request: line break");
        assert!(answer(StatusCode::ACCEPTED, "").is_err());
    }
}
