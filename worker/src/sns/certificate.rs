//! Signing certificates: which URL may serve one, and whether what it served may be believed.
//!
//! In AWS the certificate must chain to one of Amazon's roots and name SNS. From the local cloud it is self-signed: there the
//! loopback origin is the trust. Everything else is checked alike.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey as X509Key;

use super::signature::PublicKey;

/// The largest file that is read: a chain of a few certificates.
pub(super) const MAX_BYTES: usize = 16 * 1024;
const MAX_CHAIN: usize = 5;

/// A key and when it may be used.
#[derive(Debug)]
pub(super) struct SigningKey {
    pub key: PublicKey,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl SigningKey {
    pub(super) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// Whom to believe.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trust<'a> {
    /// A chain to one of these roots, for `sns.REGION.amazonaws.com` or `sns.amazonaws.com`.
    Chain { anchors: &'a [TrustAnchor<'a>], host: &'a str },
    /// A self-signed certificate from the local cloud.
    Loopback,
}

/// Whether `url` is exactly `ORIGIN/SimpleNotificationService-<32 hex digits>.pem`. It is compared as bytes and never parsed,
/// so that there is no second reading of it.
pub(super) fn is_certificate_url(url: &str, origin: &str) -> bool {
    let name = url
        .strip_prefix(origin)
        .and_then(|path| path.strip_prefix("/SimpleNotificationService-"))
        .and_then(|name| name.strip_suffix(".pem"));
    name.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// Amazon's own roots out of Mozilla's: no other authority vouches for SNS.
pub(super) fn amazon_roots() -> Vec<TrustAnchor<'static>> {
    let is_amazon = |anchor: &&TrustAnchor<'static>| {
        [&b"Amazon"[..], &b"Starfield"[..]]
            .iter()
            .any(|name| anchor.subject.as_ref().windows(name.len()).any(|part| part == *name))
    };
    webpki_roots::TLS_SERVER_ROOTS.iter().filter(is_amazon).cloned().collect()
}

/// The certificates of a PEM file, the signing one first. None if it holds none, too many, or anything else.
pub(super) fn parse_pem(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let mut chain = Vec::new();
    for block in x509_parser::pem::Pem::iter_from_buffer(pem) {
        let block = block.ok().filter(|block| block.label == "CERTIFICATE")?;
        chain.push(CertificateDer::from(block.contents));
    }
    (1..=MAX_CHAIN).contains(&chain.len()).then_some(chain)
}

/// Where the issuer's certificate can be had, if the signing one says so and it is Amazon Trust Services. The answer is not
/// trusted: the chain is checked to a root.
pub(super) fn issuer_url(leaf: &CertificateDer<'_>) -> Option<String> {
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let urls = leaf.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    });
    urls.flat_map(|access| access.accessdescs.iter())
        .filter_map(|description| match description.access_location {
            GeneralName::URI(url) => Some(url),
            _ => None,
        })
        .find(|url| is_issuer_url(url))
        .map(str::to_owned)
}

/// `http://crt.NAME.amazontrust.com/NAME.cer`.
fn is_issuer_url(url: &str) -> bool {
    let parts = url.strip_prefix("http://crt.").and_then(|rest| rest.split_once(".amazontrust.com/"));
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    parts.is_some_and(|(name, file)| is_name(name) && file.strip_suffix(".cer").is_some_and(is_name))
}

/// Checks the chain and returns the signing key. The error is one of our own words for the log.
pub(super) fn check(
    chain: &[CertificateDer<'_>],
    trust: Trust<'_>,
    now: Timestamp,
) -> Result<SigningKey, &'static str> {
    let (leaf, intermediates) = chain.split_first().ok_or("the certificate file is empty")?;
    match trust {
        Trust::Chain { anchors, host } => check_chain(leaf, intermediates, anchors, host, now)?,
        Trust::Loopback if intermediates.is_empty() => {}
        Trust::Loopback => return Err("the local cloud's certificate file holds several"),
    }
    let (rest, leaf) = X509Certificate::from_der(leaf).map_err(|_| "the certificate is not X.509")?;
    if !rest.is_empty() {
        return Err("the certificate has a tail");
    }
    let spki = leaf.public_key();
    let Ok(X509Key::RSA(_)) = spki.parsed() else { return Err("the certificate's key is not RSA") };
    let key = PublicKey::parse(&spki.subject_public_key.data).ok_or("the certificate's key is too weak")?;
    let at = |seconds| Timestamp::from_second(seconds).map_err(|_| "the certificate's validity is no date");
    let validity = leaf.validity();
    let key = SigningKey {
        key,
        not_before: at(validity.not_before.timestamp())?,
        not_after: at(validity.not_after.timestamp())?,
    };
    if key.is_valid_at(now) { Ok(key) } else { Err("the certificate is expired or not yet valid") }
}

fn check_chain(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    host: &str,
    now: Timestamp,
) -> Result<(), &'static str> {
    let leaf = EndEntityCert::try_from(leaf).map_err(|_| "the certificate is not X.509 version 3")?;
    let since_epoch = u64::try_from(now.as_second()).map_err(|_| "the clock is before 1970")?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(since_epoch));
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        anchors,
        intermediates,
        time,
        KeyUsage::server_auth(),
        None,
        None,
    )
    .map_err(|_| "the certificate does not chain to one of Amazon's roots")?;
    let suffix = if host.ends_with(".cn") { "sns.amazonaws.com.cn" } else { "sns.amazonaws.com" };
    let names_sns = [host, suffix].into_iter().filter_map(|name| ServerName::try_from(name).ok());
    let named = names_sns.into_iter().any(|name| leaf.verify_is_valid_for_subject_name(&name).is_ok());
    if named { Ok(()) } else { Err("the certificate is not SNS's") }
}

#[cfg(test)]
mod tests;
