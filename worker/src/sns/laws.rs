//! What must hold for whatever a stranger sends. Random tests and the fuzz targets check the same laws; nothing here serves
//! an order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use http::Uri;

use super::certificate::is_certificate_url;
use super::signature::string_to_sign;
use super::{Envelope, Kind};

/// Every member but the message is one line, so that the string to sign has as many lines as its grammar says.
pub(super) fn has_one_reading(envelope: &Envelope<'_>) -> bool {
    let text = string_to_sign(envelope);
    let members = match (envelope.kind, &envelope.subject) {
        (Kind::Notification, None) => 5,
        (Kind::Notification, Some(_)) => 6,
        _ => 7,
    };
    text.matches('\n').count() == 2 * members + envelope.message.matches('\n').count()
}

/// An HTTP library's reading of a URL that passes is ours: `host` over HTTPS, that path, nothing else.
pub(super) fn leads_to(url: &str, host: &str) -> bool {
    if !is_certificate_url(url, &format!("https://{host}")) {
        return true;
    }
    let uri: Uri = url.parse().unwrap();
    uri.scheme_str() == Some("https")
        && uri.authority().unwrap().as_str() == host
        && uri.query().is_none()
        && uri.path().len() == "/SimpleNotificationService-.pem".len() + 32
}
