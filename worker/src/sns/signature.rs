//! The string to sign, and the check of an RSA signature over it.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Envelope, Kind, Refusal};

/// The digest that a `SignatureVersion` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// "1": SHA-1.
    Sha1,
    /// "2": SHA-256.
    Sha256,
}

/// A certificate's RSA key, parsed once for both digests.
#[derive(Debug)]
pub(super) struct PublicKey {
    sha1: ParsedPublicKey,
    sha256: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a DER `RSAPublicKey`. None if it is not RSA of 2048 to 8192 bits.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        Some(PublicKey {
            sha1: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, der).ok()?,
            sha256: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok()?,
        })
    }

    pub(super) fn verify(&self, version: Version, message: &[u8], signature: &[u8]) -> bool {
        let key = match version {
            Version::Sha1 => &self.sha1,
            Version::Sha256 => &self.sha256,
        };
        key.verify_sig(message, signature).is_ok()
    }
}

/// The version that a message names, if the rules allow it.
pub(super) fn version(envelope: &Envelope<'_>, allow_v1: bool) -> Result<Version, Refusal> {
    match &*envelope.signature_version {
        "2" => Ok(Version::Sha256),
        "1" if allow_v1 => Ok(Version::Sha1),
        "1" => Err(Refusal::Forged("signature version 1 is switched off")),
        _ => Err(Refusal::Forged("unknown signature version")),
    }
}

/// The signature's bytes.
pub(super) fn decode(envelope: &Envelope<'_>) -> Result<Vec<u8>, Refusal> {
    match STANDARD.decode(&*envelope.signature) {
        Ok(bytes) if (256..=1024).contains(&bytes.len()) => Ok(bytes),
        _ => Err(Refusal::Forged("signature is not base64 of an RSA signature")),
    }
}

/// `key\nvalue\n` for each signed member in byte order, with JSON's escapes undone.
pub(super) fn string_to_sign(envelope: &Envelope<'_>) -> String {
    let subject = envelope.subject.as_deref();
    let is_notification = envelope.kind == Kind::Notification;
    let members = [
        ("Message", Some(&*envelope.message)),
        ("MessageId", Some(&*envelope.message_id)),
        ("Subject", subject.filter(|_| is_notification)),
        ("SubscribeURL", (!is_notification).then_some(&*envelope.subscribe_url)),
        ("Timestamp", Some(&*envelope.timestamp_text)),
        ("Token", (!is_notification).then_some(&*envelope.token)),
        ("TopicArn", Some(&*envelope.topic_arn)),
        ("Type", Some(envelope.kind.as_str())),
    ];
    let mut text = String::with_capacity(envelope.message.len() + 512);
    for (name, value) in members {
        if let Some(value) = value {
            text.push_str(name);
            text.push('\n');
            text.push_str(value);
            text.push('\n');
        }
    }
    text
}
