//! What the targets in `fuzz/` call. It exists only when they are built.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use http::Uri;

use super::certificate::{issuer_url, parse_pem};
use super::laws::{has_one_reading, leads_to};
use super::signature::{decode, version};
use super::{Envelope, Topic};
use crate::order::{self, Order};

/// Reads `body` as the worker reads a request's, up to the check of the signature.
///
/// # Panics
/// If a law does not hold.
pub fn sns_body(body: &[u8]) {
    let Ok(envelope) = Envelope::parse(body) else { return };
    assert!(has_one_reading(&envelope), "{envelope:?}");
    assert_eq!(envelope.message_id.len(), 36);
    let _ = version(&envelope, true).and_then(|_| decode(&envelope));
    if let Ok(order) = Order::parse(&envelope.message) {
        let canonical = order.fingerprint();
        let again = Order::parse(envelope.message.trim()).expect("blanks around an order mean nothing");
        assert_eq!(again.fingerprint(), canonical);
    }
    let _ = order::key(&envelope.topic_arn, &envelope.message_id);
}

/// Reads `bytes` as a topic's ARN and, on the next line, the URL of its certificate; and as a certificate that names its issuer's.
///
/// # Panics
/// If a URL that passes leads anywhere but to the topic's SNS, or to Amazon Trust Services.
pub fn certificate_url(bytes: &[u8]) {
    if let Some((arn, url)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n'))
        && let Some(topic) = Topic::parse(arn)
    {
        assert!(topic.host().ends_with(".amazonaws.com") || topic.host().ends_with(".amazonaws.com.cn"));
        assert!(leads_to(url, topic.host()), "{url:?}");
    }
    for url in parse_pem(bytes).iter().flatten().filter_map(issuer_url) {
        let uri: Uri = url.parse().unwrap();
        assert!(uri.authority().unwrap().as_str().ends_with(".amazontrust.com"), "{url:?}");
    }
}
