//! Signs the confirmation of a subscription with the task's own AWS credentials. SNS takes `AuthenticateOnUnsubscribe` only from a
//! caller that it knows, and with it nobody ends the subscription who has merely read its `UnsubscribeURL`.

use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_lc_rs::digest::{SHA256, digest};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::{Request, header};
use jiff::Timestamp;

/// Where the credentials come from. Whoever they belong to needs `sns:ConfirmSubscription` on the topic.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    credentials: SharedCredentialsProvider,
}

impl Signer {
    /// Credentials from where AWS's SDKs look for them. None if there is no such place.
    pub(crate) async fn from_env() -> Option<Signer> {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        sdk.credentials_provider().map(|credentials| Signer { credentials })
    }

    /// Adds the signature to a request whose only header is its content type. The error is for the log and holds no secret.
    pub(crate) async fn sign<B>(
        &self,
        request: &mut Request<B>,
        body: &str,
        region: &str,
        now: Timestamp,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let identity = self.credentials.provide_credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("sns")
            .time(SystemTime::from(now))
            .settings(SigningSettings::default())
            .build()?;
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let headers = content_type.map(|value| (header::CONTENT_TYPE.as_str(), value));
        // The body holds the token, and the signer's trace shows a body but not its hash.
        let body = SignableBody::Precomputed(hex::encode(digest(&SHA256, body.as_bytes())));
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), body)?;
        let (instructions, _signature) = sign(signable, &parameters.into())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}
