//! What the worker is told by its environment. Every value is checked here, once, before anything listens. No error and no
//! `Debug` shows a secret's value.

mod api_key;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;

pub(crate) use api_key::ApiKey;
pub use api_key::Secret;

use crate::ledger::Retention;
use crate::sns::Topic;

/// A setting that the worker cannot start with. The text names the variable and the remedy, never a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
}

/// Which ledger keeps the orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerChoice {
    /// In memory.
    Memory,
    /// In a SQLite file.
    Sqlite(PathBuf),
    /// In the DynamoDB table of that name.
    #[cfg(feature = "dynamodb")]
    DynamoDb(String),
}

/// The worker's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) address: SocketAddr,
    pub(crate) admin_address: Option<SocketAddr>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) api_key: Secret,
    /// Where to look for a new key when this one is refused.
    pub(crate) api_key_file: Option<PathBuf>,
    pub(crate) api_endpoint: Uri,
    /// How long gathering one resource takes; both are gathered at once.
    pub(crate) gather: Duration,
    /// Whether the fulfilment API honours idempotency keys.
    pub(crate) idempotent: bool,
    pub(crate) ledger: LedgerChoice,
    /// How long the ledger keeps a record after it was last written.
    pub(crate) ledger_retention: Retention,
    /// The most that a ledger in memory takes, in bytes.
    pub(crate) ledger_limit: usize,
    pub(crate) allow_signature_v1: bool,
    /// Whether to confirm subscriptions under the task's own name, so that SNS lets nobody else end them.
    #[cfg(feature = "signed-confirmation")]
    pub(crate) authenticate_unsubscribe: bool,
    /// The local cloud's origin, `http://127.0.0.1:4566`, in place of SNS's own.
    pub(crate) local_origin: Option<String>,
    /// How long the worker goes on accepting after it was told to stop.
    pub(crate) drain_lag: Duration,
    /// The oldest message that is accepted.
    pub(crate) max_age: Duration,
    pub(crate) max_in_flight: usize,
    /// Orders that are worked on at once; the others that are in flight wait for their turn.
    pub(crate) max_concurrent_orders: Option<usize>,
    pub(crate) max_connections: usize,
    pub(crate) direct_fulfil: bool,
    /// Names besides those of loopback by which the worker may be called on a laptop, in lower case.
    pub(crate) hosts: Vec<String>,
}

impl Config {
    /// Reads the configuration from environment variables: those that `worker --help` lists, with their units and defaults. Of
    /// several of one name the first counts.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that cannot be used.
    pub fn from_env(vars: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Vars(vars.collect());
        let host: IpAddr = vars.parse("HOST", "an IP address")?.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let port: u16 = vars.parse("PORT", "a port number")?.unwrap_or(5000);
        let admin_port: Option<u16> = vars.parse("ADMIN_PORT", "a port number")?;
        let authenticate_unsubscribe = vars.flag(AUTHENTICATE, false)?;
        if authenticate_unsubscribe && cfg!(not(feature = "signed-confirmation")) {
            let remedy = "build it with `cargo build --features signed-confirmation`, or leave this out";
            return Err(problem(AUTHENTICATE, format!("asks for what this worker is built without; {remedy}")));
        }
        let (api_key, api_key_file) = api_key(&vars)?;
        let max_age = vars.seconds(MAX_AGE, 7200, 60..=6 * 24 * 3600)?;
        Ok(Config {
            address: SocketAddr::new(host, port),
            admin_address: admin_port.map(|port| SocketAddr::new(host, port)),
            topics: topics(&vars)?,
            api_key,
            api_key_file,
            api_endpoint: api_endpoint(&vars)?,
            gather: vars.millis("INTERSTELLA_GATHER_MS", 1000, 0..=5000)?,
            idempotent: vars.flag("INTERSTELLA_FULFILMENT_IDEMPOTENT", true)?,
            ledger: ledger(&vars)?,
            ledger_retention: retention(&vars, max_age)?,
            ledger_limit: vars.count("INTERSTELLA_LEDGER_MAX_MIB", 48, 1..=1 << 20)?.saturating_mul(1 << 20),
            allow_signature_v1: vars.flag("INTERSTELLA_SNS_SIGNATURE_V1", false)?,
            #[cfg(feature = "signed-confirmation")]
            authenticate_unsubscribe,
            local_origin: local_origin(&vars)?,
            drain_lag: vars.millis("INTERSTELLA_DRAIN_LAG_MS", 1000, 0..=3000)?,
            max_age,
            max_in_flight: vars.count("INTERSTELLA_MAX_IN_FLIGHT", 512, 1..=100_000)?,
            max_concurrent_orders: vars.limit("INTERSTELLA_MAX_CONCURRENT_ORDERS", 1..=100_000)?,
            max_connections: vars.count("INTERSTELLA_MAX_CONNECTIONS", 1024, 1..=100_000)?,
            direct_fulfil: vars.flag("INTERSTELLA_DIRECT_FULFIL", false)?,
            hosts: vars.list("INTERSTELLA_HOSTS"),
        })
    }

