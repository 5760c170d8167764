//! Confirms a subscription by calling the topic's own SNS. What `SubscribeURL` says is ignored.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;

use super::{Envelope, Refusal, Topic};
use crate::outbound::Outbound;

const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Calls `ConfirmSubscription` for a verified message. The call is unsigned, as SNS allows, and may be repeated.
pub(crate) async fn confirm(
    outbound: &Outbound,
    envelope: &Envelope<'_>,
    topic: &Topic,
    local_origin: Option<&str>,
    deadline: Duration,
) -> Result<(), Refusal> {
    const FAILED: Refusal = Refusal::Unverifiable("the subscription cannot be confirmed at the moment");
    let form = format!(
        "Action=ConfirmSubscription&Version=2010-03-31&TopicArn={}&Token={}",
        percent_encode(topic.arn()),
        percent_encode(&envelope.token)
    );
    let request = Request::post(format!("{}/", topic.origin(local_origin)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
        .body(Full::new(Bytes::from(form)))
        .map_err(|_| FAILED)?;
    let answer = outbound.send(request, deadline, MAX_ANSWER_BYTES).await;
    let answer =
        answer.inspect_err(|error| tracing::warn!(%error, "ConfirmSubscription failed")).map_err(|_| FAILED)?;
    if answer.status.is_success() {
        return Ok(());
    }
    tracing::warn!(status = answer.status.as_u16(), "SNS refused ConfirmSubscription");
    Err(FAILED)
}

/// Everything but RFC 3986's unreserved characters, as AWS reads it.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
