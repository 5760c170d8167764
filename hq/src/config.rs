//! What hq is told at its start, and how the binary reads it from the environment. Checked before anything listens.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use interstella_guard::private::runtime_folder;
use interstella_guard::{Token, partition};

use crate::api_key::{ApiKey, InvalidApiKey};
use crate::endpoint::{InvalidEndpoint, LoopbackUrl};
use crate::rates::{InvalidRate, checked_rate};

/// Where the token of the user is, if it is set.
pub(crate) const RUNTIME_FOLDER: &str = "XDG_RUNTIME_DIR";
const DEFAULT_PORT: u16 = 8889;
const DEFAULT_ORDERS_PER_MINUTE: f64 = 60.0;
pub(crate) const DEFAULT_TOPIC_PREFIX: &str = "arn:aws:sns:us-west-2:123456789012:";

/// Everything hq needs besides its listener.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where fulfilments, keys and counts are kept.
    pub database: Database,
    /// The local cloud. Without it hq publishes nothing and only takes fulfilments.
    pub sns_endpoint: Option<LoopbackUrl>,
    /// What is published, how often.
    pub topics: Vec<TopicRate>,
    /// A key accepted besides the issued ones, for as long as this process lives: whoever starts hq can put the same
    /// key where the workers find it.
    pub bootstrap_key: Option<ApiKey>,
    /// What whoever changes something here has to show.
    pub token: Token,
    /// Names by which hq may be called besides those of its address, in lower case.
    pub hosts: Vec<String>,
    /// Hold all orders back until [`crate::StartPublishing::start`]: nobody may be subscribed yet.
    pub start_paused: bool,
}

/// Where hq keeps its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// Gone with the process.
    InMemory,
    /// A SQLite file, made if it is not there.
    Path(PathBuf),
}

/// A topic and how often hq publishes to it.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicRate {
    /// The name under which `hq rate` knows it.
    pub name: String,
    /// The ARN that SNS knows it by.
    pub arn: String,
    /// The message, published as it stands.
    pub message: String,
    /// Orders a minute; 0 is paused.
    pub per_minute: f64,
}

/// A setting that hq cannot use. It names the variable and never shows a secret.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ConfigError {
    #[error("{variable} is not valid UTF-8")]
    NotText { variable: String },
    #[error("PORT is `{0}`; give a port number, 0 to 65535")]
    Port(String),
    #[error("HOST is `{0}`; give an IP address, such as 127.0.0.1")]
    Host(String),
    #[error("AWS_ENDPOINT_URL: {0}")]
    Endpoint(#[from] InvalidEndpoint),
    #[error("HQ_ORDERS_PER_MINUTE is `{0}`; give a number of orders a minute, such as 60, or 0 to start paused")]
    OrdersPerMinute(String),
    #[error("{topic}: {cause}")]
    Rate { topic: String, cause: InvalidRate },
    #[error("HQ_API_KEY cannot be used: {0}")]
    ApiKey(#[from] InvalidApiKey),
    #[error("the token of this user cannot be had: {0}")]
    Token(#[from] std::io::Error),
    #[error("`{0}` is not the ARN of an SNS topic (arn:aws:sns:<region>:<account>:<name>); see HQ_TOPIC_PREFIX")]
    TopicArn(String),
}

impl Config {
    /// Reads `HQ_DATABASE` (a path; in memory without it), `AWS_ENDPOINT_URL`, `HQ_ORDERS_PER_MINUTE` (60),
    /// `HQ_TOPIC_PREFIX`, `HQ_API_KEY` and `HQ_HOSTS` (names, separated by commas). The token is that of the user. A variable that is set but empty counts as unset, except the key: an empty
    /// key is a substitution that failed.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that cannot be used.
    pub fn from_env(vars: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let per_minute = match set(vars, "HQ_ORDERS_PER_MINUTE") {
            Some(text) => text.parse().map_err(|_| ConfigError::OrdersPerMinute(text.to_owned()))?,
            None => DEFAULT_ORDERS_PER_MINUTE,
        };
        let config = Self {
            database: set(vars, "HQ_DATABASE").map_or(Database::InMemory, |path| Database::Path(path.into())),
            sns_endpoint: set(vars, "AWS_ENDPOINT_URL").map(str::parse).transpose()?,
            topics: TopicRate::workshop(set(vars, "HQ_TOPIC_PREFIX").unwrap_or(DEFAULT_TOPIC_PREFIX), per_minute),
            bootstrap_key: vars.get("HQ_API_KEY").map(|key| key.parse()).transpose()?,
            token: Token::of_user(&runtime_folder(set(vars, RUNTIME_FOLDER)))?,
            hosts: set(vars, "HQ_HOSTS")
                .map_or_else(Vec::new, |names| names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect()),
            start_paused: false,
        };
        config.check()?;
        Ok(config)
    }

    /// Checks what the types allow but hq cannot use.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for topic in &self.topics {
            topic.region()?;
            checked_rate(topic.per_minute).map_err(|cause| ConfigError::Rate { topic: topic.name.clone(), cause })?;
        }
        Ok(())
    }
}