    /// Where to listen for orders.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where to listen for probes and metrics, if anywhere.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }
}

const MAX_AGE: &str = "INTERSTELLA_MAX_MESSAGE_AGE_S";
const AUTHENTICATE: &str = "INTERSTELLA_SNS_AUTHENTICATE_ON_UNSUBSCRIBE";

struct Vars(Vec<(String, String)>);

impl Vars {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &'static str) -> Result<&str, ConfigError> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| problem(name, "is missing or empty; set it"))
    }

    fn parse<T: FromStr>(&self, name: &'static str, what: &str) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| problem(name, format!("is not {what}: {text:?}")))
    }

    fn number(
        &self,
        name: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, ConfigError> {
        let number = self.parse(name, "a whole number")?.unwrap_or(default);
        if range.contains(&number) {
            return Ok(number);
        }
        Err(problem(name, format!("must be between {} and {}, not {number}", range.start(), range.end())))
    }

    fn millis(
        &self,
        name: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        self.number(name, default, range).map(Duration::from_millis)
    }

    fn seconds(
        &self,
        name: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        self.number(name, default, range).map(Duration::from_secs)
    }

    fn count(
        &self,
        name: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<usize, ConfigError> {
        let number = self.number(name, default, range)?;
        usize::try_from(number).map_err(|_| problem(name, "is too large for this machine"))
    }

    /// As [`Self::count`], without a default.
    fn limit(&self, name: &'static str, range: std::ops::RangeInclusive<u64>) -> Result<Option<usize>, ConfigError> {
        self.get(name).map(|_| self.count(name, *range.start(), range)).transpose()
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',');
        items.map(|item| item.trim().to_ascii_lowercase()).filter(|item| !item.is_empty()).collect()
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        Ok(self.parse(name, "true or false")?.unwrap_or(default))
    }
}

