//! SNS's signing key and its certificate: made in the background, used off the lock, published as a page of the cloud.

mod version_1;

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
    SigningKey,
};
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::cloud::{Cloud, Page};
use crate::sns::envelope;

/// Why nothing can be signed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignerError {
    /// There is no key.
    #[error("the signing key could not be made: {0}")]
    Key(#[from] rcgen::Error),
    /// There is a key that cannot be used for version 1.
    #[error("the signing key could not be read: {0}")]
    Unreadable(#[from] asn1_rs::Error),
    /// The thread that made it is gone.
    #[error("the signing key was never finished")]
    Unfinished,
}

type Made = Option<Result<Arc<Identity>, SignerError>>;

/// Signs messages, as soon as there is a key.
pub struct Signer {
    made: watch::Receiver<Made>,
    endpoint_url: String,
}

/// A key with its certificate.
struct Identity {
    key: KeyPair,
    /// The same key, for messages of signature version 1.
    sha1: version_1::Key,
    /// Path of the certificate's page.
    path: String,
    certificate_pem: String,
}

impl Signer {
    /// Has a key and a certificate made on a thread of its own, for that takes a moment. Must be called within a tokio runtime.
    pub fn start(region: &str, endpoint_url: &str) -> Self {
        let (tell, made) = watch::channel(None);
        let region = region.to_owned();
        let now = wall_time();
        tokio::task::spawn_blocking(move || tell.send_replace(Some(Identity::make(&region, now).map(Arc::new))));
        Self { made, endpoint_url: endpoint_url.to_owned() }
    }

    /// Dates and signs a message, and sees to it that its certificate can be fetched.
    pub async fn complete(&self, cloud: &Cloud, message: &mut Map<String, Value>) -> Result<(), SignerError> {
        let identity = self.identity().await?;
        publish(cloud, &identity);
        let timestamp = wall_time().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let certificate_url = format!("{}{}", self.endpoint_url, identity.path);
        let version = envelope::text(message, "SignatureVersion").to_owned();
        envelope::complete(message, &timestamp, &certificate_url, |text| {
            Ok(BASE64_STANDARD.encode(identity.sign(&version, text.as_bytes())?))
        })
    }

    async fn identity(&self) -> Result<Arc<Identity>, SignerError> {
        let mut made = self.made.clone();
        let made = made.wait_for(Option::is_some).await.map_err(|_| SignerError::Unfinished)?;
        made.clone().unwrap_or(Err(SignerError::Unfinished))
    }
}

impl Identity {
    /// Makes an RSA key of 2048 bits and a self-signed certificate that looks like SNS's, valid for a year from yesterday on.
    fn make(region: &str, now: Timestamp) -> Result<Self, SignerError> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let names = vec![format!("sns.{region}.amazonaws.com"), "sns.amazonaws.com".to_owned()];
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "sns.amazonaws.com");
        // Midnights (UTC): certificates need no more precision.
        let (first, last) =
            (date(now - SignedDuration::from_hours(24)), date(now + SignedDuration::from_hours(24 * 365)));
        params.not_before = rcgen::date_time_ymd(first.0, first.1, first.2);
        params.not_after = rcgen::date_time_ymd(last.0, last.1, last.2);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key)?;
        let fingerprint = hex::encode(digest::digest(&digest::SHA256, certificate.der()));
        let path = format!("/SimpleNotificationService-{fingerprint:.32}.pem");
        let sha1 = version_1::Key::read(key.serialized_der())?;
        Ok(Self { key, sha1, path, certificate_pem: certificate.pem() })
    }

    /// The signature of a text by a topic's `SignatureVersion`.
    fn sign(&self, version: &str, text: &[u8]) -> Result<Vec<u8>, SignerError> {
        match version {
            "1" => Ok(self.sha1.sign(text)),
            _ => Ok(self.key.sign(text)?),
        }
    }
}

fn publish(cloud: &Cloud, identity: &Identity) {
    if cloud.page(&identity.path).is_none() {
        let body = Bytes::from(identity.certificate_pem.clone());
        cloud.publish(&identity.path, Page { content_type: "application/x-pem-file".to_owned(), body });
    }
}

/// Year, month and day of a moment (UTC).
fn date(moment: Timestamp) -> (i32, u8, u8) {
    let date = moment.to_zoned(TimeZone::UTC).date();
    (i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
}

#[expect(clippy::disallowed_methods, reason = "signatures are made in wall time, at the edge")]
fn wall_time() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aws_lc_rs::signature::{
        RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    };
    use rcgen::PublicKeyData;

    use super::*;
    use crate::clock::{Clock, CloudTime};
    use crate::images::Images;
    use crate::runtime::model::Model;
    use crate::sns::envelope::{Content, Origin};
    use crate::world::World;

    const ENDPOINT: &str = "http://127.0.0.1:4566";

    #[tokio::test]
    async fn a_message_is_signed_by_the_key_of_the_published_certificate_in_each_version() {
        let world = World::new("us-west-2", 7, Images::default());
        let cloud = Cloud::new(world, Clock::stepped(CloudTime::default()), Box::new(Model::default()));
        let signer = Signer::start("us-west-2", ENDPOINT);
        for version in ["1", "2"] {
            let content = Content { message: "m".to_owned(), ..Content::default() };
            let origin = Origin { topic_arn: "topic", signature_version: version, endpoint_url: ENDPOINT };
            let mut message = envelope::notification("id", origin, "subscription", &content);
            signer.complete(&cloud, &mut message).await.unwrap();

            let path = envelope::text(&message, "SigningCertURL").strip_prefix(ENDPOINT).unwrap();
            let (_, name) = path.split_once("/SimpleNotificationService-").unwrap();
            assert!(name.len() == 36 && name.ends_with(".pem"), "{name}");
            let pem = String::from_utf8(cloud.page(path).unwrap().body.to_vec()).unwrap();
            let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
            let certificate = BASE64_STANDARD.decode(base64).unwrap();
            let public_key = signer.identity().await.unwrap().key.der_bytes().to_vec();
            assert!(certificate.windows(public_key.len()).any(|window| window == public_key));

            let signature = BASE64_STANDARD.decode(envelope::text(&message, "Signature")).unwrap();
            let signed = envelope::string_to_sign(&message);
            let algorithm = match version {
                "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                _ => &RSA_PKCS1_2048_8192_SHA256,
            };
            let key = UnparsedPublicKey::new(algorithm, public_key);
            key.verify(signed.as_bytes(), &signature).unwrap();
            assert!(key.verify(signed.replace("Message\nm", "Message\nn").as_bytes(), &signature).is_err());
        }
    }

    #[test]
    fn the_certificate_is_valid_around_its_making() {
        assert_eq!(date("2026-03-01T12:00:00Z".parse().unwrap()), (2026, 3, 1));
    }
}
