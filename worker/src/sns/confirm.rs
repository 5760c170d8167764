//! Confirms a subscription by calling the topic's own SNS. What `SubscribeURL` says is ignored.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;

use super::{Envelope, Refusal, Signer, Topic};
use crate::clock::Clock;
use crate::outbound::Outbound;

const MAX_ANSWER_BYTES: usize = 64 * 1024;
const FAILED: Refusal = Refusal::Unverifiable("the subscription cannot be confirmed at the moment");

/// Confirms subscriptions.
#[derive(Debug)]
pub(crate) struct Confirmer {
    pub outbound: Outbound,
    pub local_origin: Option<String>,
    pub deadline: Duration,
    /// Without one the call is unsigned, as SNS allows, and whoever reads an `UnsubscribeURL` can end the subscription.
    pub signer: Option<Signer>,
    pub clock: Clock,
}

impl Confirmer {
    /// Calls `ConfirmSubscription` for a verified message. The call may be repeated.
    pub(crate) async fn confirm(&self, envelope: &Envelope<'_>, topic: &Topic) -> Result<(), Refusal> {
        let request =
            tokio::time::timeout(self.deadline, self.request(envelope, topic)).await.map_err(|_| FAILED)??;
        let answer = self.outbound.send(request, self.deadline, MAX_ANSWER_BYTES).await;
        let answer =
            answer.inspect_err(|error| tracing::warn!(%error, "ConfirmSubscription failed")).map_err(|_| FAILED)?;
        if answer.status.is_success() {
            return Ok(());
        }
        tracing::warn!(status = answer.status.as_u16(), "SNS refused ConfirmSubscription");
        Err(FAILED)
    }

    async fn request(&self, envelope: &Envelope<'_>, topic: &Topic) -> Result<Request<Full<Bytes>>, Refusal> {
        let form = format!(
            "Action=ConfirmSubscription&Version=2010-03-31&TopicArn={}&Token={}{}",
            percent_encode(topic.arn()),
            percent_encode(&envelope.token),
            if self.signer.is_some() { "&AuthenticateOnUnsubscribe=true" } else { "" },
        );
        let mut request = Request::post(format!("{}/", topic.origin(self.local_origin.as_deref())))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Full::new(Bytes::from(form.clone())))
            .map_err(|_| FAILED)?;
        if let Some(signer) = &self.signer {
            let signed = signer.sign(&mut request, &form, topic.region(), self.clock.now()).await;
            signed.map_err(|error| {
                tracing::error!(error, "ConfirmSubscription cannot be signed; does the task have a role?");
                FAILED
            })?;
        }
        Ok(request)
    }
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