fn problem(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

fn topics(vars: &Vars) -> Result<Vec<Topic>, ConfigError> {
    const NAME: &str = "INTERSTELLA_ORDER_TOPIC";
    let parse = |arn: &str| {
        Topic::parse(arn.trim()).ok_or_else(|| {
            problem(
                NAME,
                format!("holds {arn:?}, which is not the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)"),
            )
        })
    };
    vars.required(NAME)?.split(',').map(parse).collect()
}

/// The key, and the file that it came from.
fn api_key(vars: &Vars) -> Result<(Secret, Option<PathBuf>), ConfigError> {
    const NAME: &str = "INTERSTELLA_API_KEY";
    const FILE: &str = "INTERSTELLA_API_KEY_FILE";
    let Some(file) = vars.get(FILE).map(PathBuf::from) else {
        let key = Secret::parse(vars.required(NAME)?).map_err(|what| problem(NAME, what))?;
        return Ok((key, None));
    };
    if vars.get(NAME).is_some() {
        return Err(problem(FILE, format!("is set, and {NAME} too; keep one of them")));
    }
    let key = Secret::read(&file).map_err(|what| problem(FILE, what))?;
    Ok((key, Some(file)))
}

/// An endpoint may carry credentials in its user information, so it is not shown either.
fn api_endpoint(vars: &Vars) -> Result<Uri, ConfigError> {
    const NAME: &str = "INTERSTELLA_API_ENDPOINT";
    let uri: Uri = vars.required(NAME)?.parse().map_err(|_| problem(NAME, "is not a URL"))?;
    let host = uri.host().unwrap_or_default();
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match uri.scheme_str() {
        _ if host.is_empty() || has_user => Err(problem(NAME, "must be https://HOST/PATH without user information")),
        Some("https") => Ok(uri),
        Some("http") if is_loopback(host) => Ok(uri),
        _ => Err(problem(
            NAME,
            "must begin with https:// (http:// is for loopback only), or the API key would travel in the clear",
        )),
    }
}

fn ledger(vars: &Vars) -> Result<LedgerChoice, ConfigError> {
    const NAME: &str = "INTERSTELLA_LEDGER";
    let text = vars.get(NAME).unwrap_or("memory");
    match text.split_once(':') {
        None if text == "memory" => Ok(LedgerChoice::Memory),
        Some(("sqlite", path)) if !path.is_empty() => Ok(LedgerChoice::Sqlite(PathBuf::from(path))),
        Some(("dynamodb", table)) if is_table(table) => dynamodb(table),
        _ => Err(problem(NAME, format!("must be `memory`, `sqlite:PATH` or `dynamodb:TABLE`, not {text:?}"))),
    }
}

/// A message that is taken must find the record of the one it repeats.
fn retention(vars: &Vars, max_age: Duration) -> Result<Retention, ConfigError> {
    const NAME: &str = "INTERSTELLA_LEDGER_RETENTION_S";
    let retention = vars.seconds(NAME, 7200, 60..=14 * 24 * 3600)?;
    if retention < max_age {
        let (retention, max_age) = (retention.as_secs(), max_age.as_secs());
        let problem_of = format!(
            "is {retention} and {MAX_AGE} is {max_age}: a duplicate could come when its order is forgotten; \
             set it to {max_age} or more"
        );
        return Err(problem(NAME, problem_of));
    }
    Ok(Retention::of_messages(retention))
}

fn is_table(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (3..=255).contains(&name.len()) && name.bytes().all(is_allowed)
}

#[cfg(feature = "dynamodb")]
fn dynamodb(table: &str) -> Result<LedgerChoice, ConfigError> {
    Ok(LedgerChoice::DynamoDb(table.to_owned()))
}

#[cfg(not(feature = "dynamodb"))]
fn dynamodb(_table: &str) -> Result<LedgerChoice, ConfigError> {
    let remedy = "build it with `cargo build --features dynamodb`, or use `sqlite:PATH`";
    Err(problem("INTERSTELLA_LEDGER", format!("names a DynamoDB table, which this worker is built without; {remedy}")))
}

/// Any other endpoint is ignored: only loopback may take SNS's place.
fn local_origin(vars: &Vars) -> Result<Option<String>, ConfigError> {
    const NAME: &str = "AWS_ENDPOINT_URL";
    let Some(text) = vars.get(NAME).filter(|text| !text.is_empty()) else { return Ok(None) };
    let uri: Uri = text.parse().map_err(|_| problem(NAME, format!("is not a URL: {text:?}")))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) if is_loopback(authority.host()) && !authority.as_str().contains('@') => {
            Ok(Some(format!("http://{authority}")))
        }
        _ => Ok(None),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 3] = [
        ("INTERSTELLA_ORDER_TOPIC", "arn:aws:sns:us-west-2:123456789012:orderTopic"),
        ("INTERSTELLA_API_KEY", "canary-secret"),
        ("INTERSTELLA_API_ENDPOINT", "https://hq.example/receiving/"),
    ];

    fn with(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let kept = GOOD.iter().filter(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
        Config::from_env(kept.chain(changes).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn defaults() {
        let config = with(&[]).unwrap();
        assert_eq!(config.address.to_string(), "0.0.0.0:5000");
        assert_eq!(config.admin_address, None);
        assert_eq!(config.gather, Duration::from_secs(1));
        assert_eq!(config.max_concurrent_orders, None);
        assert!(config.idempotent && !config.allow_signature_v1 && !config.direct_fulfil);
        assert_eq!(config.ledger, LedgerChoice::Memory);
        assert_eq!(config.local_origin, None);
    }

    #[test]
    fn w64_bad_settings_are_named_and_no_secret_is_shown() {
        for (variable, value) in [
            ("INTERSTELLA_API_KEY", ""),
            ("INTERSTELLA_API_KEY", "canary-secret\r\nx: y"),
            ("INTERSTELLA_API_KEY", "canary-secret "),
            ("INTERSTELLA_API_ENDPOINT", "http://hq.example/receiving/"),
            ("INTERSTELLA_API_ENDPOINT", "https://canary-secret@hq.example/"),
            ("INTERSTELLA_API_ENDPOINT", "hq.example"),
            ("INTERSTELLA_API_ENDPOINT", "ftp://127.0.0.1/"),
            ("INTERSTELLA_ORDER_TOPIC", ""),
            ("INTERSTELLA_ORDER_TOPIC", "arn:aws:sqs:us-west-2:123456789012:orderTopic"),
            ("INTERSTELLA_LEDGER", "redis://x"),
            ("INTERSTELLA_LEDGER", "sqlite:"),
            ("INTERSTELLA_LEDGER", "dynamodb:"),
            ("INTERSTELLA_LEDGER", "dynamodb://orders"),
            ("INTERSTELLA_LEDGER", "memory:"),
            ("INTERSTELLA_GATHER_MS", "60000"),
            ("INTERSTELLA_MAX_CONCURRENT_ORDERS", "0"),
            ("INTERSTELLA_MAX_CONCURRENT_ORDERS", "none"),
            ("INTERSTELLA_FULFILMENT_IDEMPOTENT", "yes"),
            ("INTERSTELLA_MAX_MESSAGE_AGE_S", "700000"),
            ("INTERSTELLA_LEDGER_RETENTION_S", "7199"),
            ("INTERSTELLA_LEDGER_RETENTION_S", "2h"),
            ("INTERSTELLA_LEDGER_MAX_MIB", "0"),
            ("PORT", "99999"),
            ("HOST", "example.org"),
        ] {
            let error = with(&[(variable, value)]).unwrap_err();
            assert_eq!(error.variable, variable);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
        assert!(!format!("{:?}", with(&[]).unwrap()).contains("canary"));
    }

    #[test]
    fn an_order_is_remembered_for_as_long_as_its_message_is_taken() {
        let ages = |age, retention| {
            with(&[("INTERSTELLA_MAX_MESSAGE_AGE_S", age), ("INTERSTELLA_LEDGER_RETENTION_S", retention)])
        };
        assert_eq!(with(&[]).unwrap().ledger_retention, Retention::of_messages(Duration::from_secs(7200)));
        assert_eq!(ages("60", "90").unwrap().ledger_retention, Retention::of_messages(Duration::from_secs(90)));
        assert!(ages("10800", "10800").is_ok());
        let error = ages("10800", "7200").unwrap_err().to_string();
        assert!(error.contains("set it to 10800 or more"), "{error}");
    }

    #[test]
    fn ledgers_are_chosen_by_name() {
        let chosen = |text| with(&[("INTERSTELLA_LEDGER", text)]).map(|config| config.ledger);
        assert_eq!(chosen("memory").unwrap(), LedgerChoice::Memory);
        assert_eq!(chosen("sqlite:/var/a:b.db").unwrap(), LedgerChoice::Sqlite(PathBuf::from("/var/a:b.db")));
        #[cfg(feature = "dynamodb")]
        assert_eq!(chosen("dynamodb:orders").unwrap(), LedgerChoice::DynamoDb("orders".to_owned()));
        #[cfg(not(feature = "dynamodb"))]
        assert!(chosen("dynamodb:orders").unwrap_err().to_string().contains("--features dynamodb"));
    }

    #[cfg(not(feature = "signed-confirmation"))]
    #[test]
    fn w26_what_is_not_built_in_is_an_error_that_says_how() {
        assert!(with(&[(AUTHENTICATE, "false")]).is_ok());
        let error = with(&[(AUTHENTICATE, "true")]).unwrap_err().to_string();
        assert!(error.contains("--features signed-confirmation"), "{error}");
    }

    #[test]
    fn only_loopback_replaces_sns() {
        for (url, origin) in [
            ("http://127.0.0.1:4566", Some("http://127.0.0.1:4566")),
            ("http://localhost:4566/", Some("http://localhost:4566")),
            ("http://[::1]:4566", Some("http://[::1]:4566")),
            ("http://evil.example:4566", None),
            ("http://127.0.0.1.evil.example", None),
            ("https://127.0.0.1:4566", None),
            ("http://127.0.0.1@evil.example", None),
            ("http://user@127.0.0.1", None),
        ] {
            assert_eq!(with(&[("AWS_ENDPOINT_URL", url)]).unwrap().local_origin.as_deref(), origin, "{url}");
        }
    }
}
