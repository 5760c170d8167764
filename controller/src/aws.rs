//! The way to AWS: clients, credentials, time-outs. Nothing here knows what the calls are for.
//!
//! Reading clients try twice; changing ones once, because a change without an answer is looked at again, not repeated.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::error::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
/// Region of a local endpoint when none is given: the workshop's.
pub const LOCAL_REGION: &str = "us-west-2";

/// Where and as whom to connect; what is absent comes from AWS's usual chain.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    /// Region, such as `us-west-2`.
    pub region: Option<String>,
    /// Profile of the shared configuration files.
    pub profile: Option<String>,
    /// Endpoint of all services. A loopback one implies dummy credentials and the region us-west-2.
    pub endpoint_url: Option<String>,
    /// HTTP client for all services, for tests that answer in process.
    pub http_client: Option<SharedHttpClient>,
}

/// Account and region that the calls go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// AWS account, 12 digits.
    pub account: String,
    /// AWS region.
    pub region: String,
}

/// Clients of every service we use, for one kind of call.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Elastic Container Service.
    pub ecs: aws_sdk_ecs::Client,
    /// Elastic Load Balancing.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Application Auto Scaling.
    pub scaling: aws_sdk_applicationautoscaling::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Resource Groups Tagging.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    config: SdkConfig,
}

/// The way to AWS.
#[derive(Debug, Clone)]
pub struct Aws {
    /// For calls that only look.
    pub read: Clients,
    /// For calls that change something; never retried.
    pub write: Clients,
    sts: aws_sdk_sts::Client,
    region: String,
    endpoint_url: Option<String>,
}

impl Clients {
    fn new(config: SdkConfig) -> Self {
        Self {
            ecs: aws_sdk_ecs::Client::new(&config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            scaling: aws_sdk_applicationautoscaling::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&config),
            config,
        }
    }

    /// The client of SNS in `region`: a subscription lives in its topic's.
    #[must_use]
    pub fn sns(&self, region: &str) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::config::Builder::from(&self.config).region(Region::new(region.to_owned()));
        aws_sdk_sns::Client::from_conf(config.build())
    }
}

impl Aws {
    /// Connects. Only credentials and region are looked up; no service is called.
    ///
    /// # Errors
    /// When no region is given anywhere.
    pub async fn connect(connect: Connect) -> Result<Self, Error> {
        let endpoint_url = connect.endpoint_url.clone();
        let config =
            if endpoint_url.as_deref().is_some_and(is_loopback) { local(connect) } else { usual(connect).await };
        let Some(region) = config.region().map(ToString::to_string) else {
            let message = "no region is configured; give --region or set AWS_REGION (for the local cloud: --endpoint-url \
                           http://127.0.0.1:4566, or eval \"$(interstella env)\")";
            return Err(Error::terminal("connect", "no region", message));
        };
        let reading = config.clone().into_builder().retry_config(RetryConfig::standard().with_max_attempts(2)).build();
        let writing = config.into_builder().retry_config(RetryConfig::disabled()).build();
        Ok(Self {
            sts: aws_sdk_sts::Client::new(&reading),
            read: Clients::new(reading),
            write: Clients::new(writing),
            region,
            endpoint_url,
        })
    }

    /// Asks AWS whose credentials these are.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn identity(&self) -> Result<Identity, Error> {
        let answer = self.sts.get_caller_identity().send().await.map_err(Error::of("sts:GetCallerIdentity"))?;
        let account = answer.account.unwrap_or_default();
        Ok(Identity { account, region: self.region.clone() })
    }

    /// The region of the calls.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether the endpoint is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.endpoint_url.as_deref().is_some_and(is_loopback)
    }

    /// The endpoint, when it is not AWS's own.
    #[must_use]
    pub fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// A local endpoint depends on nothing in the environment, so that no real credentials ever go there, and no proxy is asked for
/// what only this machine can reach.
fn local(connect: Connect) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "interstella");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(connect.region.unwrap_or_else(|| LOCAL_REGION.to_owned())))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts());
    config.set_endpoint_url(connect.endpoint_url);
    config.set_http_client(Some(connect.http_client.unwrap_or_else(without_proxy)));
    config.build()
}

/// As the SDK's own client, which goes by `HTTP_PROXY`, but without it.
fn without_proxy() -> SharedHttpClient {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    aws_smithy_http_client::Builder::new().tls_provider(provider).build_https()
}

async fn usual(connect: Connect) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts());
    if let Some(region) = connect.region {
        loader = loader.region(Region::new(region));
    }
    if let Some(profile) = connect.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = connect.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(client) = connect.http_client {
        loader = loader.http_client(client);
    }
    loader.load().await
}

/// Whether a URL's host is this machine.
fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<axum::http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_by_the_host() {
        for url in ["http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:1", "http://a.localhost:1"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://localhost.evil.com", "https://sns.us-west-2.amazonaws.com", "http://10.0.0.1:4566", "x"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
