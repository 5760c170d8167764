//! Whether a message is one of ours: topic, time, certificate, signature, in this order.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};

use super::certificate::is_certificate_url;
use super::signature::{decode, string_to_sign, version};
use super::{Envelope, KeyCache, Refusal, Topic};
use crate::clock::{Clock, Reading, Skew};

/// How far a message may be ahead of this machine's clock.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Why a genuine message comes again.
pub(crate) const WRONG_CLOCK: Refusal = Refusal::Unverifiable("this machine's clock is wrong");

/// What the configuration says about messages.
#[derive(Debug)]
pub(crate) struct Rules {
    pub topics: Vec<Topic>,
    pub local_origin: Option<String>,
    pub allow_signature_v1: bool,
    pub max_age: Duration,
}

/// Checks messages.
#[derive(Debug)]
pub(crate) struct Verifier {
    rules: Rules,
    keys: KeyCache,
    clock: Clock,
    skew: Arc<Skew>,
}

impl Verifier {
    pub(crate) fn new(rules: Rules, keys: KeyCache, clock: Clock, skew: Arc<Skew>) -> Self {
        Verifier { rules, keys, clock, skew }
    }

    /// The message in `body` and its topic, if it is genuine and recent.
    pub(crate) async fn verify<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
    ) -> Result<(Envelope<'a>, &Topic), Refusal> {
        check_raw(headers)?;
        let envelope = Envelope::parse(body)?;
        check_headers(headers, &envelope)?;
        let topic = self.rules.topics.iter().find(|topic| topic.arn() == envelope.topic_arn);
        let topic = topic.ok_or(Refusal::Forged("the topic is not one of ours"))?;
        // Without a signature nothing is known to be genuine, so what a right clock refuses is not looked at further.
        let refused = match self.check_time(envelope.timestamp, self.clock.reading()) {
            Err(WRONG_CLOCK) => true,
            recent => recent.map(|()| false)?,
        };
        let version = version(&envelope, self.rules.allow_signature_v1)?;
        let signature = decode(&envelope)?;
        if !is_certificate_url(&envelope.signing_cert_url, &topic.origin(self.rules.local_origin.as_deref())) {
            return Err(Refusal::Forged("the signing certificate is not at the topic's own SNS"));
        }
        let key = self.keys.get(&envelope.signing_cert_url, topic).await?;
        if !key.key.verify(version, string_to_sign(&envelope).as_bytes(), &signature) {
            return Err(Refusal::Forged("the signature is wrong"));
        }
        // It is genuine, and SNS forgets a message that is refused for good: that takes a clock that is known to be right now. It
        // may have been set while the key was fetched, so it is read anew.
        if refused {
            self.keys.ask_the_time(&envelope.signing_cert_url).await;
            self.check_time(envelope.timestamp, self.clock.reading())?;
        }
        Ok((envelope, topic))
    }

    /// Whether a message is neither too old nor of the future. Time and trust in it come from one reading of the clocks.
    fn check_time(&self, timestamp: Timestamp, now: Reading) -> Result<(), Refusal> {
        let refusal = self.out_of_time(timestamp, now.wall);
        let is_clock_good = self.skew.is_trustworthy(now) == Some(true);
        refusal.map_or(Ok(()), |refusal| Err(if is_clock_good { refusal } else { WRONG_CLOCK }))
    }

    fn out_of_time(&self, timestamp: Timestamp, now: Timestamp) -> Option<Refusal> {
        let age = now.duration_since(timestamp);
        let max_age = SignedDuration::try_from(self.rules.max_age).unwrap_or(SignedDuration::MAX);
        if age > max_age {
            Some(Refusal::Forged("the message is too old"))
        } else if age < -MAX_AHEAD {
            Some(Refusal::Forged("the message is from the future"))
        } else {
            None
        }
    }
}

fn check_raw(headers: &HeaderMap) -> Result<(), Refusal> {
    const RAW: HeaderName = HeaderName::from_static("x-amz-sns-rawdelivery");
    let is_raw = headers.get(RAW).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    if is_raw { Err(Refusal::Forged("raw deliveries carry no signature")) } else { Ok(()) }
}

/// The headers are not signed. They may be absent, but not say something else.
fn check_headers(headers: &HeaderMap, envelope: &Envelope<'_>) -> Result<(), Refusal> {
    const TYPE: HeaderName = HeaderName::from_static("x-amz-sns-message-type");
    const ID: HeaderName = HeaderName::from_static("x-amz-sns-message-id");
    const TOPIC: HeaderName = HeaderName::from_static("x-amz-sns-topic-arn");
    let expected = [(TYPE, envelope.kind.as_str()), (ID, &*envelope.message_id), (TOPIC, &*envelope.topic_arn)];
    let agrees = |(name, value): (HeaderName, &str)| {
        headers.get_all(name).iter().all(|header| header.as_bytes() == value.as_bytes())
    };
    if expected.into_iter().all(agrees) { Ok(()) } else { Err(Refusal::Malformed("headers and body disagree")) }
}