impl TopicRate {
    /// The workshop's three topics: orders at `orders_per_minute`, and the two resources paused until `hq rate` says
    /// otherwise, so that what is published by default is what is to be fulfilled.
    #[must_use]
    pub fn workshop(arn_prefix: &str, orders_per_minute: f64) -> Vec<Self> {
        [("orderTopic", "bundle", orders_per_minute), ("iridium", "iridium", 0.0), ("magnesite", "magnesite", 0.0)]
            .map(|(name, item, per_minute)| Self {
                name: name.to_owned(),
                arn: format!("{arn_prefix}{name}"),
                message: format!("{{\"{item}\": 1}}"),
                per_minute,
            })
            .into()
    }

    /// The region in the topic's ARN.
    pub(crate) fn region(&self) -> Result<&str, ConfigError> {
        let parts: Vec<&str> = self.arn.split(':').collect();
        match parts[..] {
            ["arn", partition, "sns", region, account, name]
                if partition::of_region(region).is_some_and(|found| found.id == partition)
                    && [account, name].iter().all(|part| !part.is_empty()) =>
            {
                Ok(region)
            }
            _ => Err(ConfigError::TopicArn(self.arn.clone())),
        }
    }
}

/// Where the binary listens: `HOST` (127.0.0.1) and `PORT` (8889).
///
/// # Errors
/// [`ConfigError`] if either is unusable.
pub fn listen_address(vars: &BTreeMap<String, String>) -> Result<SocketAddr, ConfigError> {
    let port = match set(vars, "PORT") {
        Some(text) => text.parse().map_err(|_| ConfigError::Port(text.to_owned()))?,
        None => DEFAULT_PORT,
    };
    let host = match set(vars, "HOST") {
        Some(text) => text.parse().map_err(|_| ConfigError::Host(text.to_owned()))?,
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Ok(SocketAddr::new(host, port))
}

fn set<'a>(vars: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_empty_environment_is_a_quiet_local_hq() {
        let config = Config::from_env(&vars(&[])).unwrap();
        assert_eq!(config.database, Database::InMemory);
        assert_eq!(config.sns_endpoint, None);
        assert_eq!(config.topics[0].arn, "arn:aws:sns:us-west-2:123456789012:orderTopic");
        assert_eq!(config.topics[0].message, "{\"bundle\": 1}");
        let rates: Vec<f64> = config.topics.iter().map(|topic| topic.per_minute).collect();
        assert_eq!(rates, [60.0, 0.0, 0.0]);
        assert_eq!(listen_address(&vars(&[])).unwrap().to_string(), "127.0.0.1:8889");
    }

    #[test]
    fn each_unusable_variable_is_named() {
        for (name, value, expected) in [
            ("AWS_ENDPOINT_URL", "https://sns.us-west-2.amazonaws.com", "AWS_ENDPOINT_URL"),
            ("HQ_ORDERS_PER_MINUTE", "many", "HQ_ORDERS_PER_MINUTE"),
            ("HQ_ORDERS_PER_MINUTE", "-3", "orderTopic: -3 is no rate"),
            ("HQ_ORDERS_PER_MINUTE", "NaN", "orderTopic: NaN is no rate"),
            ("HQ_TOPIC_PREFIX", "orders-", "HQ_TOPIC_PREFIX"),
            ("HQ_API_KEY", "", "HQ_API_KEY"),
            ("HQ_API_KEY", "canary\r\nand-a-second-line", "HQ_API_KEY"),
        ] {
            let message = Config::from_env(&vars(&[(name, value)])).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("canary"), "{message}");
        }
        for (name, value) in [("PORT", "65536"), ("HOST", "example.com")] {
            let message = listen_address(&vars(&[(name, value)])).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(value), "{message}");
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let config = Config::from_env(&vars(&[("HQ_API_KEY", "canary-0123456789")])).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
    }
}
